/** What `recover --dry-run` and `verify` say of a node's directory: the verdict first, then whose it is, what is wrong, and what the next start would do. */

import type { RecoveryVerdict } from '@kayadb/engine';
import type { NodeFile, NodeReport, ReportedLog, StartForecast } from '@kayadb/server';

import { countText } from '../count-text.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { describeFiles } from '../recovery-text.ts';
import { shellWord } from '../shell-word.ts';
import { formatTable } from '../table-text.ts';

const VERDICTS: Readonly<Record<RecoveryVerdict, { readonly text: string; readonly exitCode: ExitCode }>> = {
  clean: { text: 'CLEAN: everything in the directory of the node verifies', exitCode: EXIT.ok },
  recoverable: { text: 'RECOVERABLE: the node starts and leaves out a torn tail only', exitCode: EXIT.ok },
  corrupt: {
    text: 'CORRUPT: something that may have been acknowledged is damaged or missing',
    exitCode: EXIT.corruption,
  },
  unsupported: {
    text: 'UNSUPPORTED: this version of KayaDB cannot read the directory',
    exitCode: EXIT.invalidArgument,
  },
  undecided: {
    text: 'UNDECIDED: a file could not be read, or the directory changed during every look',
    exitCode: EXIT.io,
  },
  empty: { text: 'EMPTY: there is no node in this directory', exitCode: EXIT.notFound },
};

/** 0 only if nothing is lost but a torn tail. A lock that only a person can remove turns that into 6. */
export function nodeExitCode({ verdict, lock }: NodeReport): ExitCode {
  const { exitCode } = VERDICTS[verdict];
  const needsPerson = lock.state === 'unreadable' || (lock.state === 'held' && lock.liveness === 'unknown');
  return exitCode === EXIT.ok && needsPerson ? EXIT.lockConflict : exitCode;
}

export async function describeNodeReport(report: NodeReport): Promise<string> {
  const sections = [
    describeHead(report),
    describeWrong(report),
    await describeNodeFiles(report.files),
    report.store === null ? '' : `${report.storeFolder}:\n${await describeFiles(report.store.files)}`,
    describeStart(report),
    describeWarnings(report),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

/** Without the list of files. */
export function describeNodeVerification(report: NodeReport): string {
  const { files, store, directory, damage } = report;
  const read = files.filter(({ state }) => state !== 'missing' && state !== 'unreadable');
  const records = files.reduce((sum, { recordCount }) => sum + (recordCount ?? 0), 0);
  const entries = files.reduce((sum, { entryCount }) => sum + (entryCount ?? 0), 0);
  const storeBytes = (store?.files ?? [])
    .filter(({ kind }) => ['table', 'manifest', 'current'].includes(kind))
    .reduce((sum, file) => sum + file.bytes, 0);
  const bytes = read.reduce((sum, file) => sum + file.bytes, storeBytes);
  const tables = (store?.files ?? []).filter(({ kind }) => kind === 'table').length;
  const parts = [
    `${countText(records, 'record')} of the log with ${countText(entries, 'entry', 'entries')}`,
    `${countText(files.filter(({ kind }) => kind === 'snapshot-file').length, 'file')} of a snapshot`,
    `a store with ${countText(tables, 'table')}`,
  ];
  const sections = [
    `${describeHead(report)}\nread ${countText(bytes, 'byte')}: ${parts.join(', ')}`,
    describeWrong(report),
    describeWarnings(report),
    damage.length === 0 ? '' : `For the ways out: kayactl --data ${shellWord(directory)} recover --plan`,
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

export function nodeVerificationDocument(report: NodeReport): object {
  const { verdict, directory, live, lock, node, log, damage, files, store, storeFolder, warnings, start } = report;
  return {
    ok: verdict === 'clean' || verdict === 'recoverable',
    verdict,
    directory,
    live,
    lock: lock.state,
    node,
    log,
    storeFolder,
    durableIndex: store?.durableIndex ?? null,
    start,
    damage,
    unreadable: files.filter(({ state }) => state === 'unreadable').map(({ name, reason }) => ({ file: name, reason })),
    warnings,
  };
}

export function describeHead({ verdict, directory, live, lock, node, log, machine, store }: NodeReport): string {
  const lines = [VERDICTS[verdict].text, `directory ${directory}`];
  if (live)
    lines.push(
      `LIVE: process ${lock.pid} on ${lock.host} since ${lock.takenAt} has it open, so this is a picture of a moment`,
    );
  if (node !== null) {
    lines.push(
      `node ${node.id}, incarnation ${node.incarnation}, boot ${node.boot}${node.removed ? ', removed from its group' : ''}`,
    );
    lines.push(`cluster ${node.cluster ?? 'none yet'}`);
  }
  if (log !== null) lines.push(...describeLog(log));
  if (store?.durableIndex !== null && store?.durableIndex !== undefined)
    lines.push(`store holds everything up to entry ${store.durableIndex}`);
  if (machine !== null)
    lines.push(
      `machine at entry ${machine.index} of term ${machine.term}, level ${machine.level}, ${countText(machine.sessionCount, 'session')}`,
    );
  return lines.join('\n');
}

function describeLog(log: ReportedLog): readonly string[] {
  const group = describeGroup(log.configuration);
  const before = describeGroup(log.committedConfiguration);
  const entries =
    log.lastIndex < log.firstIndex
      ? `log is empty behind entry ${log.lastIndex}`
      : `log has entries ${log.firstIndex} to ${log.lastIndex}`;
  return [
    `term ${log.term}, vote ${log.vote === 0 ? 'for nobody' : `for node ${log.vote}`}`,
    `${entries}, the last of term ${log.lastTerm}; committed for certain up to ${log.commit}`,
    ...(log.snapshotIndex === null ? [] : [`snapshot of entry ${log.snapshotIndex}`]),
    `group ${group}`,
    ...(before === group ? [] : [`group as long as its last change is not known to be committed: ${before}`]),
  ];
}

function describeGroup({ voters, votersOutgoing, learners }: ReportedLog['configuration']): string {
  const parts = [`voters ${list(voters)}`];
  if (votersOutgoing.length > 0) parts.push(`before the change under way ${list(votersOutgoing)}`);
  if (learners.length > 0) parts.push(`learners ${list(learners)}`);
  return parts.join(', ');
}

function describeWrong({ damage, files }: NodeReport): string {
  return [
    ...damage.map(({ file, offset, reason }) => `DAMAGE: ${file} at offset ${offset}: ${reason}`),
    ...files.filter(({ state }) => state === 'unreadable').map(({ name, reason }) => `UNREADABLE: ${name}: ${reason}`),
    ...files
      .filter(({ state }) => state === 'torn-tail')
      .map(({ name, offset, reason }) => `TORN: ${name} at offset ${offset}: ${reason}`),
  ].join('\n');
}

export function describeNodeFiles(files: readonly NodeFile[]): Promise<string> {
  if (files.length === 0) return Promise.resolve('');
  return formatTable(
    ['FILE', 'KIND', 'STATE', 'BYTES', 'RECORDS', 'ENTRIES', 'INDEXES'],
    files.map((file) => [
      file.name,
      file.kind,
      file.offset === null ? file.state : `${file.state} at ${file.offset}`,
      String(file.bytes),
      show(file.recordCount),
      show(file.entryCount),
      file.firstIndex === null ? show(file.lastIndex) : `${file.firstIndex}-${show(file.lastIndex)}`,
    ]),
  );
}

function describeStart({ start }: NodeReport): string {
  const lock = start.lockTakeover ? ' It takes over the lock of a process that has ended.' : '';
  if (start.outcome === 'forms') return `The next start waits for a cluster, or founds one.${lock}`;
  if (start.outcome === 'refused') {
    const place =
      start.file === null
        ? ''
        : ` because of ${start.file}${start.offset === null ? '' : ` at offset ${start.offset}`}`;
    return `The next start would be refused (${start.code})${place}: ${start.reason}`;
  }
  return `${describeReplay(start)} It removes ${start.removed.length === 0 ? 'no file' : start.removed.join(', ')}.${lock}`;
}

function describeReplay({ appliedIndex, entriesReplayed, entriesUndecided, snapshotRestored }: StartForecast): string {
  const from =
    snapshotRestored === null
      ? `goes on from entry ${appliedIndex}`
      : `puts the snapshot of entry ${snapshotRestored} in the place of the store`;
  const undecided =
    entriesUndecided === 0
      ? ''
      : `; ${countText(entriesUndecided, 'entry', 'entries')} behind them ${entriesUndecided === 1 ? 'is' : 'are'} kept until the group says whether to apply or to replace ${entriesUndecided === 1 ? 'it' : 'them'}`;
  return `The next start ${from}, and applies ${countText(entriesReplayed, 'entry', 'entries')} of the log at once${undecided}.`;
}

function describeWarnings({ warnings }: NodeReport): string {
  return warnings.map((warning) => `WARNING: ${warning}`).join('\n');
}

function list(nodes: readonly number[]): string {
  return nodes.length === 0 ? 'none' : nodes.join(', ');
}

function show(value: number | null): string {
  return value === null ? '-' : String(value);
}
