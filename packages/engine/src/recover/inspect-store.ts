/**
 * Read-only forensics of a data directory. Safe on evidence: it takes no lock, opens every file for reading only, and
 * changes nothing. Works beside a running process. Page: docs/reference/recovery-report.md.
 *
 * Invariant: damage that only a concurrent writer made appear is never reported: what looks damaged in a directory that
 * moves is looked at again, until two looks agree or nothing has moved in between.
 */

import type { Clock } from '@kayadb/codec';
import { type FileSystem, inspectDirectoryLock, type ProcessTable } from '@kayadb/vfs';

import { readCurrent } from '../files/current-file.ts';
import type { FileNumber } from '../key/internal-key.ts';
import { resolveResources } from '../resources.ts';
import { readStoreState } from '../version/store-state.ts';
import { buildReport } from './build-report.ts';
import { EvidenceView } from './evidence-view.ts';
import { examineFiles } from './examine-files.ts';
import type { RecoveryReport } from './recovery-report.ts';
import { lookAtStore, type StoreLook } from './store-look.ts';

export interface InspectStoreOptions {
  /** Tells whether the lock's owner still runs. By default the real processes. */
  readonly processes?: ProcessTable;
  /** Measures how long it took. By default the real clock. */
  readonly clock?: Clock;
  /** Puts the smallest and largest key of each table into the report, in hexadecimal. Default false. */
  readonly showKeys?: boolean;
}

/** Bound: how often a directory that moves is looked at. */
const MAX_LOOKS = 8;

interface Evidence {
  readonly view: EvidenceView;
  readonly look: StoreLook;
  readonly lookCount: number;
  /** False when every look found another damage, or the directory moved too fast to be captured. */
  readonly isSettled: boolean;
}

/**
 * Reads everything in `directory` and reports what it is, what is damaged, and what opening it would do.
 *
 * @returns A report for any content. The first damage is the one that opening is refused for.
 * @throws FileSystemError when the directory is missing or cannot be listed.
 */
export async function inspectStore(
  fileSystem: FileSystem,
  directory: string,
  options: InspectStoreOptions = {},
): Promise<RecoveryReport> {
  const { showKeys = false, ...outside } = options;
  const { processes, clock } = resolveResources(outside);
  const startMs = clock.now();
  const { view, look, lookCount, isSettled } = await gatherEvidence(fileSystem, directory);
  try {
    const isTableStillNeeded = (fileNumber: FileNumber): Promise<boolean> =>
      isTableNamed(fileSystem, directory, fileNumber);
    const examined = await examineFiles({ view, directory, look, showKeys, isTableStillNeeded });
    const lock = await inspectDirectoryLock(fileSystem, directory, processes);
    const durationUs = Math.max(0, Math.round((clock.now() - startMs) * 1000));
    return buildReport({ directory, view, look, lock, examined, isSettled, lookCount, durationUs });
  } finally {
    await view.close();
  }
}

async function gatherEvidence(fs: FileSystem, directory: string): Promise<Evidence> {
  let previous: string | undefined;
  for (let lookCount = 1; ; lookCount++) {
    const isLast = lookCount === MAX_LOOKS;
    const view = await EvidenceView.capture(fs, directory, { evenIfMoving: isLast });
    if (view === undefined) continue;
    try {
      const look = await lookAtStore(view, directory);
      const finding = look.refusal === undefined ? undefined : JSON.stringify(look.refusal);
      const isSettled = finding === undefined || finding === previous || (await view.isUnchanged());
      if (isSettled || isLast) return { view, look, lookCount, isSettled };
      previous = finding;
    } catch (error) {
      await view.close();
      throw error;
    }
    await view.close();
  }
}

/** Whether the store, as it is now, names the table. */
async function isTableNamed(fs: FileSystem, directory: string, fileNumber: FileNumber): Promise<boolean> {
  try {
    const current = await readCurrent(fs, directory);
    if (current === undefined) return false;
    const { state } = await readStoreState(fs, directory, current);
    return state.levels.flat().some((table) => table.fileNumber === fileNumber);
  } catch {
    // The description was readable a moment ago: what is in its place now is another one, under way.
    return false;
  }
}
