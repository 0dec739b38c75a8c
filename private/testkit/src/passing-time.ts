/** Time of a test that goes on, on a `VirtualClock`: until something is so, for as long as some work takes, or by itself. */

import type { VirtualClock } from './virtual-clock.ts';

const STEP_MS = 10;

/** Moves time on until `isReached`. @throws Error with `what` when it is not, after so much of it. */
export async function advanceUntil(
  clock: VirtualClock,
  what: string,
  isReached: () => boolean,
  limitMs = 30_000,
): Promise<void> {
  for (let ms = 0; ms < limitMs; ms += STEP_MS) {
    if (isReached()) return;
    await clock.advanceAsync(STEP_MS);
  }
  throw new Error(`not within ${limitMs} ms: ${what}`);
}

/** What comes of `work`, while time goes on. */
export async function advanceWhile<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let isSettled = false;
  const done = work.finally(() => {
    isSettled = true;
  });
  done.catch(() => undefined);
  await advanceUntil(clock, 'a promise settles', () => isSettled);
  return done;
}

/** Time that goes on by itself, a millisecond in each turn of the event loop, until it is disposed of. */
export class FlowingTime implements Disposable {
  readonly #clock: VirtualClock;
  #isOver = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    void this.#flow();
  }

  /** Waits until `isReached`. @throws Error with `what` when it is not, after so much of it. */
  async until(what: string, isReached: () => boolean, limitMs = 60_000): Promise<void> {
    const end = this.#clock.now() + limitMs;
    while (!isReached()) {
      if (this.#clock.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
      await new Promise(setImmediate);
    }
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
  }

  async #flow(): Promise<void> {
    while (!this.#isOver) await this.#clock.advanceAsync(1);
  }
}
