/**
 * Decides when background work has settled, from samples of what the process does; pure. The same rule for every engine and
 * without asking any: nothing is written, no thread waits for a disk, and next to no processor time is used, for a while.
 */

export interface ActivitySample {
  readonly atMs: number;
  /** Processor time of all threads so far. */
  readonly cpuMs: number;
  /** Bytes written so far. */
  readonly writtenBytes: number;
  /** Whether a thread other than the sampling one is at work. */
  readonly busyThread: boolean;
}

/** More than sampling costs, and far less than a merge. */
const QUIET_CPU_SHARE = 0.2;

export class QuietDetector {
  readonly #quietMs: number;
  #last: ActivitySample;
  #busyUntilMs: number;

  /** @param quietMs - How long nothing must have happened. */
  constructor(quietMs: number, first: ActivitySample) {
    this.#quietMs = quietMs;
    this.#last = first;
    this.#busyUntilMs = first.atMs;
  }

  /** @returns When background work ended, once that is certain. */
  add(sample: ActivitySample): number | undefined {
    const elapsedMs = sample.atMs - this.#last.atMs;
    const busy =
      sample.busyThread ||
      sample.writtenBytes !== this.#last.writtenBytes ||
      sample.cpuMs - this.#last.cpuMs > elapsedMs * QUIET_CPU_SHARE;
    if (busy) this.#busyUntilMs = sample.atMs;
    this.#last = sample;
    return sample.atMs - this.#busyUntilMs >= this.#quietMs ? this.#busyUntilMs : undefined;
  }
}
