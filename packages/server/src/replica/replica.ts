/**
 * A member of the group, as the front doors see it: so little that a test can stand in for it. Operations check who may do what and hand on to here.
 *
 * Invariant: `get`, `getMany` and `scan` see what this node has applied; `read` is around them, for as fresh as the reader needs it.
 */

import type { Freshness, PageRow, Row2, RowRange, Write, WriteAnswer } from '@kayadb/codec';

export interface SessionGrant {
  /** Names the session in each of its writes. */
  readonly session: number;
  readonly expiryMs: number;
}

export interface RowScanOptions {
  readonly range: RowRange;
  readonly isDescending: boolean;
  readonly isWithoutValues: boolean;
  /** 0: none. */
  readonly limit: number;
}

/** One for each key, in their order; or just that their values have more bytes than were asked for. */
export type ManyRows = readonly (Row2 | undefined)[] | 'too-large';

/** Rows of one state, pulled in batches. Leaving it early, `close` is due. */
export interface RowScan {
  /** Whose state it shows. */
  readonly revision: number;
  /**
   * @returns Rows until they have `maxBytes`, by keys and values, or are `maxRows`; at least one unless the scan is at its end. `isLast` may be false in front of an empty batch.
   */
  next(maxBytes: number, maxRows: number): Promise<{ readonly rows: readonly PageRow[]; readonly isLast: boolean }>;
  close(): Promise<void>;
}

export interface Replica {
  readonly nodeId: number;
  /**
   * Proposes a write. Keeps its bytes, which must not change any more.
   *
   * Durability: of a majority of the voters, when it resolves.
   *
   * @throws ServerError KAYA_NOT_LEADER (with the leader's address), KAYA_SESSION_EXPIRED, KAYA_STALE_SERIAL, KAYA_DISK_FULL, KAYA_OVERLOADED: not done.
   * @throws ServerError KAYA_UNKNOWN_OUTCOME: it may have been done, or may yet be.
   */
  write(write: Write, signal?: AbortSignal): Promise<WriteAnswer>;
  /** @param expiryMs - 0: the default. @throws As `write`. */
  openSession(expiryMs: number): Promise<SessionGrant>;
  /** @throws As `write`. */
  touchSession(session: number): Promise<void>;
  /** Closing one that is not there succeeds. @throws As `write`. */
  closeSession(session: number): Promise<void>;
  /**
   * Runs `task` on a state that is as fresh as asked; again, when what vouched for that has lapsed meanwhile.
   *
   * @throws ServerError KAYA_NOT_LEADER for a lease elsewhere than at the leader; KAYA_NO_QUORUM when nobody answers in time; KAYA_REMOVED.
   */
  read<T>(freshness: Freshness, task: () => Promise<T>): Promise<T>;
  get(key: Uint8Array): Promise<Row2 | undefined>;
  /** In the order of `keys`, all of one state. Bound: `maxBytes` of values and a few values more are held. */
  getMany(keys: readonly Uint8Array[], maxBytes: number): Promise<ManyRows>;
  scan(options: RowScanOptions): RowScan;
}
