/**
 * Ends connections that begin a frame and do not finish it. It runs only while the node reads from the connection,
 * so a client is never punished for the node's own back-pressure. One timer at most, however many chunks come.
 */

import type { Clock, Timer } from '@kayadb/codec';

export class FrameDeadline {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #onExpired: () => void;
  #since: number | undefined;
  #timer: Timer | undefined;

  /** @param limitMs - 0 is no limit. */
  constructor(clock: Clock, limitMs: number, onExpired: () => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#onExpired = onExpired;
  }

  /** A frame is being read. `isNew`: it is another one than at the last call. */
  start(isNew: boolean): void {
    if (this.#limitMs === 0) return;
    if (isNew || this.#since === undefined) this.#since = this.#clock.now();
    if (this.#timer === undefined) this.#arm(this.#limitMs);
  }

  stop(): void {
    this.#since = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      if (this.#since === undefined) return;
      const leftMs = this.#since + this.#limitMs - this.#clock.now();
      if (leftMs > 0) this.#arm(leftMs);
      else this.#onExpired();
    });
  }
}
