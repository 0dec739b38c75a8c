/** Copies what is still needed of sorted entries into new tables: the work of a flush, a compaction and a recovery. */

import type { Clock } from '@kayadb/codec';

import { EngineError } from '../errors.ts';
import type { Cursor } from '../iterate/cursor.ts';
import { Turn } from '../turn.ts';
import type { TableMeta } from '../version/table-meta.ts';
import type { Retention } from './retention.ts';
import { TableOutput, type TableOutputOptions } from './table-output.ts';

export interface MergeJob {
  /** Walked from its start to its end and closed. Goes forward. */
  readonly source: Cursor;
  readonly retention: Retention;
  readonly output: TableOutputOptions;
  readonly clock: Clock;
  readonly yieldTurn: () => Promise<void>;
  readonly signal?: AbortSignal;
}

/**
 * Runs the job.
 *
 * @returns The new tables, durable and checked, in key order. On failure nothing is kept.
 * @throws EngineError KAYA_ABORTED when the signal fires.
 */
export async function runMergeJob(job: MergeJob): Promise<readonly TableMeta[]> {
  const output = new TableOutput(job.output);
  try {
    await copyEntries(job, output);
    return await output.finish();
  } catch (error) {
    await output.abandon();
    throw error;
  } finally {
    job.source.close();
  }
}

async function copyEntries(job: MergeJob, output: TableOutput): Promise<void> {
  const { source, retention, signal } = job;
  const turn = new Turn(job);
  await source.seekToStart();
  while (source.entry !== undefined) {
    if (signal?.aborted === true) throw new EngineError('KAYA_ABORTED', 'the merge was ended because the store closes');
    if (retention.shouldKeep(source.entry)) {
      const writing = output.add(source.entry);
      if (writing !== undefined) await writing;
    }
    const reading = source.next();
    if (reading !== undefined) await reading;
    const pause = turn.step();
    if (pause !== undefined) await pause;
  }
}
