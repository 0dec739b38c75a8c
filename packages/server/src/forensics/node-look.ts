/** What one look at the directory of a node has found: the parts of its report. */

import { CorruptionError, type EngineError, type RecoveryReport, type StoreDamage } from '@kayadb/engine';
import { type Configuration, RaftCorruptionError, type RaftError, type RaftEvidence } from '@kayadb/raft';
import type { DirectoryLockState, FileSystemError } from '@kayadb/vfs';

import type { DirectoryError } from '../directory/directory-error.ts';
import { NODE_FILE, type NodeIdentity } from '../directory/node-file.ts';
import type { MachineError } from '../machine/machine-error.ts';
import type { MachineState } from '../machine/machine-state.ts';
import type { ExaminedSnapshots } from './examine-snapshots.ts';
import { GROUP_FOLDER, RAFT_FOLDER } from './node-place.ts';
import type { NodeFile, ReportedNode } from './node-report.ts';

/** What the log holds; undefined things are not there. */
export interface LogLook extends Pick<
  RaftEvidence,
  | 'state'
  | 'snapshot'
  | 'firstIndex'
  | 'lastIndex'
  | 'lastTerm'
  | 'commit'
  | 'tail'
  | 'rewriteFrom'
  | 'removedByOpening'
  | 'certainCommit'
  | 'configurationAt'
> {
  /** When all of it is applied. */
  readonly configuration: Configuration;
}

/** What one look has found. */
export interface NodeLook {
  readonly directory: string;
  readonly lock: DirectoryLockState;
  readonly identity: NodeIdentity | undefined;
  /** Why NODE is not to be used. */
  readonly identityError: LookError | undefined;
  readonly log: LogLook | undefined;
  /** Why the log is refused. */
  readonly logError: LookError | undefined;
  readonly raftFiles: readonly NodeFile[];
  readonly snapshots: ExaminedSnapshots;
  readonly storeFolder: string | undefined;
  readonly otherStores: readonly string[];
  readonly store: RecoveryReport | undefined;
  /** undefined: the store does not open, or a process has it open. */
  readonly machine: MachineState | undefined;
  readonly machineError: LookError | undefined;
  /** Names at the top, with their sizes, and names in the group's folder. */
  readonly top: ReadonlyMap<string, number>;
  readonly group: readonly string[];
}

export type LookError = RaftError | CorruptionError | EngineError | DirectoryError | MachineError | FileSystemError;

export function reportedNode({ node, incarnation, boot, cluster, isRemoved }: NodeIdentity): ReportedNode {
  return { id: node, incarnation, boot, cluster: cluster ?? null, removed: isRemoved };
}

/** The last entry that is committed for certain, by what the log and the store say together. */
export function commitOf(log: LogLook, store: RecoveryReport | undefined): number {
  return log.certainCommit(Math.max(log.commit, store?.durableIndex ?? 0));
}

/** The place that an error names, as a path inside the directory. */
export function placeOf(error: LookError, look: NodeLook): StoreDamage | undefined {
  const reason = reasonOf(error);
  if (error instanceof RaftCorruptionError)
    return { file: `${RAFT_FOLDER}/${error.file}`, offset: error.offset, reason };
  if (error instanceof CorruptionError) {
    const file = error.file.replace(`${look.directory}/`, '');
    const isInside = file === NODE_FILE || file.startsWith(GROUP_FOLDER);
    return { file: isInside ? file : `${look.storeFolder}/${file}`, offset: error.offset, reason };
  }
  if (error.code === 'KAYA_SNAPSHOT_MISSING') return { file: `${RAFT_FOLDER}/raft-snapshot.bin`, offset: 0, reason };
  // Of the log itself its files say it.
  if (error.code === 'KAYA_RAFT_FOREIGN' && error === look.machineError)
    return { file: look.storeFolder ?? GROUP_FOLDER, offset: 0, reason };
  return undefined;
}

/** What is wrong, without the place. */
export function reasonOf({ message }: Error): string {
  return message.replace(/^.* is damaged at offset \d+: /, '');
}
