/** The snapshot's file: published whole, one after the other, never an older in the place of a newer. Format: docs/format/raft-snapshot.md. */

import { type FileSystem, isDiskFull, isNotFound, publishFile } from '@kayadb/vfs';

import type { Snapshot } from '../core/types.ts';
import { poisoned } from './disk-outcome.ts';
import { SNAPSHOT_FILE_NAME } from './file-names.ts';
import type { RaftIdentity } from './raft-identity.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot-format.ts';

export class SnapshotStore {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #identity: RaftIdentity;
  #durable: Snapshot | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(fs: FileSystem, directory: string, identity: RaftIdentity) {
    this.#fs = fs;
    this.#directory = directory;
    this.#identity = identity;
  }

  /** What is on disk for certain. */
  get durable(): Snapshot | undefined {
    return this.#durable;
  }

  /**
   * Reads what an earlier process has left. It may never have reached the disk: see `save`.
   *
   * @throws RaftCorruptionError when it does not verify. @throws RaftError KAYA_RAFT_FOREIGN, KAYA_RAFT_UNSUPPORTED. @throws FileSystemError
   */
  async read(): Promise<Snapshot | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#fs.readFile(`${this.#directory}/${SNAPSHOT_FILE_NAME}`);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    return decodeSnapshot(bytes, this.#identity);
  }

  /**
   * Puts `snapshot` in the place of the one that is there, unless that is newer.
   *
   * Durability: when it resolves.
   * @throws FileSystemError KAYA_DISK_FULL when there is no room, and the one before is still there.
   * @throws RaftError KAYA_RAFT_POISONED when something else failed.
   */
  save(snapshot: Snapshot): Promise<void> {
    const mine = this.#last.then(() => this.#replace(snapshot));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #replace(snapshot: Snapshot): Promise<void> {
    if (this.#durable !== undefined && this.#durable.meta.index > snapshot.meta.index) return;
    await this.#publish(encodeSnapshot(snapshot, this.#identity));
    this.#durable = snapshot;
  }

  async #publish(bytes: Uint8Array): Promise<void> {
    try {
      await publishFile(this.#fs, this.#directory, SNAPSHOT_FILE_NAME, bytes);
    } catch (error) {
      if (isDiskFull(error)) throw error;
      throw poisoned(`publishing ${SNAPSHOT_FILE_NAME}`, error);
    }
  }
}
