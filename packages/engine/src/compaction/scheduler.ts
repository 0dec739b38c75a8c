/**
 * Runs flushes and compactions in the background: one loop for each, so that a flush never queues behind a merge.
 *
 * A job that fails because the disk is full, an input cannot be read or its worker ended stops its loop and tells whoever waits
 * for such a job; the next `kick()` tries again. Any other failure has an unknown outcome and poisons the store.
 */

import { CorruptionError, EngineError } from '../errors.ts';
import { isUndone } from '../files/disk-outcome.ts';
import type { Poison } from '../write/poison.ts';
import { BackgroundLoop } from './background-loop.ts';

export interface BackgroundJobs {
  /** Flushes the oldest frozen memtable. @returns false when there is none. */
  readonly flushOne: () => Promise<boolean>;
  /** Picks and runs one compaction. @returns false when none is due. */
  readonly compactOne: (signal: AbortSignal) => Promise<boolean>;
  readonly onFailure: (job: BackgroundJob, error: Error) => void;
}

export type BackgroundJob = 'flush' | 'compaction';

interface Waiter {
  readonly job: BackgroundJob;
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

  /**
   * Resolves when the next such job finishes; rejects when it fails, with its error. Looks for work first.
   * Requires: such work is due, or it is under way.
   */
  waitFor(job: BackgroundJob): Promise<void> {
    const progress = new Promise<void>((resolve, reject) => this.#waiters.push({ job, resolve, reject }));
    this.kick();
    return progress;
  }

  /** Ends compaction at its next pause. Flushes may still be asked for afterwards. */
  async stopCompaction(): Promise<void> {
    this.#abort.abort('the store closes');
    await this.#compactions.idle();
  }

  /** Resolves when no job is running. */
  async idle(): Promise<void> {
    await this.#flushes.idle();
    await this.#compactions.idle();
  }

  /** Never rejects. @returns Whether to look for more. */
  async #step(name: BackgroundJob, job: () => Promise<boolean>): Promise<boolean> {
    try {
      this.#poison.check();
      if (!(await job())) return false;
    } catch (error) {
      const failure = isUndone(error) || isHarmless(error) ? error : this.#poison.set(error);
      this.#jobs.onFailure(name, failure as Error);
      this.#settle(name, ({ reject }) => reject(failure));
      return false;
    }
    this.#settle(name, ({ resolve }) => resolve());
    // A flush adds a level-0 table, which may make a compaction due.
    if (name === 'flush' && !this.#abort.signal.aborted) this.#compactions.kick();
    return true;
  }

  #settle(finished: BackgroundJob, how: (waiter: Waiter) => void): void {
    const settled = this.#waiters.filter(({ job }) => job === finished);
    this.#waiters = this.#waiters.filter(({ job }) => job !== finished);
    settled.forEach(how);
  }
}

/**
 * An input that is damaged, or that this installation cannot read; a worker that ended before its tables were named. Nothing was
 * changed, so nothing is unknown.
 */
function isHarmless(error: unknown): boolean {
  if (error instanceof CorruptionError) return true;
  return error instanceof EngineError && (error.code === 'KAYA_UNSUPPORTED' || error.code === 'KAYA_WORKER_LOST');
}
