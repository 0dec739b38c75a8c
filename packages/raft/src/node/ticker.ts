/**
 * The beat of a node: one tick per `tickMs`, by the injected clock.
 *
 * Invariant: ticks that were missed, since the event loop was held up, are not made up for: a burst of them would be an election that nobody needs, before
 * the messages that waited meanwhile were read.
 */

import type { Clock, Timer } from '@kayadb/codec';

export interface TickerHost {
  tick(): void;
  /** A tick came so late that others were missed. */
  onMissed(lateMs: number): void;
}

export class Ticker {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #host: TickerHost;
  #timer: Timer | undefined;
  #dueMs = 0;

  constructor(clock: Clock, tickMs: number, host: TickerHost) {
    this.#clock = clock;
    this.#tickMs = tickMs;
    this.#host = host;
  }

  start(): void {
    this.#schedule(this.#clock.now() + this.#tickMs);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #schedule(dueMs: number): void {
    this.#dueMs = dueMs;
    this.#timer = this.#clock.setTimer(dueMs - this.#clock.now(), () => this.#fire());
  }

  #fire(): void {
    const lateMs = this.#clock.now() - this.#dueMs;
    const hasMissed = lateMs >= this.#tickMs;
    // Late by less than a tick, the next one comes at its time, so that the rate holds.
    this.#schedule(hasMissed ? this.#clock.now() + this.#tickMs : this.#dueMs + this.#tickMs);
    if (hasMissed) this.#host.onMissed(lateMs);
    this.#host.tick();
  }
}
