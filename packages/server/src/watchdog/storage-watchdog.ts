/**
 * What is done about a sync that does not end: told, then leadership is handed over, then the node is given up, since nobody who waits for a disk that is gone can be helped by waiting.
 *
 * Invariant: each of these once for a stall, which begins with `warnMs` and ends when no sync is that old. Time in which the process itself stood still
 * (stopped, swapped out, in a machine that was suspended) is not the disk's: it does not count.
 *
 * `RaftNode` goes silent by itself when a leader's oldest write is older than `storageStallTicks`, so that the others elect somebody. That is for when handing over, which takes no election timeout,
 * comes to nothing: it should be no sooner than `handOverMs`. A silent leader still hands over.
 */

import type { Clock } from '@kayadb/codec';

import type { StorageView } from '../node-view.ts';
import { StorageStallError } from './storage-stall-error.ts';

export interface StorageThresholds {
  readonly warnMs: number;
  readonly handOverMs: number;
  readonly giveUpMs: number;
}

export const DEFAULT_STORAGE_THRESHOLDS: StorageThresholds = { warnMs: 500, handOverMs: 2_000, giveUpMs: 30_000 };

/** None of them may throw. All times are those of the oldest sync. */
export interface StorageStallEvents {
  warn(ms: number): void;
  handOver(ms: number): void;
  /** The node has to end. */
  giveUp(error: StorageStallError): void;
  /** @param ms - How long the stall was seen to last. Does not come after `giveUp`. */
  recovered(ms: number): void;
}

export interface StorageWatchdogOptions {
  readonly storage: Pick<StorageView, 'oldestSyncMs'>;
  readonly clock: Clock;
  readonly events: StorageStallEvents;
  /** Ascending. */
  readonly thresholds?: Partial<StorageThresholds> | undefined;
}

/** Between two ticks no more than this counts. */
const MAX_TICK_MS = 1_000;

/** Times are fractions, and differences of differences. Syncs that began so close to each other were under way through the same pauses. */
const ROUNDING_MS = 1;

type Stage = 'calm' | 'warned' | 'handed-over' | 'given-up';

export class StorageWatchdog {
  readonly #storage: Pick<StorageView, 'oldestSyncMs'>;
  readonly #clock: Clock;
  readonly #events: StorageStallEvents;
  readonly #thresholds: StorageThresholds;
  #stage: Stage = 'calm';
  #lastTickMs: number;
  /** When the oldest sync began, and for how much of the time since then nobody was there to see it end. */
  #since = 0;
  #pausedMs = 0;
  #seenMs = 0;

  /** @throws RangeError for thresholds that do not ascend. */
  constructor({ storage, clock, events, thresholds }: StorageWatchdogOptions) {
    this.#storage = storage;
    this.#clock = clock;
    this.#events = events;
    this.#thresholds = { ...DEFAULT_STORAGE_THRESHOLDS, ...thresholds };
    const { warnMs, handOverMs, giveUpMs } = this.#thresholds;
    if (!(warnMs > 0 && handOverMs > warnMs && giveUpMs > handOverMs)) {
      throw new RangeError(`thresholds of ${warnMs}, ${handOverMs} and ${giveUpMs} ms do not ascend from above 0`);
    }
    this.#lastTickMs = clock.now();
  }

  /** To be called a few times a second. */
  tick(): void {
    const ageMs = this.#measure();
    if (this.#stage === 'given-up') return;
    const { warnMs, handOverMs, giveUpMs } = this.#thresholds;
    if (ageMs < warnMs) {
      this.#recover();
      return;
    }
    this.#seenMs = Math.max(this.#seenMs, ageMs);
    if (this.#stage === 'calm') {
      this.#stage = 'warned';
      this.#events.warn(ageMs);
    }
    if (this.#stage === 'warned' && ageMs >= handOverMs) {
      this.#stage = 'handed-over';
      this.#events.handOver(ageMs);
    }
    if (ageMs >= giveUpMs) {
      this.#stage = 'given-up';
      const message = `the disk has not finished a sync for ${Math.round(ageMs)} ms, the limit is ${giveUpMs}; check the disk, then start the node again`;
      this.#events.giveUp(new StorageStallError('KAYA_STORAGE_STALLED', message));
    }
  }

  #measure(): number {
    const now = this.#clock.now();
    const excessMs = Math.max(0, now - this.#lastTickMs - MAX_TICK_MS);
    this.#lastTickMs = now;
    const ageMs = this.#storage.oldestSyncMs;
    const since = now - ageMs;
    // Another sync than the one before may have begun within the pause, or after it.
    if (ageMs === 0 || Math.abs(since - this.#since) > ROUNDING_MS) this.#pausedMs = 0;
    this.#since = since;
    this.#pausedMs += excessMs;
    return Math.max(0, ageMs - this.#pausedMs);
  }

  #recover(): void {
    if (this.#stage === 'calm') return;
    const ms = this.#seenMs;
    this.#stage = 'calm';
    this.#seenMs = 0;
    this.#events.recovered(ms);
  }
}
