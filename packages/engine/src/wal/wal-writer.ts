/**
 * The write-ahead log under one writer: appends commit groups to the current segment and moves on to new ones.
 *
 * Invariant: a record counts as durable only when everything before it is, in earlier segments too, or in tables.
 * Format: docs/format/wal.md, "Life of a segment".
 */

import { assert } from '@kayadb/codec';
import type { FileHandle, FileSystem } from '@kayadb/vfs';

import { isUndone } from '../files/disk-outcome.ts';
import { WAL_MAGIC } from '../files/file-header.ts';
import { walFileName } from '../files/file-names.ts';
import type { FileNumber } from '../key/internal-key.ts';
import { LogWriter } from '../log/log-writer.ts';
import { runAll } from '../run-all.ts';
import { COMMIT_GROUP_RECORD } from './wal-format.ts';
import type { CommitGroup, WriteLog } from './write-log.ts';

export interface WalWriterOptions {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly storeId: Uint8Array;
  /** Where the log goes on: 0 in a new store, otherwise where replay says it ends. */
  readonly startLsn: number;
  /** Draws the number of the next segment; called once per segment. */
  readonly allocateFileNumber: () => FileNumber;
}

/**
 * A file made ahead of need is filled with zeros and synced: its header then overwrites a block that is on disk, which costs the
 * rotation one short sync. Where groups are synced, so are the first of them, hence the longer stretch.
 */
const HEADER_ZERO_BYTES = 4096;
const SYNCED_ZERO_BYTES = 64 * 1024;

interface Segment {
  readonly fileNumber: FileNumber;
  readonly startLsn: number;
  readonly log: LogWriter;
}

interface PreparedFile {
  readonly fileNumber: FileNumber;
  readonly handle: FileHandle;
  /** What it holds, all zeros. */
  readonly zeroBytes: number;
}

export class WalWriter implements WriteLog {
  readonly #options: WalWriterOptions;
  /** Oldest first; all but the last are left behind and wait for their sync. */
  #segments: Segment[];
  /** The next segment's file and, while `rotate()` runs, its log. A rejection stays: see `prepare`. */
  #prepared: Promise<PreparedFile> | undefined;
  #started: Promise<Segment> | undefined;
  #durableLsn: number;
  #syncing: Promise<void> = Promise.resolve();
  #rotating = false;
  #closed = false;

  private constructor(options: WalWriterOptions, first: Segment) {
    this.#options = options;
    this.#segments = [first];
    this.#durableLsn = options.startLsn;
  }

  /**
   * Starts the log in a fresh segment.
   *
   * Durability: the segment's name and header survive power loss once it resolves.
   */
  static async create(options: WalWriterOptions): Promise<WalWriter> {
    const file = await createFile(options, 0);
    try {
      return new WalWriter(options, await startSegment(options, file, options.startLsn));
    } catch (error) {
      await file.handle.close().catch(() => undefined);
      throw error;
    }
  }

  get fileNumber(): FileNumber {
    return this.#current.fileNumber;
  }

  get endLsn(): number {
    return this.#current.log.endLsn;
  }

  get durableLsn(): number {
    return this.#durableLsn;
  }

  append(group: CommitGroup): number {
    assert(!this.#rotating && !this.#closed, 'a group is appended while the log rotates or after it was closed');
    this.#current.log.append(group.payloads, {
      kind: COMMIT_GROUP_RECORD,
      firstOrdinal: group.firstSequence,
      count: group.count,
      durableLsn: this.#durableLsn,
    });
    return this.#current.log.endLsn;
  }

  sync(): Promise<void> {
    const mine = this.#syncing.then(() => this.#syncSegments());
    this.#syncing = mine.catch(() => undefined);
    return mine;
  }

  async prepare(): Promise<void> {
    if (this.#closed) return;
    const isSynced = this.#current.log.durableLsn > this.#current.startLsn;
    await this.#prepareFile(isSynced ? SYNCED_ZERO_BYTES : HEADER_ZERO_BYTES);
  }

  async rotate(): Promise<FileNumber> {
    assert(!this.#rotating && !this.#closed, 'the log rotates twice at once or after it was closed');
    this.#rotating = true;
    try {
      const next = await this.#startSegment(await this.#prepareFile(0));
      this.#prepared = undefined;
      this.#started = undefined;
      this.#current.log.endFilling();
      this.#segments.push(next);
      return next.fileNumber;
    } finally {
      this.#rotating = false;
    }
  }

  release(oldestNeeded: FileNumber): Promise<void> {
    const mine = this.#syncing.then(() => this.#releaseSegments(oldestNeeded));
    this.#syncing = mine.catch(() => undefined);
    return mine;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#syncing;
    const prepared = await this.#prepared?.catch(() => undefined);
    await runAll('closing the write-ahead log', [
      async () => prepared?.handle.close(),
      ...this.#segments.map(
        ({ log }) =>
          () =>
            log.close(),
      ),
    ]);
  }

  get #current(): Segment {
    return this.#segments.at(-1)!;
  }

  async #prepareFile(zeroBytes: number): Promise<PreparedFile> {
    this.#prepared ??= createFile(this.#options, zeroBytes);
    try {
      return await this.#prepared;
    } catch (error) {
      if (isUndone(error)) this.#prepared = undefined;
      throw error;
    }
  }

  async #startSegment(file: PreparedFile): Promise<Segment> {
    this.#started ??= startSegment(this.#options, file, this.endLsn);
    try {
      return await this.#started;
    } catch (error) {
      if (isUndone(error)) this.#started = undefined;
      throw error;
    }
  }

  async #syncSegments(): Promise<void> {
    for (const { log } of this.#segments) {
      if (log.durableLsn < log.endLsn) await log.sync();
    }
    this.#advance();
    while (this.#segments.length > 1 && isDurable(this.#segments[0]!)) await this.#segments.shift()!.log.close();
  }

  async #releaseSegments(oldestNeeded: FileNumber): Promise<void> {
    while (this.#segments.length > 1 && this.#segments[0]!.fileNumber < oldestNeeded) {
      const { log } = this.#segments.shift()!;
      this.#advance();
      await log.close();
    }
  }

  #advance(): void {
    const first = this.#segments.find((segment) => !isDurable(segment)) ?? this.#current;
    this.#durableLsn = first.log.durableLsn;
  }
}

function isDurable({ log }: Segment): boolean {
  return log.durableLsn === log.endLsn;
}

async function createFile(options: WalWriterOptions, zeroBytes: number): Promise<PreparedFile> {
  const fileNumber = options.allocateFileNumber();
  const handle = await options.fs.open(`${options.directory}/${walFileName(fileNumber)}`, 'create');
  try {
    const filled = zeroBytes > 0 && (await fillWithZeros(handle, zeroBytes)) ? zeroBytes : 0;
    await options.fs.syncDirectory(options.directory);
    return { fileNumber, handle, zeroBytes: filled };
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
}

/** Durability: of the zeros, once it resolves. @returns Whether there was room for them; none is taken otherwise. */
async function fillWithZeros(handle: FileHandle, bytes: number): Promise<boolean> {
  try {
    await handle.write(new Uint8Array(bytes), 0);
  } catch (error) {
    if (!isUndone(error)) throw error;
    await handle.truncate(0);
    return false;
  }
  await handle.sync();
  return true;
}

/** Does not close the file when it fails: after a full disk the same file is tried again. */
async function startSegment(options: WalWriterOptions, file: PreparedFile, startLsn: number): Promise<Segment> {
  const { fileNumber, handle, zeroBytes } = file;
  const header = { magic: WAL_MAGIC, storeId: options.storeId, fileNumber, startLsn } as const;
  const log = await LogWriter.start(handle, header, { fillsAhead: true, zeroBytes });
  return { fileNumber, startLsn, log };
}
