/**
 * What the write path needs of a log, whoever's it is: the engine's own (wal-writer.ts) or the embedder's (external-log.ts).
 * The contracts of the engine's own stand here; the external log keeps them by doing nothing.
 */

import type { FileNumber, SequenceNumber } from '../key/internal-key.ts';

export interface CommitGroup {
  readonly firstSequence: SequenceNumber;
  /** Operations in `payloads`, at least 1. */
  readonly count: number;
  /** Encoded operations, in order; the bytes of one WriteBatch each. Neither the array nor its elements are kept. */
  readonly payloads: readonly Uint8Array[];
}

export interface WriteLog {
  /** The segment that takes the next group; 0 when the log is not the engine's own. */
  readonly fileNumber: FileNumber;
  /** LSN behind the last group. */
  readonly endLsn: number;
  /** Every byte of the log below it survives power loss. */
  readonly durableLsn: number;

  /**
   * Appends one commit group as one record, within the caller's turn, and returns the LSN behind it:
   * the group is durable once `durableLsn` has reached it.
   *
   * Requires: `firstSequence` follows the group before; no `rotate()` in flight. Bound: `MAX_RECORD_PAYLOAD_BYTES`.
   * @throws FileSystemError KAYA_DISK_FULL when there is no room: the group is undone and the log stays usable. Any
   * other failure is final, and every later `append` and `sync` throws the same.
   */
  append(group: CommitGroup): number;

  /**
   * Makes every group appended before the call durable: segments left behind first, then the current one.
   * Calls while one is in flight wait for it and then sync what is left.
   *
   * @throws FileSystemError when a sync or a write before it failed; final.
   */
  sync(): Promise<void>;

  /**
   * Creates the next segment's file ahead of need, so that `rotate()` only has to fill in its header: where the
   * segment starts is not known earlier. Optional. Does nothing when the file is there already.
   *
   * @throws FileSystemError. One that `isUndone` may be tried again; any other is final, since a segment whose
   * creation has an unknown outcome must not be followed by another.
   */
  prepare(): Promise<void>;

  /**
   * Goes on in a new segment. The one left behind need not be synced: `sync()` sees to it.
   *
   * Requires: no `append` until it settles.
   * @returns The new segment's number.
   * @throws FileSystemError as `prepare`. The current segment stays what it was.
   */
  rotate(): Promise<FileNumber>;

  /**
   * Closes segments left behind, unsynced, once tables hold their groups: a log that nobody syncs would keep them all open,
   * and their space on disk with them. Waits for a sync in flight.
   *
   * Requires: the manifest says, durably, that `oldestNeeded` is the oldest segment still needed.
   */
  release(oldestNeeded: FileNumber): Promise<void>;

  /** Closes every file, without syncing. Idempotent. Waits for a sync in flight. */
  close(): Promise<void>;
}
