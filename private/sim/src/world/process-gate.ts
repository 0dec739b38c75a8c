/**
 * The life of one process, seen from outside: whatever reaches it (a timer, a frame, the end of a write) passes here.
 *
 * Invariant: a paused process does nothing, and finds everything that came meanwhile, in order, when it goes on; a dead one never does anything again.
 */

import type { Clock, Timer } from '@kayadb/codec';

import type { Timeline } from './timeline.ts';

export class ProcessGate {
  readonly #onEntered: () => void;
  #state: 'running' | 'paused' | 'dead' = 'running';
  #held: (() => void)[] = [];

  /** @param onEntered - Told whenever the process did something. */
  constructor(onEntered: () => void) {
    this.#onEntered = onEntered;
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  enter(run: () => void): void {
    if (this.#state === 'paused') this.#held.push(run);
    if (this.#state !== 'running') return;
    this.#onEntered();
    run();
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    for (const run of this.#held.splice(0)) this.enter(run);
  }

  kill(): void {
    this.#state = 'dead';
    this.#held = [];
  }
}

/** The clock of a process: it runs `rate` times as fast as the world's, and after a pause it has jumped. */
export class ProcessClock implements Clock {
  readonly #timeline: Timeline;
  readonly #gate: ProcessGate;
  readonly #rate: number;

  constructor(timeline: Timeline, gate: ProcessGate, rate: number) {
    this.#timeline = timeline;
    this.#gate = gate;
    this.#rate = rate;
  }

  now(): number {
    return this.#timeline.nowMs * this.#rate;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    let isCancelled = false;
    const timer = this.#timeline.after(delayMs / this.#rate, () => {
      this.#gate.enter(() => {
        if (!isCancelled) callback();
      });
    });
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.setTimer(delayMs, resolve);
    });
  }
}
