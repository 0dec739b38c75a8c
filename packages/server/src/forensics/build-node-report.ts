/** The report of a node's directory, from what one look has found. Pure. */

import { CorruptionError, type RecoveredLock, type RecoveryVerdict, type StoreDamage } from '@kayadb/engine';
import { type DirectoryLockState, FileSystemError, isLockFileName, TEMPORARY_SUFFIX } from '@kayadb/vfs';

import { NODE_FILE } from '../directory/node-file.ts';
import { FEATURE_LEVEL } from '../machine/machine-format.ts';
import { nodeFile } from './examine-raft-files.ts';
import { forecastStart } from './forecast-start.ts';
import { commitOf, type LookError, type NodeLook, placeOf, reportedNode } from './node-look.ts';
import { GROUP_FOLDER, RAFT_FOLDER } from './node-place.ts';
import {
  NODE_REPORT_FORMAT,
  type NodeFile,
  type NodeReport,
  type ReportedLog,
  type ReportedMachine,
  type StartForecast,
} from './node-report.ts';

const GROUP_NAMES: ReadonlySet<string> = new Set(['raft', 'snapshots', 'snapshot.partial']);

export function buildNodeReport(look: NodeLook): NodeReport {
  const { directory, lock, identity, storeFolder, store } = look;
  const log = describeLog(look);
  const machine = describeMachine(look);
  const start = forecastStart(look);
  const files = [...topFiles(look), ...groupFiles(look), ...look.raftFiles, ...look.snapshots.files].toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  const damage = gatherDamage(look, files, start);
  const removed = [
    ...files.filter(({ state }) => state === 'leftover').map(({ name }) => name),
    ...(store?.opening.filesRemoved ?? []).map((name) => `${storeFolder}/${name}`),
  ].toSorted();
  const report = {
    format: NODE_REPORT_FORMAT,
    directory,
    live: lock.kind === 'held',
    lock: describeLock(lock),
    node: identity === undefined ? null : reportedNode(identity),
    log,
    machine,
    storeFolder: storeFolder ?? null,
    store: store ?? null,
    start: { ...start, removed: start.outcome === 'refused' ? [] : removed },
    damage,
    files,
  } as const;
  return { ...report, verdict: decideVerdict(look, report), warnings: warningsOf(look, report) };
}

function describeLog({ log, store }: NodeLook): ReportedLog | null {
  if (log === undefined) return null;
  const { state, snapshot, firstIndex, lastIndex, lastTerm, tail, rewriteFrom, configuration } = log;
  const commit = commitOf(log, store);
  return {
    term: state?.term ?? 0,
    vote: state?.vote ?? 0,
    firstIndex,
    lastIndex,
    lastTerm,
    commit,
    snapshotIndex: snapshot?.meta.index ?? null,
    snapshotTerm: snapshot?.meta.term ?? null,
    configuration,
    committedConfiguration: log.configurationAt(commit),
    tail: tail.kind,
    tailFile: `${RAFT_FOLDER}/${tail.file}`,
    tailOffset: tail.offset,
    rewriteFrom: rewriteFrom ?? null,
  };
}

function describeMachine({ machine }: NodeLook): ReportedMachine | null {
  if (machine === undefined) return null;
  const { row, sessions, members, gone } = machine;
  return {
    ...row,
    sessionCount: sessions.count,
    members: Array.from(members.values()).toSorted((a, b) => a.node - b.node),
    gone: gone.all,
  };
}

function topFiles({ top, identity, identityError, lock }: NodeLook): readonly NodeFile[] {
  const files = [...top].flatMap(([name, bytes]): readonly NodeFile[] => {
    if (name === 'groups') return [];
    if (name === NODE_FILE) return [{ ...describeNode(name, identity !== undefined, identityError), bytes }];
    if (name === NODE_FILE + TEMPORARY_SUFFIX) return [nodeFile({ name, bytes, kind: 'temporary', state: 'leftover' })];
    if (!isLockFileName(name)) return [nodeFile({ name, bytes, kind: 'unknown', state: 'unknown' })];
    return [nodeFile({ name, bytes, kind: 'lock', state: lock.kind === 'unreadable' ? 'unreadable' : 'intact' })];
  });
  if (top.has(NODE_FILE)) return files;
  const reason = 'it says whose directory this is';
  return [...files, nodeFile({ name: NODE_FILE, kind: 'node', state: 'missing', reason })];
}

function describeNode(name: string, isReadable: boolean, error: LookError | undefined): NodeFile {
  if (isReadable) return nodeFile({ name, kind: 'node', state: 'intact' });
  if (error instanceof CorruptionError) {
    const { offset, message } = error;
    return nodeFile({
      name,
      kind: 'node',
      state: 'corrupt',
      offset,
      reason: message,
      damage: [{ offset, reason: message }],
    });
  }
  const state = error instanceof FileSystemError ? 'unreadable' : 'unsupported';
  return nodeFile({ name, kind: 'node', state, reason: error?.message ?? null });
}

function groupFiles({ group, storeFolder, otherStores }: NodeLook): readonly NodeFile[] {
  return group.flatMap((name): readonly NodeFile[] => {
    const path = `${GROUP_FOLDER}/${name}`;
    if (path === storeFolder || (GROUP_NAMES.has(name) && name !== 'snapshot.partial')) return [];
    if (name === 'snapshot.partial')
      return [nodeFile({ name: path, kind: 'folder', state: 'intact', reason: 'a snapshot is arriving' })];
    const isLeftover = otherStores.includes(path) || /^store-\d+\.(?:tmp|partial)$/.test(name);
    return [
      nodeFile({ name: path, kind: isLeftover ? 'folder' : 'unknown', state: isLeftover ? 'leftover' : 'unknown' }),
    ];
  });
}

/** What a start is refused for comes first; no place comes twice. */
function gatherDamage(look: NodeLook, files: readonly NodeFile[], start: StartForecast): readonly StoreDamage[] {
  const places: StoreDamage[] = [];
  const add = (place: StoreDamage | undefined): void => {
    if (place !== undefined && !places.some(({ file, offset }) => file === place.file && offset === place.offset))
      places.push(place);
  };
  for (const error of [look.identityError, look.logError, look.machineError])
    if (error !== undefined) add(placeOf(error, look));
  if (start.outcome === 'refused' && start.file !== null && isDamageCode(start.code)) {
    add({ file: start.file, offset: start.offset ?? 0, reason: start.reason ?? '' });
  }
  for (const { name, state, damage, reason } of files) {
    if (state === 'corrupt') {
      if (damage.length === 0) add({ file: name, offset: 0, reason: reason ?? '' });
      for (const each of damage) add({ file: name, ...each });
    }
    if (state === 'missing' || state === 'foreign') add({ file: name, offset: 0, reason: reason ?? 'it is missing' });
  }
  for (const { file, offset, reason } of look.store?.damage ?? [])
    add({ file: `${look.storeFolder}/${file}`, offset, reason });
  return places;
}

function isDamageCode(code: string | null): boolean {
  return (
    code !== null &&
    [
      'KAYA_CORRUPTION',
      'KAYA_RAFT_CORRUPTION',
      'KAYA_RAFT_FOREIGN',
      'KAYA_SNAPSHOT_MISSING',
      'KAYA_NODE_LOST',
    ].includes(code)
  );
}

function decideVerdict(look: NodeLook, report: Pick<NodeReport, 'damage' | 'files' | 'log'>): RecoveryVerdict {
  const { identityError, logError, machineError, store } = look;
  const codes = [identityError, logError, machineError].map((error) => error?.code);
  const isUnsupported = codes.some(
    (code) => code === 'KAYA_UNSUPPORTED' || code === 'KAYA_RAFT_UNSUPPORTED' || code === 'KAYA_FEATURE_LEVEL',
  );
  const isUnreadable =
    [identityError, logError, machineError].some((error) => error instanceof FileSystemError) ||
    report.files.some(({ state, kind }) => state === 'unreadable' && kind !== 'lock');
  if (report.damage.length > 0) return 'corrupt';
  if (isUnsupported || store?.verdict === 'unsupported') return 'unsupported';
  if (isUnreadable || store?.verdict === 'undecided') return 'undecided';
  return report.log?.tail === 'torn' || store?.verdict === 'recoverable' ? 'recoverable' : 'clean';
}

function describeLock(lock: DirectoryLockState): RecoveredLock {
  if (lock.kind === 'free' || lock.kind === 'unreadable') {
    return { state: lock.kind, liveness: null, pid: null, host: null, takenAt: null };
  }
  const { pid, host, takenAt } = lock.owner;
  return { state: lock.kind, liveness: lock.kind === 'stale' ? 'dead' : lock.liveness, pid, host, takenAt };
}

function warningsOf(
  look: NodeLook,
  { files, log, machine, node }: Pick<NodeReport, 'files' | 'log' | 'machine' | 'node'>,
): readonly string[] {
  const warnings: string[] = [];
  const { lock } = look;
  if (lock.kind === 'stale')
    warnings.push(
      `the node was not closed by process ${lock.owner.pid} on host ${lock.owner.host}, since ${lock.owner.takenAt}, which has ended`,
    );
  if (node?.removed === true)
    warnings.push(`node ${node.id} was removed from its group and does not start with this directory any more`);
  if (log?.tail === 'torn')
    warnings.push(`${log.tailFile}: ends in a torn write, which the next start leaves out; nothing vouches for it`);
  const isMember =
    log !== null &&
    node !== null &&
    [log.configuration.voters, log.configuration.votersOutgoing, log.configuration.learners].some((nodes) =>
      nodes.includes(node.id),
    );
  if (log !== null && log.lastIndex > 0 && !isMember)
    warnings.push('by its own log this node is no member of its group');
  if (machine !== null && machine.level > FEATURE_LEVEL)
    warnings.push(`the group is at level ${machine.level}, and this program knows ${FEATURE_LEVEL}`);
  for (const { name, state } of files)
    if (state === 'unknown') warnings.push(`${name}: not a name that a node gives; it is left alone`);
  for (const warning of look.store?.warnings ?? []) warnings.push(`${look.storeFolder}: ${warning}`);
  return warnings;
}
