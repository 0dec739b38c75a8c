/**
 * Runs flushes and compactions in the background: one loop for each, so that a flush never queues behind a merge.
 *
 * A job that fails because the disk is full or an input is damaged stops its loop and tells whoever waits; the next `kick()`
 * tries again. Any other failure has an unknown outcome and poisons the store.
 */

import { CorruptionError } from '../errors.ts';
import { isUndone } from '../files/disk-outcome.ts';
import type { Poison } from '../write/poison.ts';
import { BackgroundLoop } from './background-loop.ts';

export interface BackgroundJobs {
  /** Flushes the oldest frozen memtable. @returns false when there is none. */
  readonly flushOne: () => Promise<boolean>;
  /** Picks and runs one compaction. @returns false when none is due. */
  readonly compactOne: (signal: AbortSignal) => Promise<boolean>;
  readonly onFailure: (job: 'flush' | 'compaction', error: Error) => void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Scheduler {
  readonly #jobs: BackgroundJobs;
  readonly #poison: Poison;
  readonly #abort = new AbortController();
  readonly #flushes: BackgroundLoop;
  readonly #compactions: BackgroundLoop;
  #waiters: Waiter[] = [];

  constructor(jobs: BackgroundJobs, poison: Poison) {
    this.#jobs = jobs;
    this.#poison = poison;
    this.#flushes = new BackgroundLoop(() => this.#step('flush', jobs.flushOne));
    this.#compactions = new BackgroundLoop(() => this.#step('compaction', () => jobs.compactOne(this.#abort.signal)));
  }

  /** Looks for work unless it is being done already. */
  kick(): void {
    this.#flushes.kick();
    if (!this.#abort.signal.aborted) this.#compactions.kick();
  }

  /** Resolves when a job finishes; rejects when one fails, with its error. Looks for work first. */
  waitForProgress(): Promise<void> {
    const progress = new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }));
    this.kick();
    return progress;
  }

  /** Ends compaction at its next pause. Flushes may still be asked for afterwards. */
  async stopCompaction(): Promise<void> {
    this.#abort.abort();
    await this.#compactions.idle();
  }

  /** Resolves when no job is running. */
  async idle(): Promise<void> {
    await this.#flushes.idle();
    await this.#compactions.idle();
  }

  /** Never rejects. @returns Whether to look for more. */
  async #step(name: 'flush' | 'compaction', job: () => Promise<boolean>): Promise<boolean> {
    try {
      this.#poison.check();
      if (!(await job())) return false;
    } catch (error) {
      const known = isUndone(error) || error instanceof CorruptionError || this.#poison.cause !== undefined;
      const failure = known ? error : this.#poison.set(error);
      this.#jobs.onFailure(name, failure as Error);
      this.#settle(({ reject }) => reject(failure));
      return false;
    }
    this.#settle(({ resolve }) => resolve());
    // A flush adds a level-0 table, which may make a compaction due.
    if (name === 'flush' && !this.#abort.signal.aborted) this.#compactions.kick();
    return true;
  }

  #settle(how: (waiter: Waiter) => void): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    waiters.forEach(how);
  }
}
