/** What `kayactl verify` says of a store: the verdict, what was read, and every place that does not verify. */

import type { RecoveredFile, RecoveryReport } from '@kayadb/engine';

import { countText } from './count-text.ts';
import { verdictText } from './recovery-text.ts';
import { shellWord } from './shell-word.ts';

/** A damaged place, and whether the store can do without the file. */
interface Place {
  readonly file: string;
  readonly offset: number;
  readonly reason: string;
}

interface Verification {
  /** Those that are there. */
  readonly files: number;
  readonly tables: number;
  readonly entries: number;
  readonly segments: number;
  readonly records: number;
  /** Read and checked. */
  readonly bytes: number;
  readonly unreadable: readonly { readonly file: string; readonly reason: string | null }[];
  /** Ends of logs that were never known to be durable. */
  readonly torn: readonly Place[];
  /** In files that the store does not need. */
  readonly elsewhere: readonly Place[];
}

export function verificationDocument(report: RecoveryReport): object {
  const { verdict, directory, live, damage, warnings, lock } = report;
  const { files, tables, entries, segments, records, bytes, unreadable, torn, elsewhere } = sumUp(report);
  const ok = verdict === 'clean' || verdict === 'recoverable';
  return {
    ok,
    verdict,
    directory,
    live,
    lock: lock.state,
    files,
    tables,
    entries,
    segments,
    records,
    bytes,
    damage,
    unreadable,
    torn,
    elsewhere,
    warnings,
  };
}

export function describeVerification(report: RecoveryReport): string {
  const { directory, damage, warnings } = report;
  const { files, tables, entries, segments, records, bytes, unreadable, torn, elsewhere } = sumUp(report);
  const content = [
    `${countText(tables, 'table')} with ${countText(entries, 'entry', 'entries')}`,
    `${countText(segments, 'log segment')} with ${countText(records, 'record')}`,
  ];
  const facts = [
    verdictText(report),
    `directory ${directory}`,
    `read ${countText(bytes, 'byte')} in ${countText(files, 'file')}: ${content.join(', ')}`,
  ];
  const sections = [
    facts.join('\n'),
    damage.map(({ file, offset, reason }) => `DAMAGE: ${file} at offset ${offset}: ${reason}`).join('\n'),
    unreadable.map(({ file, reason }) => `UNREADABLE: ${file}: ${reason}`).join('\n'),
    torn.map(({ file, offset, reason }) => `TORN: ${file} at offset ${offset}: ${reason}`).join('\n'),
    elsewhere.map(describeElsewhere).join('\n'),
    warnings.map((warning) => `WARNING: ${warning}`).join('\n'),
    damage.length === 0 ? '' : `For the ways out: kayactl --data ${shellWord(directory)} recover --plan`,
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function describeElsewhere({ file, offset, reason }: Place): string {
  return `NOT NEEDED: ${file} at offset ${offset}: ${reason}; the store does not read this file`;
}

function sumUp({ files }: RecoveryReport): Verification {
  const read = files.filter(({ kind, state }) => isStoreData(kind) && state !== 'unreadable' && state !== 'missing');
  const of = (kind: RecoveredFile['kind']): readonly RecoveredFile[] => read.filter((file) => file.kind === kind);
  return {
    files: files.filter(({ state }) => state !== 'missing').length,
    tables: of('table').length,
    entries: sum(of('table'), 'entryCount'),
    segments: of('wal').length,
    records: sum(of('wal'), 'recordCount'),
    bytes: sum(read, 'bytes'),
    unreadable: files.filter(({ state }) => state === 'unreadable').map(({ name, reason }) => ({ file: name, reason })),
    torn: files
      .filter(({ state }) => state === 'torn-tail')
      .map(({ name, offset, reason }) => ({ file: name, offset: offset ?? 0, reason: reason ?? '' })),
    elsewhere: files
      .filter(({ kind, state }) => kind !== 'lock' && state !== 'corrupt' && state !== 'missing')
      .flatMap(({ name, damage }) => damage.map(({ offset, reason }) => ({ file: name, offset, reason }))),
  };
}

function sum(files: readonly RecoveredFile[], field: 'bytes' | 'entryCount' | 'recordCount'): number {
  return files.reduce((total, file) => total + (file[field] ?? 0), 0);
}

function isStoreData(kind: RecoveredFile['kind']): boolean {
  return kind === 'table' || kind === 'wal' || kind === 'manifest' || kind === 'current';
}
