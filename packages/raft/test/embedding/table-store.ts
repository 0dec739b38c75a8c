/**
 * A state machine of many files, as an engine is: rows in memory until they are flushed into tables that never change, the applied index in the same step as the rows, a
 * snapshot that is second names of the tables. What the server makes of the engine, made small, to show that the interfaces fit.
 *
 * Folders: `store-INDEX`, with the index of the snapshot that it came with; `snapshots/INDEX`. Each has tables and a MANIFEST. In force is the store with the largest index that the
 * log's storage has heard of: up to the snapshot there. Its last entry alone would not tell: it may be one that no majority ever had.
 */

import { crc32c, decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { type FileHandle, type FileSystem, publishFile } from '@kayadb/vfs';

import type { Entry, LogIndex, Snapshot, Term } from '../../src/core/types.ts';
import type { PinnedSnapshot, SnapshotSource } from '../../src/node/snapshot-source.ts';
import type { SnapshotTarget } from '../../src/node/snapshot-target.ts';
import type { AppliedPoint, StateMachine } from '../../src/node/state-machine.ts';
import type { SnapshotFile } from '../../src/wire/transfer-message.ts';

interface Manifest {
  readonly index: LogIndex;
  readonly term: Term;
  readonly tables: readonly SnapshotFile[];
}

const MANIFEST = 'MANIFEST';
const STORE_NAME = /^store-(\d+)$/u;
const EMPTY: Manifest = { index: 0, term: 0, tables: [] };

export class TableStore implements StateMachine<LogIndex>, SnapshotSource, SnapshotTarget {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #flushRows: number;
  #folder: string;
  #manifest: Manifest;
  #rows = new Map<string, string>();
  #unflushed = new Map<string, string>();
  #appliedIndex: LogIndex;
  #appliedTerm: Term;
  /** Flushes, one after the other. */
  #flushing: Promise<void> = Promise.resolve();
  readonly #pinned = new Map<LogIndex, number>();

  private constructor(fs: FileSystem, directory: string, flushRows: number, folder: string, manifest: Manifest) {
    this.#fs = fs;
    this.#directory = directory;
    this.#flushRows = flushRows;
    this.#folder = folder;
    this.#manifest = manifest;
    this.#appliedIndex = manifest.index;
    this.#appliedTerm = manifest.term;
  }

  /** @param snapshotIndex - Of the snapshot that the log's storage has: a store beyond it came with one that the log was never told of. */
  static async open(fs: FileSystem, directory: string, snapshotIndex: LogIndex, flushRows = 8): Promise<TableStore> {
    for (const name of ['', '/snapshots', '/store-0']) await fs.makeDirectory(`${directory}${name}`);
    const stores = (await fs.readDirectory(directory)).map(({ name }) => Number(STORE_NAME.exec(name)?.[1] ?? -1));
    const usable = stores.filter((index) => index >= 0 && index <= snapshotIndex);
    const folder = `${directory}/store-${Math.max(...usable)}`;
    for (const index of stores) if (index > snapshotIndex) await removeFolder(fs, `${directory}/store-${index}`);
    const store = new TableStore(fs, directory, flushRows, folder, await readManifest(fs, folder));
    await store.#load();
    await fs.syncDirectory(directory);
    await fs.syncDirectory('/');
    return store;
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex;
  }

  get appliedTerm(): Term | undefined {
    return this.#appliedIndex === 0 ? undefined : this.#appliedTerm;
  }

  get durableIndex(): LogIndex {
    return this.#manifest.index;
  }

  get rows(): ReadonlyMap<string, string> {
    return this.#rows;
  }

  async apply(entries: readonly Entry[], upTo: LogIndex, term: Term): Promise<readonly LogIndex[]> {
    for (const { data } of entries) {
      const [key, value] = JSON.parse(decodeUtf8(data)) as [string, string];
      this.#rows.set(key, value);
      this.#unflushed.set(key, value);
    }
    this.#appliedIndex = upTo;
    this.#appliedTerm = term;
    if (this.#unflushed.size >= this.#flushRows) void this.#flush();
    return entries.map(({ index }) => index);
  }

  async snapshot({ index }: AppliedPoint): Promise<Uint8Array> {
    // What is in memory is taken within this turn; what is applied from now on comes into another table.
    const manifest = await this.#flush();
    const folder = `${this.#directory}/snapshots/${index}`;
    await this.#linkAll(this.#folder, folder, manifest.tables);
    await publishFile(this.#fs, folder, MANIFEST, encodeManifest(manifest));
    await this.#fs.syncDirectory(`${this.#directory}/snapshots`);
    const bytes = encodeManifest(manifest);
    const manifestFile = { name: MANIFEST, bytes: bytes.length, crc: crc32c(bytes) };
    // Names of tables begin with a digit, so they come first.
    return encodeUtf8(JSON.stringify([...manifest.tables, manifestFile]));
  }

  /** Removes what no snapshot in `inUse`, and nobody who is being sent one, needs. */
  async tidy(inUse: readonly Snapshot[]): Promise<void> {
    const kept = new Set([...inUse.map(({ meta }) => meta.index), ...this.#pinned.keys()]);
    const folder = `${this.#directory}/snapshots`;
    for (const { name } of await this.#fs.readDirectory(folder)) {
      if (!kept.has(Number(name))) await removeFolder(this.#fs, `${folder}/${name}`);
    }
  }

  async pin({ meta, data }: Snapshot): Promise<PinnedSnapshot> {
    const { index } = meta;
    const files = JSON.parse(decodeUtf8(data)) as readonly SnapshotFile[];
    const folder = `${this.#directory}/snapshots/${index}`;
    const handles = new Map<number, FileHandle>();
    if ((await this.#fs.stat(folder)) === undefined) throw new Error(`the files of snapshot ${index} are gone`);
    this.#pinned.set(index, (this.#pinned.get(index) ?? 0) + 1);
    return {
      files,
      read: async (file, buffer, offset) => {
        const handle = handles.get(file) ?? (await this.#fs.open(`${folder}/${files[file]!.name}`, 'read'));
        handles.set(file, handle);
        return await handle.read(buffer, offset);
      },
      unpin: () => {
        const left = this.#pinned.get(index)! - 1;
        if (left === 0) this.#pinned.delete(index);
        else this.#pinned.set(index, left);
        for (const handle of handles.values()) void handle.close();
      },
    };
  }

  async adopt({ meta }: Snapshot, directory: string, files: readonly SnapshotFile[]): Promise<void> {
    const folder = `${this.#directory}/store-${meta.index}`;
    if ((await this.#fs.stat(folder)) !== undefined) return;
    await removeFolder(this.#fs, `${folder}.tmp`);
    await this.#linkAll(directory, `${folder}.tmp`, files);
    await this.#fs.rename(`${folder}.tmp`, folder);
    await this.#fs.syncDirectory(this.#directory);
  }

  async abandon({ meta }: Snapshot): Promise<void> {
    const folder = `${this.#directory}/store-${meta.index}`;
    if (folder !== this.#folder) await removeFolder(this.#fs, folder);
  }

  async restore({ meta }: Snapshot): Promise<void> {
    await this.#flushing;
    const before = this.#folder;
    this.#folder = `${this.#directory}/store-${meta.index}`;
    this.#manifest = await readManifest(this.#fs, this.#folder);
    if (this.#manifest.index !== meta.index) throw new Error(`no files are here for snapshot ${meta.index}`);
    await this.#load();
    if (before !== this.#folder) await removeFolder(this.#fs, before);
  }

  async #load(): Promise<void> {
    this.#rows = new Map();
    this.#unflushed = new Map();
    this.#appliedIndex = this.#manifest.index;
    this.#appliedTerm = this.#manifest.term;
    for (const { name } of this.#manifest.tables) {
      const rows = JSON.parse(decodeUtf8(await this.#fs.readFile(`${this.#folder}/${name}`))) as [string, string][];
      for (const [key, value] of rows) this.#rows.set(key, value);
    }
  }

  /** @returns What is in tables then: everything that was applied before the call, and nothing else. */
  #flush(): Promise<Manifest> {
    const rows = this.#unflushed;
    const point = { index: this.#appliedIndex, term: this.#appliedTerm };
    this.#unflushed = new Map();
    const done = this.#flushing.then(() => this.#write(rows, point));
    this.#flushing = done.then(() => undefined);
    return done;
  }

  async #write(rows: ReadonlyMap<string, string>, { index, term }: Omit<Manifest, 'tables'>): Promise<Manifest> {
    if (index === this.#manifest.index) return this.#manifest;
    const tables = [...this.#manifest.tables];
    if (rows.size > 0) {
      const bytes = encodeUtf8(JSON.stringify([...rows]));
      const name = `${String(index).padStart(12, '0')}.table`;
      await publishFile(this.#fs, this.#folder, name, bytes);
      tables.push({ name, bytes: bytes.length, crc: crc32c(bytes) });
    }
    const manifest = { index, term, tables };
    await publishFile(this.#fs, this.#folder, MANIFEST, encodeManifest(manifest));
    this.#manifest = manifest;
    return manifest;
  }

  async #linkAll(from: string, to: string, files: readonly SnapshotFile[]): Promise<void> {
    await removeFolder(this.#fs, to);
    await this.#fs.makeDirectory(to);
    for (const { name } of files) await this.#fs.link(`${from}/${name}`, `${to}/${name}`);
    await this.#fs.syncDirectory(to);
  }
}

async function readManifest(fs: FileSystem, folder: string): Promise<Manifest> {
  if ((await fs.stat(`${folder}/${MANIFEST}`)) === undefined) return EMPTY;
  return JSON.parse(decodeUtf8(await fs.readFile(`${folder}/${MANIFEST}`))) as Manifest;
}

function encodeManifest(manifest: Manifest): Uint8Array {
  return encodeUtf8(JSON.stringify(manifest));
}

async function removeFolder(fs: FileSystem, folder: string): Promise<void> {
  if ((await fs.stat(folder)) === undefined) return;
  for (const { name } of await fs.readDirectory(folder)) await fs.unlink(`${folder}/${name}`);
  await fs.removeDirectory(folder);
}
