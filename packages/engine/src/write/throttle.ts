/**
 * Holds writers back a little, early and smoothly, so that they need not stall: each group costs time at the rate that
 * `decideSlowdown` allows, and the time is spent in short delays before later groups. Also gives the event loop its turn:
 * groups that wait for nothing are committed in promises alone, and those let no timer and no socket in.
 *
 * Bound: a delay is `MAX_DELAY_MS` and looks at the pressure again; no more than `MAX_OWED_MS` is ever owed.
 */

import type { Clock, Timer } from '@kayadb/codec';

import type { Counters } from '../counters.ts';
import type { EngineEvent } from '../types.ts';
import { DrainEstimate } from './drain-estimate.ts';
import {
  decideSlowdown,
  findStrain,
  type Slowdown,
  type SlowdownLimits,
  type SlowdownPressure,
} from './write-stall.ts';

/** Bytes of writes between two looks at clock and pressure; a group counts as `GROUP_BYTES` more. */
const LOOK_BYTES = 64 * 1024;
const GROUP_BYTES = 1024;
/** Time over which the writers' rate is measured. */
const WINDOW_MS = 100;
/** What is left after each window of the rate that was measured before: a pause of writers says nothing about what drains. */
const FADING = 0.99;
/** Timers are no finer; less is put together. */
const MIN_DELAY_MS = 1;
const MAX_DELAY_MS = 10;
const MAX_OWED_MS = 15;
/** Time not used that still counts: what a group itself takes must not come on top of its delay. */
const CREDIT_MS = 10;
/** So long without a delay, and the slowdown counts as over; changes of the rate are told no more often. */
const CALM_MS = 1000;
/** Time that groups may be committed in one go. */
const TURN_MS = 5;

export interface ThrottleOptions {
  readonly clock: Clock;
  readonly yieldTurn: () => Promise<void>;
  readonly pressure: () => SlowdownPressure;
  readonly limits: SlowdownLimits;
  readonly counters: Counters;
  readonly onEvent: (event: EngineEvent) => void;
}

export class Throttle {
  readonly #options: ThrottleOptions;
  readonly #drain = new DrainEstimate();
  #untilLook = LOOK_BYTES;
  #windowStartMs: number;
  #windowBytes = 0;
  /** What writers brought in the best of the last windows. */
  #ingestBytesPerSecond: number | undefined;
  #turnStartMs: number;
  #isTurnUp = false;
  #slowdown: Slowdown | undefined;
  /** When everything admitted will be paid for. */
  #paidAtMs = 0;
  #lastDelayMs = 0;
  #delayedInWindow = false;
  /** The rate that was told last. */
  #toldBytesPerSecond: number | undefined;
  #toldAtMs = 0;
  #calmTimer: Timer | undefined;

  constructor(options: ThrottleOptions) {
    this.#options = options;
    this.#windowStartMs = options.clock.now();
    this.#turnStartMs = this.#windowStartMs;
  }

  /** @returns What the next group has to wait for before it asks again; undefined when it may go on. */
  hold(): Promise<void> | undefined {
    if (this.#isTurnUp) return this.#yieldTurn();
    if (this.#slowdown === undefined) return undefined;
    const owedMs = this.#paidAtMs - this.#options.clock.now();
    return owedMs < MIN_DELAY_MS ? undefined : this.#delay(Math.min(owedMs, MAX_DELAY_MS));
  }

  /** A group of `bytes` was written. */
  admit(bytes: number): void {
    this.#windowBytes += bytes;
    this.#untilLook -= bytes + GROUP_BYTES;
    if (this.#untilLook <= 0) this.#look();
    if (this.#slowdown === undefined) return;
    const { clock, counters } = this.#options;
    const nowMs = clock.now();
    const costMs = (bytes * 1000) / this.#slowdown.bytesPerSecond;
    this.#paidAtMs = Math.min(nowMs + MAX_OWED_MS, Math.max(this.#paidAtMs, nowMs - CREDIT_MS) + costMs);
    counters.slowedBytes += bytes;
  }

  close(): void {
    this.#calmTimer?.cancel();
    this.#calmTimer = undefined;
  }

  #look(): void {
    this.#untilLook = LOOK_BYTES;
    const nowMs = this.#options.clock.now();
    if (nowMs - this.#turnStartMs >= TURN_MS) this.#isTurnUp = true;
    this.#judge(nowMs);
  }

  /** Without a window's time on the clock nothing is known about anybody's rate, and nobody is slowed. */
  #judge(nowMs: number): void {
    const { pressure, limits } = this.#options;
    const present = pressure();
    const strain = findStrain(present, limits);
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs >= WINDOW_MS) {
      const ingest = (this.#windowBytes * 1000) / elapsedMs;
      this.#ingestBytesPerSecond = Math.max(ingest, (this.#ingestBytesPerSecond ?? 0) * FADING);
      // Where writers brought less than they might have, a low pressure says nothing about what drains.
      if (strain !== undefined && this.#delayedInWindow) this.#drain.correct(strain.share, elapsedMs);
      this.#windowStartMs = nowMs;
      this.#windowBytes = 0;
      this.#delayedInWindow = false;
    }
    if (strain !== undefined && this.#ingestBytesPerSecond !== undefined) this.#drain.start(this.#ingestBytesPerSecond);
    const drainBytesPerSecond = this.#drain.bytesPerSecond;
    this.#slowdown =
      drainBytesPerSecond === undefined ? undefined : decideSlowdown(present, { ...limits, drainBytesPerSecond });
    this.#tellChange(nowMs);
  }

  async #delay(delayMs: number): Promise<void> {
    const { clock, counters } = this.#options;
    const startMs = clock.now();
    this.#delayedInWindow = true;
    this.#lastDelayMs = startMs;
    if (this.#toldBytesPerSecond === undefined) this.#tell(this.#slowdown);
    await new Promise<void>((resolve) => void clock.setTimer(delayMs, resolve));
    const nowMs = clock.now();
    counters.slowedTotalUs += Math.round((nowMs - startMs) * 1000);
    this.#turnStartMs = nowMs;
    this.#isTurnUp = false;
    this.#judge(nowMs);
  }

  async #yieldTurn(): Promise<void> {
    this.#isTurnUp = false;
    await this.#options.yieldTurn();
    this.#turnStartMs = this.#options.clock.now();
  }

  /** Tells of changes by a factor of two and of the end; the beginning is told with the first delay. */
  #tellChange(nowMs: number): void {
    const told = this.#toldBytesPerSecond;
    if (told === undefined) return;
    if (this.#slowdown === undefined) {
      if (nowMs - this.#lastDelayMs >= CALM_MS) this.#tell(undefined);
      return;
    }
    if (nowMs - this.#toldAtMs < CALM_MS) return;
    const { bytesPerSecond } = this.#slowdown;
    if (bytesPerSecond >= 2 * told || bytesPerSecond <= told / 2) this.#tell(this.#slowdown);
  }

  #tell(slowdown: Slowdown | undefined): void {
    this.#toldBytesPerSecond = slowdown?.bytesPerSecond;
    this.#toldAtMs = this.#options.clock.now();
    const reason = slowdown?.reason ?? 'flushes and compactions have caught up';
    this.#options.onEvent({ kind: 'slowed', reason, bytesPerSecond: slowdown?.bytesPerSecond });
    if (slowdown === undefined) this.close();
    else this.#calmTimer ??= this.#setCalmTimer();
  }

  /** Writers that have stopped look at nothing any more, and the end is to be told all the same. */
  #setCalmTimer(): Timer {
    return this.#options.clock.setTimer(CALM_MS, () => {
      this.#calmTimer = this.#setCalmTimer();
      this.#judge(this.#options.clock.now());
    });
  }
}
