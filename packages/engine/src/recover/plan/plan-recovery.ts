/**
 * Finds the ways out of the state that a store is in, and counts what each of them keeps and loses. Only reads.
 * Page: docs/reference/recovery-plan.md.
 */

import type { FileSystem } from '@kayadb/vfs';

import { resolveResources } from '../../resources.ts';
import { Turn } from '../../turn.ts';
import { drawLevels } from './plan-levels.ts';
import { RECOVERY_PLAN_FORMAT, type RecoveryPlan } from './recovery-plan.ts';
import { type PlanOptions, StoreEvidence } from './store-evidence.ts';
import { tallyRows } from './tally-rows.ts';
import { type Found, rankWaysOut } from './ways-out.ts';

export type PlanRecoveryOptions = PlanOptions;

/**
 * Plans what can be done about the store in `directory`, whatever is damaged in it. Takes no lock, opens files for reading only and
 * changes nothing; works beside a running process.
 *
 * Bound: reads every table twice; memory for what the log holds beyond the tables.
 *
 * @throws EngineError KAYA_NOTHING_TO_SALVAGE when the directory holds no file of a store; KAYA_ABORTED.
 * @throws FileSystemError when the directory is missing or cannot be listed.
 */
export async function planRecovery(
  fileSystem: FileSystem,
  directory: string,
  options: PlanRecoveryOptions = {},
): Promise<RecoveryPlan> {
  const evidence = await StoreEvidence.gather(fileSystem, directory, options);
  try {
    return planOf(await weigh(evidence, directory, options));
  } finally {
    await evidence.close();
  }
}

/** Walks all rows once. */
export async function weigh(evidence: StoreEvidence, directory: string, options: PlanOptions): Promise<Found> {
  const { showKeys = false, signal, onProgress } = options;
  const { report, basis, log, tables, places } = evidence;
  const { clock, yieldTurn } = resolveResources(options.clock === undefined ? {} : { clock: options.clock });
  const before = report.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const totalBytes = before + tables.reduce((sum, { bytes }) => sum + bytes, 0);
  let bytes = before;
  const tallies = await tallyRows(evidence, {
    showKeys,
    signal,
    turn: new Turn({ clock, yieldTurn }),
    onBytes: (read) => {
      bytes += read;
      onProgress?.({ phase: 'read', bytes: Math.min(bytes, totalBytes), totalBytes });
    },
  });
  return { directory, report, basis, log, tables, places, tallies, showKeys };
}

export function planOf(found: Found): RecoveryPlan {
  const { report, basis, tables } = found;
  return {
    format: RECOVERY_PLAN_FORMAT,
    report,
    basis: basis.kind,
    manifest: basis.manifest,
    levels: drawLevels(tables),
    waysOut: rankWaysOut(found),
  };
}
