/**
 * A clock that moves only when a test says so. It has the shape of codec's `Clock`, so that whatever takes a clock
 * takes this one.
 *
 * Invariant: timers fire in the order of their due times, equal ones in the order they were set, and `now()` inside a
 * callback is exactly its due time.
 */

/** Structurally the `Timer` of `@kayadb/codec`. */
export interface VirtualTimer {
  /** Idempotent; a timer that has fired is unaffected. */
  cancel(): void;
}

interface PendingTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Structurally a `Clock` of `@kayadb/codec`: monotonic milliseconds and one-shot timers. */
export class VirtualClock {
  #nowMs: number;
  #order = 0;
  readonly #pending = new Set<PendingTimer>();

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Calls `callback` once, when the clock has advanced by `delayMs`; a negative delay counts as 0. */
  setTimer(delayMs: number, callback: () => void): VirtualTimer {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#pending.add(timer);
    return { cancel: () => void this.#pending.delete(timer) };
  }

  /** How many timers are waiting; a test of a `close()` expects 0. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Due time of the next timer, `undefined` when none waits. */
  get nextDueMs(): number | undefined {
    return this.#earliest()?.dueMs;
  }

  /**
   * Moves time on by `ms`, firing what falls due on the way, also timers that callbacks set meanwhile.
   * Promises that callbacks settle are not waited for; see `advanceAsync`.
   */
  advance(ms: number): void {
    const end = this.#endOf(ms);
    for (let timer = this.#dueBy(end); timer !== undefined; timer = this.#dueBy(end)) this.#fire(timer);
    this.#nowMs = end;
  }

  /**
   * Like `advance`, but lets promise chains run before, after each timer, and at the end. What they start (another
   * timer, say) takes part if it is due in time.
   */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#endOf(ms);
    await settle();
    for (let timer = this.#dueBy(end); timer !== undefined; timer = this.#dueBy(end)) {
      this.#fire(timer);
      await settle();
    }
    this.#nowMs = end;
    await settle();
  }

  #fire(timer: PendingTimer): void {
    this.#pending.delete(timer);
    this.#nowMs = timer.dueMs;
    timer.callback();
  }

  #endOf(ms: number): number {
    if (!(ms >= 0)) throw new RangeError(`time moves forward only, got ${ms} ms`);
    return this.#nowMs + ms;
  }

  #dueBy(endMs: number): PendingTimer | undefined {
    const timer = this.#earliest();
    return timer !== undefined && timer.dueMs <= endMs ? timer : undefined;
  }

  #earliest(): PendingTimer | undefined {
    let earliest: PendingTimer | undefined;
    for (const timer of this.#pending) {
      if (earliest === undefined || timer.dueMs < earliest.dueMs) earliest = timer;
      else if (timer.dueMs === earliest.dueMs && timer.order < earliest.order) earliest = timer;
    }
    return earliest;
  }
}

/**
 * Resolves when every promise reaction that was ready, and every one those made ready, has run. One turn of the event
 * loop does that: the microtask queue is emptied before it ends.
 */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
