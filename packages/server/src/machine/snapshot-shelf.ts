/**
 * The snapshots of a group on this node: made, adopted, handed out, and removed. Format: docs/format/node.md, "Snapshots".
 *
 * Invariant: a folder goes only when a newer snapshot is durable and nobody is being sent it. Its files never change; tables are second names of those of the
 * store, so a table's CRC is worked out once.
 */

import { DecodeError } from '@kayadb/codec';
import { CorruptionError, type Engine } from '@kayadb/engine';
import type { PinnedSnapshot, Snapshot, SnapshotFile, SnapshotSource } from '@kayadb/raft';
import type { FileSystem } from '@kayadb/vfs';

import { checksumFile } from './file-checksum.ts';
import { listSnapshots, publishLinks, removeFolder, snapshotPath } from './group-folders.ts';
import { MachineError } from './machine-error.ts';
import { PinnedFiles } from './pinned-files.ts';
import { decodeSnapshotData, encodeSnapshotData } from './snapshot-data.ts';

const TABLE = /\.sst$/;

export class SnapshotShelf implements SnapshotSource {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #onWarning: (message: string) => void;
  /** Whose folders are there and complete. */
  readonly #files = new Map<number, readonly SnapshotFile[]>();
  readonly #pinCounts = new Map<number, number>();
  /** Where the files are of a snapshot that has arrived. */
  #arrived: { readonly index: number; readonly directory: string } | undefined;
  #newest = 0;
  #sweeping: Promise<void> = Promise.resolve();

  /** @param directory - Of the group. */
  constructor(fs: FileSystem, directory: string, onWarning: (message: string) => void) {
    this.#fs = fs;
    this.#directory = directory;
    this.#onWarning = onWarning;
  }

  /** Takes stock at a start. All but the folder of `durable`, which is what Raft has, are of no use to anybody. */
  async open(durable: Snapshot | undefined): Promise<void> {
    this.#newest = durable?.meta.index ?? 0;
    for (const index of await listSnapshots(this.#fs, this.#directory)) {
      if (index === durable?.meta.index) this.#files.set(index, filesOf(durable));
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
   */
  async make(engine: Engine, index: number, baseIndex: number): Promise<Uint8Array> {
    const made = this.#files.get(index);
    if (made !== undefined) return encodeSnapshotData(made);
    const folder = snapshotPath(this.#directory, index);
    const { durableIndex } = await engine.checkpoint(folder);
    try {
      if (durableIndex !== index) {
        throw new CorruptionError(folder, 0, `it is a checkpoint of ${durableIndex}, and was to be one of ${index}`);
      }
      const files = await this.#examine(folder, this.#tablesBetween(baseIndex, index));
      this.#files.set(index, files);
      return encodeSnapshotData(files);
    } catch (error) {
      await this.#remove(index);
      throw error;
    }
  }

  /** The files of the snapshot of `index` have arrived in `directory`, durable and verified, and stay there until it is restored or another one arrives. */
  arrived(index: number, directory: string): void {
    this.#arrived = { index, directory };
  }

  /**
   * Sees to it that the folder of `snapshot` is there.
   *
   * Durability: when it resolves.
   *
   * @throws MachineError KAYA_SNAPSHOT_MISSING when nobody has brought its files. @throws CorruptionError
   */
  async adopt(snapshot: Snapshot): Promise<readonly SnapshotFile[]> {
    const { index } = snapshot.meta;
    const files = filesOf(snapshot);
    if (!this.#files.has(index)) {
      if (this.#arrived?.index !== index) throw missing(index);
      const names = files.map(({ name }) => name);
      await publishLinks(this.#fs, this.#arrived.directory, names, snapshotPath(this.#directory, index));
      this.#files.set(index, files);
    }
    this.#arrived = undefined;
    return files;
  }

  /** A snapshot of `index`, or a newer one, is durable: older ones are not needed by those who are not at it. */
  retireBelow(index: number): void {
    if (index <= this.#newest) return;
    this.#newest = index;
    this.#sweep();
  }

  async pin(snapshot: Snapshot): Promise<PinnedSnapshot> {
    const { index } = snapshot.meta;
    const files = this.#files.get(index);
    if (files === undefined) throw missing(index);
    this.#pinCounts.set(index, (this.#pinCounts.get(index) ?? 0) + 1);
    return new PinnedFiles(this.#fs, snapshotPath(this.#directory, index), files, () => this.#unpin(index));
  }

  /** Resolves when nothing is being removed. */
  async idle(): Promise<void> {
    await this.#sweeping;
  }

  #unpin(index: number): void {
    const count = this.#pinCounts.get(index)! - 1;
    if (count > 0) this.#pinCounts.set(index, count);
    else this.#pinCounts.delete(index);
    this.#sweep();
  }

  #sweep(): void {
    this.#sweeping = this.#sweeping.then(() => this.#removeUnneeded());
  }

  async #removeUnneeded(): Promise<void> {
    for (const index of Array.from(this.#files.keys()).toSorted((a, b) => a - b)) {
      if (index < this.#newest && !this.#pinCounts.has(index)) await this.#remove(index);
    }
  }

  /** What can not be removed now is removed at the next start. */
  async #remove(index: number): Promise<void> {
    this.#files.delete(index);
    try {
      await removeFolder(this.#fs, snapshotPath(this.#directory, index));
    } catch (error) {
      this.#onWarning(`the snapshot of ${index} could not be removed: ${String(error)}`);
    }
  }

  /** Tables of the newest snapshot of the same store, by name: it is not from before the store came, nor from a leader that is ahead of it. */
  #tablesBetween(baseIndex: number, index: number): ReadonlyMap<string, SnapshotFile> {
    const indexes = Array.from(this.#files.keys()).filter((each) => each >= baseIndex && each < index);
    const files = indexes.length === 0 ? [] : this.#files.get(Math.max(...indexes))!;
    return new Map(files.filter(({ name }) => TABLE.test(name)).map((file) => [file.name, file]));
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

function missing(index: number): MachineError {
  return new MachineError(
    'KAYA_SNAPSHOT_MISSING',
    `the files of the snapshot of ${index} are not here; remove the node and add it again, with an empty directory`,
  );
}
