/**
 * What a leader does about a disk that is nearly full: it refuses puts, so it has the next one lead, which may have room. Whether that one has is known to it alone, and if not it
 * does the same. docs/decisions/20261123-nearly-full-disk-of-a-leader.md
 *
 * Invariant: a node hands over at once when it leads without room, and then no sooner than a pause later, which doubles each time up to `MAX_PAUSE_MS` and is short again after its disk had room. So where all
 * disks are nearly full, leadership goes round once and stays, and comes by again ever more seldom.
 */

import type { Clock } from '@kayadb/codec';
import type { DiskState } from '@kayadb/engine';

export interface RoomWatchdogOptions {
  readonly clock: Clock;
  /** Undefined while there is no store. */
  readonly diskState: () => DiskState | undefined;
  /** Whether this node leads, and another one could. */
  readonly leadsOthers: () => boolean;
  /** Must not throw. */
  readonly handOver: (state: DiskState) => void;
}

const FIRST_PAUSE_MS = 60_000;
export const MAX_PAUSE_MS = 3_600_000;

export class RoomWatchdog {
  readonly #options: RoomWatchdogOptions;
  #lastMs = -Infinity;
  /** Since the disk last had room. */
  #count = 0;

  constructor(options: RoomWatchdogOptions) {
    this.#options = options;
  }

  /** To be called a few times a second. */
  tick(): void {
    const { clock, diskState, leadsOthers, handOver } = this.#options;
    const state = diskState();
    if (state !== 'low' && state !== 'full') {
      this.#count = 0;
      return;
    }
    const now = clock.now();
    if (now < this.#lastMs + pauseMsAfter(this.#count) || !leadsOthers()) return;
    this.#lastMs = now;
    this.#count++;
    handOver(state);
  }
}

function pauseMsAfter(count: number): number {
  return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, count - 1));
}
