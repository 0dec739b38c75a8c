/** The figures of many runs: what they have been through, what it cost, and what broke. */

import { writeFileSync } from 'node:fs';

import type { SimulationError } from './simulation-error.ts';
import { addCounts } from './world/counts.ts';
import type { Pace } from './world/profile.ts';

export interface LongRunOptions<Name extends string> {
  /** Of everything 0. */
  readonly counts: Record<Name, number>;
  readonly pace: Pace;
  /** With faults, per seed. */
  readonly seconds: number;
  readonly firstSeed: number;
}

interface Break {
  readonly seed: number;
  readonly finder: string;
  readonly what: string;
}

const SECONDS_PER_HOUR = 3600;
const MICROSECONDS = 1e6;

export class LongRun<Name extends string> {
  readonly counts: Record<Name | 'simulatedSeconds', number>;
  readonly #options: LongRunOptions<Name | 'simulatedSeconds'>;
  readonly #breaks: Break[] = [];
  readonly #begun = process.cpuUsage();
  #runs = 0;
  #lastCpuSeconds = 0;
  #cpuSeconds = 0;

  constructor(options: LongRunOptions<Name | 'simulatedSeconds'>) {
    this.counts = options.counts;
    this.#options = options;
  }

  get breakCount(): number {
    return this.#breaks.length;
  }

  /** Of the run that was added last. */
  get lastCpuMs(): number {
    return this.#lastCpuSeconds * 1000;
  }

  add(counts: Readonly<Record<Name | 'simulatedSeconds', number>>): void {
    this.#ends();
    addCounts(this.counts, counts);
  }

  /** What a run has been through that broke does not count. */
  addBreak({ seed, finder, what }: SimulationError): void {
    this.#ends();
    this.#breaks.push({ seed, finder, what });
  }

  describe(): string {
    const { clusterHours, coreSeconds, minutesPerCoreSecond } = this.#figures();
    return `${this.#runs} runs, ${this.breakCount} breaks, ${clusterHours} cluster-hours in ${coreSeconds} s of a core: ${minutesPerCoreSecond} minutes per second`;
  }

  /** As JSON. */
  write(path: string): void {
    writeFileSync(
      path,
      `${JSON.stringify({ ...this.#figures(), ...this.counts, breaks: this.#breaks }, undefined, 2)}\n`,
    );
  }

  #figures() {
    const { simulatedSeconds } = this.counts;
    const { pace, firstSeed, seconds: secondsPerSeed } = this.#options;
    return {
      pace,
      firstSeed,
      runs: this.#runs,
      secondsPerSeed,
      clusterHours: round(simulatedSeconds / SECONDS_PER_HOUR),
      coreSeconds: round(this.#cpuSeconds),
      minutesPerCoreSecond: round(simulatedSeconds / 60 / Math.max(this.#cpuSeconds, 0.001)),
    };
  }

  #ends(): void {
    const { user, system } = process.cpuUsage(this.#begun);
    const cpuSeconds = (user + system) / MICROSECONDS;
    this.#lastCpuSeconds = cpuSeconds - this.#cpuSeconds;
    this.#cpuSeconds = cpuSeconds;
    this.#runs++;
  }
}

/** To three digits behind the point. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
