/** A recovery report as text: the verdict first, then the files, then what opening would do. */

import type { RecoveredFile, RecoveryReport, RecoveryVerdict } from '@kayadb/engine';

import { EXIT, type ExitCode } from './exit-codes.ts';
import { formatTable } from './table-text.ts';

const VERDICTS: Readonly<Record<RecoveryVerdict, { readonly text: string; readonly exitCode: ExitCode }>> = {
  clean: { text: 'CLEAN: the store opens and loses nothing', exitCode: EXIT.ok },
  recoverable: { text: 'RECOVERABLE: the store opens and drops a torn tail only', exitCode: EXIT.ok },
  corrupt: {
    text: 'CORRUPT: something that may have been acknowledged is damaged or missing',
    exitCode: EXIT.corruption,
  },
  unsupported: { text: 'UNSUPPORTED: this version of KayaDB cannot read the store', exitCode: EXIT.invalidArgument },
  undecided: {
    text: 'UNDECIDED: the folder changed during every look',
    exitCode: EXIT.io,
  },
  empty: { text: 'EMPTY: there is no store in this folder', exitCode: EXIT.notFound },
};

/**
 * 0 only if opening would succeed without losing anything but a torn tail. A process that has the store open is no
 * obstacle, since it will close it; a lock that only a person can remove is.
 */
export function exitCodeOf({ verdict, lock }: RecoveryReport): ExitCode {
  const { exitCode } = VERDICTS[verdict];
  const needsPerson = lock.state === 'unreadable' || (lock.state === 'held' && lock.liveness === 'unknown');
  return exitCode === EXIT.ok && needsPerson ? EXIT.lockConflict : exitCode;
}

/** The verdict in a word and a sentence. */
export function verdictText({ verdict, opening, files }: RecoveryReport): string {
  if (verdict !== 'undecided') return VERDICTS[verdict].text;
  if (opening.code === 'KAYA_STORE_IS_BACKUP') return 'UNDECIDED: this is a backup, which is restored and not opened';
  const isRefused = opening.code !== null || files.some(({ state }) => state === 'unreadable');
  return isRefused ? 'UNDECIDED: a file could not be read' : VERDICTS.undecided.text;
}

export async function describeReport(report: RecoveryReport): Promise<string> {
  const sections = [
    describeVerdict(report),
    report.damage.map(({ file, offset, reason }) => `DAMAGE: ${file} at offset ${offset}: ${reason}`).join('\n'),
    report.files
      .filter(({ state }) => state === 'unreadable')
      .map(({ name, reason }) => `UNREADABLE: ${name}: ${reason}`)
      .join('\n'),
    await describeFiles(report.files),
    describeOpening(report),
    report.warnings.map((warning) => `WARNING: ${warning}`).join('\n'),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

/** One line for each file, without its damage. */
export function describeFiles(files: readonly RecoveredFile[]): Promise<string> {
  if (files.length === 0) return Promise.resolve('');
  const head = ['FILE', 'KIND', 'VERSION', 'STATE', 'BYTES', 'RECORDS', 'ENTRIES', 'SEQUENCES', 'OPENING'];
  const rows = files.map((file) => [
    file.name,
    file.kind,
    show(file.formatVersion),
    file.offset === null ? file.state : `${file.state} at ${file.offset}`,
    String(file.bytes),
    show(file.recordCount),
    show(file.entryCount),
    file.firstSequence === null ? '-' : `${file.firstSequence}-${show(file.lastSequence)}`,
    file.opening.action === 'none' ? '-' : file.opening.action,
  ]);
  return formatTable(head, rows);
}

function describeVerdict(report: RecoveryReport): string {
  const lines = [verdictText(report), `directory ${report.directory}`];
  if (report.live) {
    const { pid, host, takenAt } = report.lock;
    const owner = pid === null ? 'a process that cannot be told' : `process ${pid} on ${host} since ${takenAt}`;
    lines.push(`LIVE: ${owner} has it open, so this is a picture of a moment`);
  }
  if (report.storeId !== null) lines.push(`store id ${report.storeId}`);
  if (report.manifest !== null) lines.push(`manifest ${report.manifest}`);
  else if (report.newestWholeManifest !== null) lines.push(`newest whole manifest ${report.newestWholeManifest}`);
  lines.push(`last sequence ${report.lastSequence}`, `last lsn ${report.lastLsn}`);
  if (report.durableIndex !== null) lines.push(`durable index ${report.durableIndex}, in a log kept elsewhere`);
  if (report.rangeDeleteCount !== null && report.rangeDeleteCount > 0) {
    lines.push(`range deletes ${report.rangeDeleteCount}`);
  }
  return lines.join('\n');
}

function describeOpening({ opening }: RecoveryReport): string {
  if (opening.outcome === 'refused') {
    const where = opening.file === null ? '' : ` because of ${opening.file}`;
    const place = opening.offset === null ? '' : ` at offset ${opening.offset}`;
    return `Opening would be refused (${show(opening.code)})${where}${place}: ${show(opening.reason)}`;
  }
  if (opening.outcome === 'creates') return 'Opening would create a new store.';
  const removed = opening.filesRemoved.length === 0 ? 'no file' : opening.filesRemoved.join(', ');
  const lock = opening.lockTakeover ? ', and take over the lock of a process that has ended' : '';
  return (
    `Opening would succeed: replay ${opening.recordsReplayed} records of the write-ahead log, ` +
    `cut ${opening.walTruncatedBytes} bytes of torn tail, remove ${removed}${lock}.`
  );
}

function show(value: number | string | null): string {
  return value === null ? '-' : String(value);
}
