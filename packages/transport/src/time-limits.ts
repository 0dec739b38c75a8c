/**
 * The time limits of one connection, on one timer. Activity only notes the time; a timer that fires too early is set
 * again for what is left, so a busy connection costs no timer per message.
 */

import type { Clock, Timer } from '@kayadb/codec';

import type { ConnectionLimits } from './limits.ts';
import { TransportError } from './transport-error.ts';

/** What came due, as the error that ends the connection. */
export type ExpiryReceiver = (error: TransportError) => void;

export class TimeLimits {
  readonly #clock: Clock;
  readonly #limits: ConnectionLimits;
  readonly #onExpired: ExpiryReceiver;
  readonly #startedAt: number;
  #activeAt: number;
  #hasReceived = false;
  /** Since when the other side has taken none of the bytes that wait; `undefined` when none wait. */
  #waitingSince: number | undefined;
  #closingSince: number | undefined;
  #timer: Timer | undefined;
  #timerDueAt = Infinity;
  #isStopped = false;

  constructor(clock: Clock, limits: ConnectionLimits, onExpired: ExpiryReceiver) {
    this.#clock = clock;
    this.#limits = limits;
    this.#onExpired = onExpired;
    this.#startedAt = clock.now();
    this.#activeAt = this.#startedAt;
    this.#arm();
  }

  noteReceived(): void {
    this.#hasReceived = true;
    this.#activeAt = this.#clock.now();
  }

  /** Bytes were handed to a write. */
  noteWaiting(): void {
    if (this.#waitingSince !== undefined) return;
    this.#waitingSince = this.#clock.now();
    this.#arm();
  }

  /** The other side took bytes; `hasMore` when others wait behind them. */
  noteWritten(hasMore: boolean): void {
    this.#activeAt = this.#clock.now();
    this.#waitingSince = hasMore ? this.#activeAt : undefined;
  }

  noteClosing(): void {
    this.#closingSince ??= this.#clock.now();
    this.#arm();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Sets the timer for the nearest limit unless it fires before that anyway. */
  #arm(): void {
    const dueAt = Math.min(...this.#deadlines().map(({ at }) => at));
    if (this.#isStopped || dueAt >= this.#timerDueAt) return;
    this.#timer?.cancel();
    this.#timerDueAt = dueAt;
    this.#timer = this.#clock.setTimer(Math.max(0, dueAt - this.#clock.now()), () => this.#handleTimer());
  }

  #handleTimer(): void {
    this.#timer = undefined;
    this.#timerDueAt = Infinity;
    if (this.#isStopped) return;
    const now = this.#clock.now();
    const expired = this.#deadlines().find(({ at }) => at <= now);
    if (expired === undefined) this.#arm();
    else this.#onExpired(expired.error());
  }

  #deadlines(): readonly { readonly at: number; readonly error: () => TransportError }[] {
    const { firstByteMs, idleMs, writeStallMs, closeMs } = this.#limits;
    return [
      {
        at: deadline(this.#waitingSince, writeStallMs),
        error: () => expiry('KAYA_WRITE_STALLED', 'the other side read nothing', writeStallMs, 'writeStallMs'),
      },
      {
        at: deadline(this.#closingSince, closeMs),
        error: () => expiry('KAYA_WRITE_STALLED', 'the other side did not end the connection', closeMs, 'closeMs'),
      },
      {
        at: deadline(this.#hasReceived ? undefined : this.#startedAt, firstByteMs),
        error: () => expiry('KAYA_FIRST_BYTE_TIMEOUT', 'no byte came', firstByteMs, 'firstByteMs'),
      },
      {
        at: deadline(this.#activeAt, idleMs),
        error: () => expiry('KAYA_CONNECTION_IDLE', 'nothing was sent or received', idleMs, 'idleMs'),
      },
    ];
  }
}

function deadline(since: number | undefined, limitMs: number): number {
  return since === undefined || limitMs === 0 ? Infinity : since + limitMs;
}

type ExpiryCode = 'KAYA_WRITE_STALLED' | 'KAYA_FIRST_BYTE_TIMEOUT' | 'KAYA_CONNECTION_IDLE';

function expiry(code: ExpiryCode, what: string, limitMs: number, option: string): TransportError {
  return new TransportError(code, `${what} for ${limitMs} ms, the limit ${option} of this connection`);
}
