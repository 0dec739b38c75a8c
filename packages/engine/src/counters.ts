/** Running totals behind `Engine.stats()`. Times are microseconds of the injected clock. */

import type { Clock } from '@kayadb/codec';

/** Count, total and largest of one kind of timed work. */
export class Timing {
  count = 0;
  totalUs = 0;
  maxUs = 0;

  record(durationUs: number): void {
    this.count++;
    this.totalUs += durationUs;
    if (durationUs > this.maxUs) this.maxUs = durationUs;
  }
}

export class Counters {
  readonly #clock: Clock;
  puts = 0;
  deletes = 0;
  compactionBytesRead = 0;
  compactionBytesWritten = 0;
  /** Bytes that writes were slowed for, and for how long. */
  slowedBytes = 0;
  slowedTotalUs = 0;
  readonly gets: Timing = new Timing();
  /** Gets that had to wait for the disk; they are among `gets`, which are only counted. */
  readonly coldGets: Timing = new Timing();
  readonly scans: Timing = new Timing();
  readonly walSyncs: Timing = new Timing();
  readonly flushes: Timing = new Timing();
  readonly compactions: Timing = new Timing();
  readonly stalls: Timing = new Timing();
  readonly scrubs: Timing = new Timing();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts a measurement; the returned function ends it, records it and gives its length in microseconds. */
  start(timing: Timing): () => number {
    const startMs = this.#clock.now();
    return () => {
      const durationUs = Math.max(0, Math.round((this.#clock.now() - startMs) * 1000));
      timing.record(durationUs);
      return durationUs;
    };
  }
}
