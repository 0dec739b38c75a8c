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
import { parseFileName } from '../files/file-names.ts';
import type { FileNumber } from '../key/internal-key.ts';
import { resolveResources } from '../resources.ts';
import { checkAborted } from '../snapshot/check-aborted.ts';
import { readStoreState } from '../version/store-state.ts';
import { buildReport } from './build-report.ts';
import { EvidenceView } from './evidence-view.ts';
import { examineFiles } from './examine-files.ts';
import { type InspectProgress, ReadMeter } from './read-meter.ts';
import type { RecoveryReport } from './recovery-report.ts';
import { lookAtStore, type StoreLook } from './store-look.ts';

export interface InspectStoreOptions {
  /** Tells whether the lock's owner still runs. By default the real processes. */
  readonly processes?: ProcessTable;
  /** Measures how long it took, and how long a directory that moves is looked at. By default the real clock. */
  readonly clock?: Clock;
  /** Puts the smallest and largest key of each table into the report, in hexadecimal. Default false. */
  readonly showKeys?: boolean;
  /** Ends the reading early. */
  readonly signal?: AbortSignal;
  /** Called as bytes are read. */
  readonly onProgress?: (progress: InspectProgress) => void;
}

/** Bound: how often a directory that moves is looked at at least, however long that takes. */
const MIN_LOOKS = 8;
/** Bound: how long a directory that moves is looked at, in milliseconds. */
const MAX_LOOKING_MS = 20_000;
/** Bound: looks, where time stands still. */
const MAX_LOOKS = 10_000;

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
 * @throws EngineError KAYA_ABORTED
 */
export async function inspectStore(
  fileSystem: FileSystem,
  directory: string,
  options: InspectStoreOptions = {},
): Promise<RecoveryReport> {
  const { showKeys = false, signal, onProgress, ...outside } = options;
  const { processes, clock } = resolveResources(outside);
  const meter = new ReadMeter({ ...(signal && { signal }), ...(onProgress && { onProgress }) });
  const startMs = clock.now();
  try {
    const { view, look, lookCount, isSettled } = await gatherEvidence(fileSystem, directory, clock, meter);
    try {
      const isTableStillNeeded = (fileNumber: FileNumber): Promise<boolean> =>
        isTableNamed(fileSystem, directory, fileNumber);
      const examined = await examineFiles({ view, directory, look, showKeys, isTableStillNeeded });
      meter.finish();
      const lock = await inspectDirectoryLock(fileSystem, directory, processes);
      const durationUs = Math.max(0, Math.round((clock.now() - startMs) * 1000));
      return buildReport({ directory, view, look, lock, examined, isSettled, lookCount, durationUs });
    } finally {
      await view.close();
    }
  } catch (error) {
    checkAborted(signal, 'the inspection');
    throw error;
  }
}

async function gatherEvidence(fs: FileSystem, directory: string, clock: Clock, meter: ReadMeter): Promise<Evidence> {
  const untilMs = clock.now() + MAX_LOOKING_MS;
  let previous: string | undefined;
  for (let lookCount = 1; ; lookCount++) {
    meter.check();
    const isLast = lookCount >= MIN_LOOKS && (lookCount >= MAX_LOOKS || clock.now() >= untilMs);
    const view = await EvidenceView.capture(fs, directory, { evenIfMoving: isLast, meter });
    if (view === undefined) continue;
    try {
      meter.announce(view.entries.map(({ name }) => [name, readings(name) * view.bytesOf(name)]));
      const look = await lookAtStore(view, directory);
      const finding = look.refusal === undefined ? undefined : JSON.stringify(look.refusal);
      const isSettled = finding === undefined || finding === previous || (await view.isUnchanged());
      if (isSettled || isLast) return { view, look, lookCount, isSettled };
      previous = finding;
    } catch (error) {
      await view.close().catch(() => undefined);
      throw error;
    }
    await view.close();
  }
}

/** How often a file is read whole: logs once as opening does, and once for what stands behind damage. */
function readings(name: string): number {
  const { kind } = parseFileName(name);
  if (kind === 'wal' || kind === 'manifest') return 2;
  return kind === 'table' ? 1 : 0;
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
