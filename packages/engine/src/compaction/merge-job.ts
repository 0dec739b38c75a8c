/** Copies what is still needed of sorted entries into new tables: the work of a flush, a compaction and a recovery. */

import type { Clock } from '@kayadb/codec';

import { EngineError } from '../errors.ts';
import type { Cursor } from '../iterate/cursor.ts';
import type { TableMeta } from '../version/table-meta.ts';
import type { Retention } from './retention.ts';
import { TableOutput, type TableOutputOptions } from './table-output.ts';

/** Time in which the job may keep the event loop to itself. */
const TURN_MS = 2;
/** Entries between two looks at the clock. */
const ENTRIES_PER_LOOK = 64;

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

async function copyEntries(
  { source, retention, clock, yieldTurn, signal }: MergeJob,
  output: TableOutput,
): Promise<void> {
  await source.seekToStart();
  let turnStart = clock.now();
  let untilLook = ENTRIES_PER_LOOK;
  while (source.entry !== undefined) {
    if (retention.shouldKeep(source.entry)) {
      const writing = output.add(source.entry);
      if (writing !== undefined) await writing;
    }
    const reading = source.next();
    if (reading !== undefined) await reading;
    if (--untilLook > 0) continue;
    untilLook = ENTRIES_PER_LOOK;
    if (signal?.aborted === true) throw new EngineError('KAYA_ABORTED', 'the merge was ended because the store closes');
    if (clock.now() - turnStart < TURN_MS) continue;
    await yieldTurn();
    turnStart = clock.now();
  }
}
