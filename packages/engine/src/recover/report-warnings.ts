/** What a person who reads the report should know, in sentences. Pure. */

import { BACKUP_FILE } from '../backup/backup-format.ts';
import { parseFileName } from '../files/file-names.ts';
import type { RecoveredFile, RecoveredFileState, RecoveryReport } from './recovery-report.ts';

type Reported = Pick<
  RecoveryReport,
  'lock' | 'live' | 'files' | 'opening' | 'manifest' | 'newestWholeManifest' | 'damage' | 'storeId'
>;

export function describeWarnings(report: Reported, isSettled: boolean): readonly string[] {
  const { lock, live, files, opening } = report;
  const isBackup = opening.code === 'KAYA_STORE_IS_BACKUP';
  const owner = `process ${lock.pid} on host ${lock.host}, since ${lock.takenAt}`;
  const warnings: (string | false)[] = [
    !isSettled && 'the directory changed during every look, so what looks damaged may not be; copy it and look again',
    live && lock.liveness === 'alive' && `the store is open in ${owner}: this is what it held at one moment`,
    live && lock.liveness !== 'alive' && `the store may be open in ${owner}, which cannot be seen from here`,
    lock.state === 'stale' && `the store was not closed by ${owner}, which has ended`,
    lock.state === 'unreadable' &&
      'LOCK cannot be read, so opening is refused until it is known that nobody uses the directory',
    opening.outcome === 'refused' &&
      report.newestWholeManifest !== null &&
      report.newestWholeManifest !== report.manifest &&
      `${report.newestWholeManifest} is the newest manifest that verifies by itself`,
    opening.outcome === 'opens' &&
      report.damage.length > 0 &&
      'opening would succeed and only reads would fail: the inside of tables is not read when a store is opened',
    warnAbout(files, 'torn-tail', 'ends in a torn write, which opening drops'),
    warnAbout(files, 'orphan', live ? 'is not part of the store (yet, maybe: it is open)' : 'is not part of the store'),
    warnAbout(files, 'temporary', 'is left of a file that was being published'),
    warnAbout(
      files.filter(({ name }) => isStrangeName(name) && (name !== BACKUP_FILE || !isBackup)),
      'unknown',
      'is not a name that a store gives, and is left alone',
    ),
    warnAbout(
      files.filter(({ name }) => !isStrangeName(name)),
      'unknown',
      'has the name of a file of a store, and is no file',
    ),
    warnAbout(files, 'unsupported', 'cannot be read by this version, here'),
    warnAbout(files, 'unreadable', 'could not be read'),
    warnAbout(files, 'vanished', 'was removed while the directory was looked at'),
  ];
  return warnings.filter((warning) => warning !== false);
}

function isStrangeName(name: string): boolean {
  return parseFileName(name).kind === 'unknown';
}

function warnAbout(files: readonly RecoveredFile[], state: RecoveredFileState, what: string): string | false {
  const names = files.filter((file) => file.state === state).map(({ name }) => name);
  return names.length > 0 && `${names.join(', ')}: ${what}`;
}
