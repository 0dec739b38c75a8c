/** The durable half of a node: log, term and vote, snapshot. Two implementations, one contract suite (testing/storage-contract.ts). */

import type { LogStorage } from '../core/log-storage.ts';
import type { Entry, HardState, LogIndex, Snapshot } from '../core/types.ts';

/** One unit of work for the append thread: all of it is durable, or the promise has failed. */
export interface StorageBatch {
  /** Take the place of everything from the first of them on. Without a gap behind the log, or behind `snapshot`. */
  readonly entries: readonly Entry[];
  readonly hardState: HardState | undefined;
  /** Takes the place of the whole log up to its index, and of all of it where the log does not have the snapshot's last entry. */
  readonly snapshot: Snapshot | undefined;
}

/**
 * Reads see a batch as soon as `write` was called. Writes become durable in the order of the calls.
 *
 * Durability: of a batch, when its promise resolves. After power loss the log is what some prefix of the batches made of it, and a later batch is
 * never there without those before it. After a failure with an unknown outcome every later write fails with the same error.
 */
export interface RaftStorage extends LogStorage {
  /**
   * Several may be in flight; they share syncs.
   *
   * @throws FileSystemError KAYA_DISK_FULL when there was no room and nothing of the batch or of any later one happened: it may be tried again. Its term,
   * vote and snapshot may be durable all the same, and are not taken back.
   * Any other failure is final.
   */
  write(batch: StorageBatch): Promise<void>;
  /**
   * A snapshot that this node made of its own state; it takes the place of the one before. The log stays: see `compact`.
   *
   * Durability: when it resolves. Requires: the entry at its index is durable; what was handed in before is waited for.
   * @throws RangeError for data over `MAX_SNAPSHOT_DATA_BYTES`. FileSystemError KAYA_DISK_FULL when there was no room. Then the one before stays.
   */
  saveSnapshot(snapshot: Snapshot): Promise<void>;
  /**
   * Lets go of entries up to `index`. Requires: a durable snapshot stands for them. Room is given back by whole segments, so entries
   * below `firstIndex` may stay on disk.
   */
  compact(index: LogIndex): Promise<void>;
  /** Waits for writes in flight. Idempotent. */
  close(): Promise<void>;
}
