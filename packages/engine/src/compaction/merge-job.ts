/** Copies what is still needed of sorted entries into new tables: the work of a flush, a compaction and a recovery. */

import type { Clock } from '@kayadb/codec';

import { EngineError } from '../errors.ts';
import type { Cursor, MaybePromise } from '../iterate/cursor.ts';
import { Turn } from '../turn.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { CursorRun, type EntryRun } from './entry-run.ts';
import type { AbortFlag, Pace } from './pace.ts';
import type { Retention } from './retention.ts';
import { RunMerge } from './run-merge.ts';
import { TableOutput, type TableOutputOptions } from './table-output.ts';

interface MergeParts {
  readonly retention: Retention;
  readonly output: TableOutputOptions;
  readonly clock: Clock;
  readonly yieldTurn: () => Promise<void>;
  readonly signal?: AbortFlag;
  /** Holds the writing back. */
  readonly pace?: Pace;
}

export interface MergeJob extends MergeParts {
  /** Walked from its start to its end and closed. Goes forward. */
  readonly source: Cursor;
}

export interface RunMergeJob extends MergeParts {
  /** Walked from start to end and closed. */
  readonly runs: readonly EntryRun[];
  /** How many leading bytes all their keys share. */
  readonly sharedBytes: number;
}

/**
 * Runs the job.
 *
 * @returns The new tables, durable and checked, in key order. On failure nothing is kept.
 * @throws EngineError KAYA_ABORTED when the signal fires.
 */
export function runMergeJob({ source, ...parts }: MergeJob): Promise<readonly TableMeta[]> {
  return mergeRuns({ ...parts, runs: [new CursorRun(source)], sharedBytes: 0 });
}

/** As `runMergeJob`, of entries in place. */
export async function mergeRuns(job: RunMergeJob): Promise<readonly TableMeta[]> {
  const output = new TableOutput(job.output);
  const merge = new RunMerge(job.runs, job.sharedBytes);
  try {
    await merge.start();
    await copyEntries(job, merge, output);
    return await output.finish();
  } catch (error) {
    const failure = await output.abandon();
    throw failure === undefined ? error : failure.error;
  } finally {
    await merge.close();
  }
}

async function copyEntries(job: RunMergeJob, merge: RunMerge, output: TableOutput): Promise<void> {
  const { signal, pace } = job;
  const turn = new Turn(job);
  let paidBytes = 0;
  const copier = new Copier(merge, job.retention, output);
  while (!merge.isAtEnd) {
    if (signal?.aborted === true) throw new EngineError('KAYA_ABORTED', 'the merge was ended because the store closes');
    const waiting = copier.copySome();
    if (waiting !== undefined) await waiting;
    if (pace !== undefined && output.bytes > paidBytes) {
      pace.spend(output.bytes - paidBytes);
      paidBytes = output.bytes;
      await pace.wait(signal);
    }
    const pause = turn.step();
    if (pause !== undefined) await pause;
  }
}

/** Entries between two looks at the clock and the signal. */
const ENTRIES_PER_STEP = 16;

/** Hot: passes entries from merge to output without leaving the turn, until something has to be waited for. */
class Copier {
  readonly #merge: RunMerge;
  readonly #retention: Retention;
  readonly #output: TableOutput;
  /** An entry of the present user key was kept. */
  #hasKey = false;

  constructor(merge: RunMerge, retention: Retention, output: TableOutput) {
    this.#merge = merge;
    this.#retention = retention;
    this.#output = output;
  }

  copySome(): MaybePromise {
    const merge = this.#merge;
    for (let left = ENTRIES_PER_STEP; left > 0 && !merge.isAtEnd; left--) {
      const writing = this.#copyOne(merge);
      if (writing !== undefined) return writing.then(() => merge.next());
      const reading = merge.next();
      if (reading !== undefined) return reading;
    }
    return undefined;
  }

  #copyOne({ bytes, at, sequence, isNewKey }: RunMerge): MaybePromise {
    if (isNewKey) this.#hasKey = false;
    if (!this.#retention.shouldKeep(bytes, at, sequence, isNewKey)) return undefined;
    const isFirstOfKey = !this.#hasKey;
    this.#hasKey = true;
    return this.#output.add(bytes, at, sequence, isFirstOfKey);
  }
}
