/**
 * Notices that somebody who is written to says nothing.
 *
 * A connection whose packets vanish looks well for minutes: TCP keeps what is sent and tries again ever more rarely, also long after the
 * network is whole again. Only a conversation that goes on counts, since a single message may need no answer.
 */

import type { Clock, Timer } from '@kayadb/codec';

export class SilenceWatch {
  readonly #clock: Clock;
  readonly #silenceMs: number;
  readonly #onSilent: () => void;
  /** When the first message was sent that nothing was heard after. */
  #unansweredSince: number | undefined;
  #lastSentAt = 0;
  #timer: Timer | undefined;

  /** @param silenceMs - 0: never. */
  constructor(clock: Clock, silenceMs: number, onSilent: () => void) {
    this.#clock = clock;
    this.#silenceMs = silenceMs;
    this.#onSilent = onSilent;
  }

  noteSent(): void {
    if (this.#silenceMs === 0) return;
    this.#lastSentAt = this.#clock.now();
    this.#unansweredSince ??= this.#lastSentAt;
    this.#timer ??= this.#clock.setTimer(this.#silenceMs, () => this.#handleTimer());
  }

  noteHeard(): void {
    this.#unansweredSince = undefined;
  }

  /** Until the next message. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#unansweredSince = undefined;
  }

  #handleTimer(): void {
    this.#timer = undefined;
    if (this.#unansweredSince === undefined) return;
    const now = this.#clock.now();
    const dueInMs = this.#unansweredSince + this.#silenceMs - now;
    if (dueInMs > 0) {
      this.#timer = this.#clock.setTimer(dueInMs, () => this.#handleTimer());
      return;
    }
    const goesOn = now - this.#lastSentAt < this.#silenceMs / 2;
    this.#unansweredSince = undefined;
    if (goesOn) this.#onSilent();
  }
}
