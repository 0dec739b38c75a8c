/**
 * A data directory as it was at one moment, for reading only, while others may go on changing it.
 *
 * Invariant: nothing is created, changed, renamed, removed or touched through it; files are opened in mode `read` only.
 * Names and sizes are those of the moment of capture, and log files are held open from then on, so that what a writer
 * appends, swaps or removes later is not seen. Bytes below a captured size are never rewritten, but for one case: the
 * undoing of a write that found the disk full.
 */

import { decodeUtf8 } from '@kayadb/codec';
import {
  type DirectoryEntry,
  type DiskSpace,
  type FileHandle,
  type FileStat,
  type FileSystem,
  FileSystemError,
  isNotFound,
  type OpenMode,
} from '@kayadb/vfs';

import { parseCurrent } from '../files/current-file.ts';
import { CURRENT_FILE, manifestFileName, parseFileName } from '../files/file-names.ts';
import { FrozenHandle } from './frozen-handle.ts';
import { ReadMeter } from './read-meter.ts';

/** Bound: log files held open, beside CURRENT. A healthy store has fewer; of more, the newest are the ones that may move. */
const MAX_HELD_LOGS = 128;
/** Bound: a longer CURRENT is damaged, and only its beginning is compared. */
const MAX_MARK_BYTES = 512;

interface CapturedFile {
  readonly stat: FileStat;
  readonly held: FileHandle | undefined;
  /** The operating system does not say how large it is: nobody gets anything of it, and whoever asks is told why. */
  readonly refusal?: FileSystemError;
}

const UNKNOWN_STAT: FileStat = { kind: 'file', bytes: 0, modifiedMs: 0, mode: 0 };

export interface CaptureOptions {
  /** Settles for what may be a mixture of two moments. Default false. */
  readonly evenIfMoving?: boolean;
  /** Told of what is read through the view. */
  readonly meter?: ReadMeter;
}

export class EvidenceView implements FileSystem {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #meter: ReadMeter;
  readonly #files: ReadonlyMap<string, CapturedFile>;
  /** Sorted by name. */
  readonly entries: readonly DirectoryEntry[];

  private constructor(
    fs: FileSystem,
    directory: string,
    entries: readonly DirectoryEntry[],
    files: ReadonlyMap<string, CapturedFile>,
    meter: ReadMeter,
  ) {
    this.#fs = fs;
    this.#directory = directory;
    this.#meter = meter;
    this.#files = files;
    this.entries = entries.filter(({ name }) => files.has(name));
  }

  /**
   * Captures `directory`. End with `close`.
   *
   * @returns `undefined` when the store took a step (CURRENT or its manifest changed) while it was being captured.
   * @throws FileSystemError when the directory is missing or cannot be listed.
   */
  static async capture(
    fs: FileSystem,
    directory: string,
    options: CaptureOptions = {},
  ): Promise<EvidenceView | undefined> {
    const before = await readMark(fs, directory);
    const entries = await fs.readDirectory(directory);
    const files = new Map<string, CapturedFile>();
    // Newest first: when a record says that an older segment was durable, that segment is captured later, and whole.
    const names = entries.map(({ name }) => name).toSorted((a, b) => captureRank(b) - captureRank(a));
    let heldLogs = 0;
    for (const name of names) {
      const isHeldLog = isLog(name) && heldLogs++ < MAX_HELD_LOGS;
      const file = await captureFile(fs, `${directory}/${name}`, isHeldLog || name === CURRENT_FILE);
      if (file !== undefined) files.set(name, file);
    }
    const view = new EvidenceView(fs, directory, entries, files, options.meter ?? new ReadMeter());
    if (options.evenIfMoving === true || before === (await readMark(fs, directory))) return view;
    await view.close();
    return undefined;
  }

  /** Whether names, sizes and times are still those that were captured. @throws FileSystemError */
  async isUnchanged(): Promise<boolean> {
    const now = await this.#fs.readDirectory(this.#directory);
    if (now.map(({ name }) => name).join('/') !== this.entries.map(({ name }) => name).join('/')) return false;
    for (const { name } of now) {
      const { stat: captured, refusal } = this.#files.get(name)!;
      if (refusal !== undefined) continue;
      const stat = await this.#fs.stat(`${this.#directory}/${name}`);
      if (stat?.bytes !== captured.bytes || stat.modifiedMs !== captured.modifiedMs) return false;
    }
    return true;
  }

  /** Size of the file at the moment of capture; 0 for names that were not there, and where nobody knows. */
  bytesOf(name: string): number {
    return this.#files.get(name)?.stat.bytes ?? 0;
  }

  /** Gives back what is held open. Idempotent. */
  async close(): Promise<void> {
    for (const { held } of this.#files.values()) await held?.close();
  }

  async open(path: string, mode: OpenMode): Promise<FileHandle> {
    if (mode !== 'read') throw refuse('open', path);
    const file = this.#find(path);
    if (file === undefined) throw new FileSystemError('ENOENT', 'open', path);
    const onRead = this.#counterOf(path);
    if (file.held !== undefined) return new FrozenHandle(file.held, file.stat.bytes, 'borrowed', onRead);
    return new FrozenHandle(await this.#fs.open(path, 'read'), file.stat.bytes, 'owned', onRead);
  }

  openSync(path: string, mode: OpenMode): FileHandle {
    if (mode !== 'read') throw refuse('open', path);
    const file = this.#find(path);
    if (file === undefined) throw new FileSystemError('ENOENT', 'open', path);
    const onRead = this.#counterOf(path);
    if (file.held !== undefined) return new FrozenHandle(file.held, file.stat.bytes, 'borrowed', onRead);
    return new FrozenHandle(this.#fs.openSync(path, 'read'), file.stat.bytes, 'owned', onRead);
  }

  async readFile(path: string): Promise<Uint8Array> {
    const handle = await this.open(path, 'read');
    try {
      const content = new Uint8Array(await handle.size());
      return content.subarray(0, await handle.read(content, 0));
    } finally {
      await handle.close();
    }
  }

  async readDirectory(path: string): Promise<readonly DirectoryEntry[]> {
    return path === this.#directory ? this.entries : this.#fs.readDirectory(path);
  }

  async stat(path: string): Promise<FileStat | undefined> {
    return path === this.#directory ? this.#fs.stat(path) : this.#find(path)?.stat;
  }

  diskSpace(path: string): Promise<DiskSpace> {
    return this.#fs.diskSpace(path);
  }

  async makeDirectory(path: string): Promise<boolean> {
    throw refuse('makeDirectory', path);
  }

  async rename(from: string, to: string): Promise<void> {
    throw refuse('rename', `${from} to ${to}`);
  }

  async link(from: string, to: string): Promise<void> {
    throw refuse('link', `${from} to ${to}`);
  }

  async unlink(path: string): Promise<void> {
    throw refuse('unlink', path);
  }

  async removeDirectory(path: string): Promise<void> {
    throw refuse('removeDirectory', path);
  }

  async syncDirectory(path: string): Promise<void> {
    throw refuse('syncDirectory', path);
  }

  /** @throws FileSystemError if it was there and the operating system refused to say more. */
  #find(path: string): CapturedFile | undefined {
    const file = this.#files.get(this.#nameOf(path));
    if (file?.refusal !== undefined) throw file.refusal;
    return file;
  }

  #counterOf(path: string): (bytes: number) => void {
    const name = this.#nameOf(path);
    return (bytes) => this.#meter.count(name, bytes);
  }

  #nameOf(path: string): string {
    return path.slice(this.#directory.length + 1);
  }
}

/** CURRENT and the size of the manifest it names: they change with every step that makes a file needed or unneeded. */
async function readMark(fs: FileSystem, directory: string): Promise<string> {
  const current = await readStart(fs, `${directory}/${CURRENT_FILE}`);
  try {
    const manifest = manifestFileName(parseCurrent(current).manifestNumber);
    const stat = await fs.stat(`${directory}/${manifest}`);
    return `${decodeUtf8(current)} ${stat?.bytes}`;
  } catch {
    return decodeUtf8(current);
  }
}

/** The first bytes of a file; none when it cannot be read, which others will report. */
async function readStart(fs: FileSystem, path: string): Promise<Uint8Array> {
  const buffer = new Uint8Array(MAX_MARK_BYTES);
  try {
    const handle = await fs.open(path, 'read');
    try {
      return buffer.subarray(0, await handle.read(buffer, 0));
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof FileSystemError) return new Uint8Array(0);
    throw error;
  }
}

function captureRank(name: string): number {
  const parsed = parseFileName(name);
  return 'fileNumber' in parsed ? parsed.fileNumber : 0;
}

function isLog(name: string): boolean {
  const { kind } = parseFileName(name);
  return kind === 'manifest' || kind === 'wal';
}

/** @returns `undefined` when the file is gone. A damaged inode is the matter of that one file. */
async function captureFile(fs: FileSystem, path: string, hold: boolean): Promise<CapturedFile | undefined> {
  let held: FileHandle | undefined;
  if (hold) {
    try {
      held = await fs.open(path, 'read');
    } catch (error) {
      if (!(error instanceof FileSystemError)) throw error;
      if (isNotFound(error)) return undefined;
      // Whoever reads it will meet the refusal again, and report it.
    }
  }
  try {
    const stat = await fs.stat(path);
    const bytes = held === undefined ? stat?.bytes : await held.size();
    if (stat === undefined || bytes === undefined) {
      await held?.close();
      return undefined;
    }
    return { stat: { ...stat, bytes }, held };
  } catch (error) {
    await held?.close();
    if (error instanceof FileSystemError) return { stat: UNKNOWN_STAT, held: undefined, refusal: error };
    throw error;
  }
}

function refuse(operation: string, path: string): FileSystemError {
  return new FileSystemError('EROFS', operation, path, { detail: 'evidence is only read' });
}
