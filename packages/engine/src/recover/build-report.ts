/** The report of a whole store, from what was found in its files. Pure. */

import { assertNever } from '@kayadb/codec';
import { type DirectoryLockState, LOCK_FILE_NAME, TEMPORARY_SUFFIX } from '@kayadb/vfs';

import { CURRENT_FILE, manifestFileName, parseFileName } from '../files/file-names.ts';
import { pickObsoleteFiles } from '../files/obsolete-files.ts';
import { DAMAGED_SUFFIX } from '../scrub/keep-damaged-file.ts';
import { NO_SEGMENT } from '../wal/wal-replay.ts';
import type { EvidenceView } from './evidence-view.ts';
import type { ExaminedFiles } from './examine-files.ts';
import { fileReport, opening } from './file-report.ts';
import {
  type OpeningForecast,
  RECOVERY_REPORT_FORMAT,
  type RecoveredFile,
  type RecoveredLock,
  type RecoveryReport,
  type RecoveryVerdict,
  type StoreDamage,
} from './recovery-report.ts';
import { describeWarnings } from './report-warnings.ts';
import type { StoreLook } from './store-look.ts';

export interface ReportParts {
  readonly directory: string;
  readonly view: EvidenceView;
  readonly look: StoreLook;
  readonly lock: DirectoryLockState;
  readonly examined: ExaminedFiles;
  readonly isSettled: boolean;
  readonly lookCount: number;
  readonly durationUs: number;
}

export function buildReport(parts: ReportParts): RecoveryReport {
  const { directory, view, look, lock, examined, isSettled, lookCount, durationUs } = parts;
  const forecast = forecastOpening(parts);
  const others = view.entries.flatMap((entry) => describeOther(entry.name, entry.kind === 'file', parts, forecast));
  const all = [...examined.files, ...others].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const files = isSettled ? all : all.map(withholdDoubt);
  const damage = gatherDamage(isSettled ? look.refusal : undefined, files);
  const verdict = decideVerdict(look, files, damage, isSettled);
  const { state, store } = look;
  const found = {
    lastSequence: store?.wal.lastSequence ?? Math.max(0, ...files.map((file) => file.lastSequence ?? 0)),
    lastLsn: store?.wal.verdict.lsn ?? examined.newestLsn,
  };
  const report = {
    format: RECOVERY_REPORT_FORMAT,
    directory,
    verdict,
    live: lock.kind === 'held',
    lock: describeLock(lock),
    storeId: look.current === undefined ? null : Buffer.from(look.current.storeId).toString('hex'),
    manifest: look.current === undefined ? null : manifestFileName(look.current.manifestNumber),
    newestWholeManifest: examined.newestWholeManifest ?? null,
    opening: forecast,
    damage,
    files,
    ...found,
    cleanClose: state?.cleanClose !== undefined,
    log: state === undefined ? null : state.oldestSegment === NO_SEGMENT ? 'external' : 'own',
    durableIndex: state?.durableIndex ?? null,
    rangeDeleteCount: state?.rangeDeletes.length ?? null,
    lookCount,
    durationUs,
  } as const;
  return {
    ...report,
    warnings: describeWarnings(report, isSettled),
    manifest_records_replayed: store?.manifest.editCount ?? 0,
    live_sstable_count: state?.levels.flat().length ?? 0,
    wal_records_replayed: forecast.recordsReplayed,
    wal_truncated_bytes: forecast.walTruncatedBytes,
    tmp_files_removed: forecast.filesRemoved.filter((name) => name.endsWith(TEMPORARY_SUFFIX)).length,
    last_lsn: found.lastLsn,
    last_sequence: found.lastSequence,
    records_replayed: forecast.recordsReplayed,
  };
}

function forecastOpening({ view, look, lock, isSettled }: ReportParts): OpeningForecast {
  const lockTakeover = lock.kind === 'stale';
  const { refusal, store } = look;
  if (!isSettled) return { ...REFUSED, reason: 'the directory changed during every look', lockTakeover };
  if (refusal !== undefined) {
    return { ...REFUSED, ...refusal, lockTakeover };
  }
  const verdict = store?.wal.verdict;
  const names = view.entries.filter(({ kind }) => kind === 'file').map(({ name }) => name);
  return {
    ...REFUSED,
    outcome: store === undefined ? 'creates' : 'opens',
    recordsReplayed: look.recordsReplayed,
    walTruncatedBytes: verdict?.kind === 'torn' ? verdict.droppedBytes : 0,
    filesRemoved: pickRemovedByOpening(names, look),
    lockTakeover,
  };
}

const REFUSED: OpeningForecast = {
  outcome: 'refused',
  code: null,
  file: null,
  offset: null,
  reason: null,
  recordsReplayed: 0,
  walTruncatedBytes: 0,
  filesRemoved: [],
  lockTakeover: false,
};

/**
 * Opening writes what it keeps into new files, so every old log goes, and with them whatever nothing needs. Segments beside a
 * store without a log of its own are none of its business.
 */
function pickRemovedByOpening(names: readonly string[], { state }: StoreLook): readonly string[] {
  const tables = new Set(state?.levels.flatMap((level) => level.map(({ fileNumber }) => fileNumber)));
  const isRemoved = new Set(
    pickObsoleteFiles(names, {
      tables,
      manifestNumber: 0,
      oldestSegment: state?.oldestSegment === NO_SEGMENT ? NO_SEGMENT : Number.POSITIVE_INFINITY,
      nextFileNumber: Number.POSITIVE_INFINITY,
    }),
  );
  // Of temporaries, opening removes the one that it publishes anew; the rest is left for a person to judge.
  return names.filter((name) =>
    parseFileName(name).kind === 'temporary'
      ? name === `${CURRENT_FILE}${TEMPORARY_SUFFIX}`
      : isRemoved.has(name) || isLockLeftover(name),
  );
}

function isLockLeftover(name: string): boolean {
  return parseFileName(name).kind === 'lock' && name !== LOCK_FILE_NAME;
}

/** The entries of files that are neither logs nor tables. */
function describeOther(
  name: string,
  isFile: boolean,
  { view, look, lock }: ReportParts,
  forecast: OpeningForecast,
): readonly RecoveredFile[] {
  const { kind } = parseFileName(name);
  const bytes = view.bytesOf(name);
  const ifOpened = look.refusal === undefined;
  const isRemoved = forecast.filesRemoved.includes(name);
  const act = opening(ifOpened ? (isRemoved ? 'remove' : 'leave') : 'none');
  if (!isFile) {
    return [fileReport({ name, kind: 'unknown', state: 'unknown', reason: 'it is not a file', bytes, opening: act })];
  }
  switch (kind) {
    case 'current': {
      const refusal = look.refusal?.file === CURRENT_FILE ? look.refusal : undefined;
      const isReadable = look.current !== undefined;
      const state = isReadable ? 'intact' : refusal === undefined ? 'unreadable' : 'corrupt';
      const damage = refusal === undefined ? [] : [{ offset: refusal.offset ?? 0, reason: refusal.reason }];
      const formatVersion = isReadable ? 1 : null;
      const action = opening(ifOpened ? 'replace' : 'none');
      const reason = damage[0]?.reason ?? (isReadable ? null : (look.refusal?.reason ?? null));
      return [fileReport({ name, kind, state, damage, reason, formatVersion, bytes, opening: action })];
    }
    case 'lock':
      return [describeLockFile(name, bytes, lock, ifOpened)];
    case 'reserve':
      return [
        fileReport({ name, kind, state: 'intact', reason: 'room that is kept free: no data', bytes, opening: act }),
      ];
    case 'temporary':
      return [
        fileReport({ name, kind, state: 'temporary', reason: 'left of a file being published', bytes, opening: act }),
      ];
    case 'unknown': {
      const isKept = name.endsWith(DAMAGED_SUFFIX);
      const reason = isKept ? 'damaged bytes that a scrub kept and replaced' : 'not a name that a store gives';
      return [fileReport({ name, kind, state: 'unknown', reason, bytes, opening: act })];
    }
    case 'manifest':
    case 'wal':
    case 'table':
      return [];
    default:
      return assertNever(kind, 'file kind');
  }
}

function describeLockFile(name: string, bytes: number, lock: DirectoryLockState, ifOpened: boolean): RecoveredFile {
  if (name !== LOCK_FILE_NAME) {
    const reason = 'left of a process that was taking the lock';
    const action = opening(ifOpened ? 'remove' : 'none');
    return fileReport({ name, kind: 'lock', state: 'temporary', reason, bytes, opening: action });
  }
  if (lock.kind === 'unreadable') {
    const reason = 'it is not a lock file that can be read, so nobody can say who holds the directory';
    return fileReport({ name, kind: 'lock', state: 'corrupt', damage: [{ offset: 0, reason }], bytes });
  }
  const action = opening(lock.kind === 'stale' ? 'take-over' : 'none');
  return fileReport({ name, kind: 'lock', state: 'intact', formatVersion: 1, bytes, opening: action });
}

function describeLock(lock: DirectoryLockState): RecoveredLock {
  if (lock.kind === 'free' || lock.kind === 'unreadable') {
    return { state: lock.kind, liveness: null, pid: null, host: null, takenAt: null };
  }
  const { pid, host, takenAt } = lock.owner;
  return { state: lock.kind, liveness: lock.kind === 'stale' ? 'dead' : lock.liveness, pid, host, takenAt };
}

/** What a writer removed or wrote meanwhile looks missing or damaged; the inside of a table does not, for it never changes. */
function withholdDoubt(file: RecoveredFile): RecoveredFile {
  const isDoubtful = file.state === 'missing' || (file.state === 'corrupt' && file.kind !== 'table');
  return isDoubtful ? { ...file, state: 'vanished', offset: null, damage: [] } : file;
}

/** What opening is refused for comes first, then the rest by name and offset. */
function gatherDamage(refusal: StoreLook['refusal'], files: readonly RecoveredFile[]): readonly StoreDamage[] {
  const all = files
    .filter(({ kind, state }) => kind !== 'lock' && (state === 'corrupt' || state === 'missing'))
    .flatMap(({ name, damage }) => damage.map(({ offset, reason }) => ({ file: name, offset, reason })));
  if (refusal?.code !== 'KAYA_CORRUPTION' || refusal.file === null || refusal.offset === null) return all;
  const { file, offset, reason } = refusal;
  return [{ file, offset, reason }, ...all.filter((each) => each.file !== file || each.offset !== offset)];
}

function decideVerdict(
  { refusal, store }: StoreLook,
  files: readonly RecoveredFile[],
  damage: readonly StoreDamage[],
  isSettled: boolean,
): RecoveryVerdict {
  if (!isSettled) return 'undecided';
  if (damage.length > 0) return 'corrupt';
  if (refusal?.code === 'KAYA_UNSUPPORTED') return 'unsupported';
  if (refusal !== undefined || files.some(({ state }) => state === 'unreadable')) return 'undecided';
  if (store === undefined) return 'empty';
  if (files.some(({ state }) => state === 'unsupported')) return 'unsupported';
  return store.wal.verdict.kind === 'torn' || store.manifest.verdict.kind === 'torn' ? 'recoverable' : 'clean';
}
