/**
 * The snapshots of a group on this node: made, adopted, handed out, and removed. Format: docs/format/node.md, "Snapshots".
 *
 * Invariant: the folder of a snapshot that is in Raft's storage goes only when a newer one is there and nobody is being sent it. Its files never change; tables are
 * second names of those of the store, so a table's CRC is worked out once.
 */

import { DecodeError } from '@kayadb/codec';
import { CorruptionError, type Engine } from '@kayadb/engine';
import type { PinnedSnapshot, Snapshot, SnapshotFile, SnapshotSource, SnapshotTarget } from '@kayadb/raft';
import { type FileSystem, FileSystemError } from '@kayadb/vfs';

import { checksumFile } from './file-checksum.ts';
import { listSnapshots, publishLinks, removeFolder, snapshotPath } from './group-folders.ts';
import { MachineError } from './machine-error.ts';
import { PinnedFiles } from './pinned-files.ts';
import { decodeSnapshotData, encodeSnapshotData } from './snapshot-data.ts';

const TABLE = /\.sst$/;
/** Bound: what it takes to open a store of links, which is its list of tables and little else. */
const ROOM_BYTES = 8 * 1024 * 1024;

interface Shelved {
  readonly files: readonly SnapshotFile[];
  /** A leader's, that has not become this node's store: its tables are others, whatever they are called. */
  readonly isForeign: boolean;
}

export class SnapshotShelf implements SnapshotSource, SnapshotTarget {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #onWarning: (message: string) => void;
  /** By index: what is there, whole, or is just getting its name. */
  readonly #shelved = new Map<number, Shelved>();
  readonly #pinCounts = new Map<number, number>();
  /** Snapshots that Raft's storage needs. */
  #inUse: ReadonlySet<number> = new Set();
  #newest = 0;
  #making: number | undefined;
  /** Folders are made of links, and removed, one after the other. */
  #turn: Promise<void> = Promise.resolve();

  /** @param directory - Of the group. */
  constructor(fs: FileSystem, directory: string, onWarning: (message: string) => void) {
    this.#fs = fs;
    this.#directory = directory;
    this.#onWarning = onWarning;
  }

  /** Takes stock at a start. All but the folder of `durable`, which is what Raft has, are of no use to anybody. */
  async open(durable: Snapshot | undefined): Promise<void> {
    this.#setInUse(durable === undefined ? [] : [durable.meta.index]);
    for (const index of await listSnapshots(this.#fs, this.#directory)) {
      if (index === durable?.meta.index) this.#shelved.set(index, { files: filesOf(durable), isForeign: false });
      else await removeFolder(this.#fs, snapshotPath(this.#directory, index));
    }
  }

  /**
   * Makes a snapshot of what `engine` has within the call.
   *
   * Durability: when it resolves.
   *
   * @param index - What the engine stands for.
   * @param baseIndex - That of the snapshot with which the store came: tables of snapshots before are others, whatever they are called.
   * @returns The snapshot's data.
   * @throws MachineError KAYA_SNAPSHOT_REFUSED while a leader's of that index is about to be abandoned.
   */
  async make(engine: Engine, index: number, baseIndex: number): Promise<Uint8Array> {
    const made = this.#shelved.get(index);
    if (made?.isForeign === true) {
      const what = `a leader's snapshot of ${index} has arrived and is not needed`;
      throw new MachineError('KAYA_SNAPSHOT_REFUSED', `${what}; the node makes one of its own when that is gone`);
    }
    if (made !== undefined) return encodeSnapshotData(made.files);
    this.#making = index;
    try {
      return encodeSnapshotData(await this.#checkpoint(engine, index, baseIndex));
    } finally {
      this.#making = undefined;
    }
  }

  /**
   * As `SnapshotTarget.adopt`. What this node has made itself for the same index stays in its place.
   *
   * Durability: of the snapshot's folder, when it resolves.
   *
   * @throws MachineError KAYA_SNAPSHOT_REFUSED when the files are not those that the snapshot names; FileSystemError, KAYA_DISK_FULL where there would be too little room for going on.
   */
  async adopt(snapshot: Snapshot, directory: string, files: readonly SnapshotFile[]): Promise<void> {
    const { index } = snapshot.meta;
    if (!areSame(promisedBy(snapshot), files)) throw notAsPromised(index);
    await this.#checkRoom();
    await this.#inTurn(() => this.#link(index, directory, files));
  }

  /** As `SnapshotTarget.abandon`. Does not fail: what can not be removed now is removed at the next start. */
  async abandon({ meta: { index } }: Snapshot): Promise<void> {
    await this.#inTurn(async () => {
      const isForeign = this.#shelved.get(index)?.isForeign === true;
      if (isForeign && !this.#inUse.has(index) && !this.#pinCounts.has(index)) await this.#remove(index);
    });
  }

  /**
   * What the folder of `snapshot` holds.
   *
   * @throws MachineError KAYA_SNAPSHOT_MISSING when it is not there. @throws CorruptionError
   */
  find(snapshot: Snapshot): readonly SnapshotFile[] {
    const files = filesOf(snapshot);
    const found = this.#shelved.get(snapshot.meta.index)?.files;
    if (found === undefined || !areSame(found, files)) throw missing(snapshot.meta.index);
    return files;
  }

  /** `snapshot` is in Raft's storage, and the node's store was made from it. */
  restored(snapshot: Snapshot): void {
    const { index } = snapshot.meta;
    this.#shelved.set(index, { files: filesOf(snapshot), isForeign: false });
    this.retire([snapshot]);
  }

  /** Others than `inUse`, which are those that Raft's storage needs, and older than all of them are removed when nobody is being sent them. */
  retire(inUse: readonly Snapshot[]): void {
    const indexes = inUse.map(({ meta }) => meta.index);
    if (Math.max(0, ...indexes) < this.#newest) return;
    this.#setInUse(indexes);
    this.#sweep();
  }

  async pin(snapshot: Snapshot): Promise<PinnedSnapshot> {
    const { index } = snapshot.meta;
    const files = this.find(snapshot);
    this.#pinCounts.set(index, (this.#pinCounts.get(index) ?? 0) + 1);
    return new PinnedFiles(this.#fs, snapshotPath(this.#directory, index), files, () => this.#unpin(index));
  }

  /** What a member is sent that is given the newest snapshot of this node's; 0 as long as there is none. */
  get newestBytes(): number {
    const own = [...this.#shelved].filter(([, { isForeign }]) => !isForeign).toSorted(([a], [b]) => b - a);
    return (own[0]?.[1].files ?? []).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Resolves when nothing is being linked or removed. */
  async idle(): Promise<void> {
    await this.#turn;
  }

  #setInUse(indexes: readonly number[]): void {
    this.#inUse = new Set(indexes);
    this.#newest = Math.max(0, ...indexes);
  }

  #unpin(index: number): void {
    const count = this.#pinCounts.get(index)! - 1;
    if (count > 0) this.#pinCounts.set(index, count);
    else this.#pinCounts.delete(index);
    this.#sweep();
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(task);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  #sweep(): void {
    void this.#inTurn(() => this.#removeUnneeded());
  }

  async #removeUnneeded(): Promise<void> {
    for (const index of Array.from(this.#shelved.keys()).toSorted((a, b) => a - b)) {
      const isNeeded = index >= this.#newest || this.#inUse.has(index) || this.#pinCounts.has(index);
      if (!isNeeded) await this.#remove(index);
    }
  }

  /** What can not be removed now is removed at the next start. */
  async #remove(index: number): Promise<void> {
    this.#shelved.delete(index);
    try {
      await removeFolder(this.#fs, snapshotPath(this.#directory, index));
    } catch (error) {
      this.#onWarning(`the snapshot of ${index} could not be removed: ${String(error)}`);
    }
  }

  async #checkRoom(): Promise<void> {
    const { availableBytes } = await this.#fs.diskSpace(this.#directory);
    if (availableBytes >= ROOM_BYTES) return;
    const detail = `${availableBytes} bytes are left, and a store that is replaced needs ${ROOM_BYTES}`;
    throw new FileSystemError('ENOSPC', 'adopt', this.#directory, { detail });
  }

  async #link(index: number, directory: string, files: readonly SnapshotFile[]): Promise<void> {
    const found = this.#shelved.get(index);
    if (this.#making === index || (found !== undefined && !found.isForeign)) return;
    const folder = snapshotPath(this.#directory, index);
    this.#shelved.set(index, { files, isForeign: true });
    try {
      // An attempt before may have left something whose name is not durable.
      await removeFolder(this.#fs, folder);
      const names = files.map(({ name }) => name);
      await publishLinks(this.#fs, directory, names, folder);
    } catch (error) {
      await this.#remove(index);
      throw error;
    }
  }

  async #checkpoint(engine: Engine, index: number, baseIndex: number): Promise<readonly SnapshotFile[]> {
    const folder = snapshotPath(this.#directory, index);
    const { durableIndex } = await engine.checkpoint(folder);
    try {
      if (durableIndex !== index) {
        throw new CorruptionError(folder, 0, `it is a checkpoint of ${durableIndex}, and was to be one of ${index}`);
      }
      const files = await this.#examine(folder, this.#tablesBetween(baseIndex, index));
      this.#shelved.set(index, { files, isForeign: false });
      return files;
    } catch (error) {
      await this.#remove(index);
      throw error;
    }
  }

  /** Tables of the newest snapshot of the same store, by name: it is not from before the store came, and not a leader's. */
  #tablesBetween(baseIndex: number, index: number): ReadonlyMap<string, SnapshotFile> {
    let newest: readonly SnapshotFile[] = [];
    for (const other of Array.from(this.#shelved.keys()).toSorted((a, b) => a - b)) {
      const { files, isForeign } = this.#shelved.get(other)!;
      if (other >= baseIndex && other < index && !isForeign) newest = files;
    }
    return new Map(newest.filter(({ name }) => TABLE.test(name)).map((file) => [file.name, file]));
  }

  async #examine(folder: string, known: ReadonlyMap<string, SnapshotFile>): Promise<readonly SnapshotFile[]> {
    const files: SnapshotFile[] = [];
    for (const { name } of await this.#fs.readDirectory(folder)) {
      const path = `${folder}/${name}`;
      const before = known.get(name);
      const isKnown = before !== undefined && (await this.#fs.stat(path))?.bytes === before.bytes;
      files.push(isKnown ? before : { name, ...(await checksumFile(this.#fs, path)) });
    }
    return files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
}

/** Of a snapshot that Raft's storage has. @throws CorruptionError */
function filesOf({ meta, data }: Snapshot): readonly SnapshotFile[] {
  try {
    return decodeSnapshotData(data);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new CorruptionError('raft-snapshot.bin', 0, `the data of the snapshot of ${meta.index}: ${error.message}`, {
      cause: error,
    });
  }
}

/** Of a snapshot that somebody sends. */
function promisedBy({ meta, data }: Snapshot): readonly SnapshotFile[] {
  try {
    return decodeSnapshotData(data);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw notAsPromised(meta.index, error);
  }
}

function areSame(a: readonly SnapshotFile[], b: readonly SnapshotFile[]): boolean {
  const isSame = (file: SnapshotFile, i: number): boolean =>
    file.name === b[i]!.name && file.bytes === b[i]!.bytes && file.crc === b[i]!.crc;
  return a.length === b.length && a.every(isSame);
}

function notAsPromised(index: number, cause?: unknown): MachineError {
  const message = `the files that have come for the snapshot of ${index} are not those that it names; the leader sends it again`;
  return new MachineError('KAYA_SNAPSHOT_REFUSED', message, { cause });
}

function missing(index: number): MachineError {
  return new MachineError(
    'KAYA_SNAPSHOT_MISSING',
    `the files of the snapshot of ${index} are not here; remove the node and add it again, with an empty directory`,
  );
}
