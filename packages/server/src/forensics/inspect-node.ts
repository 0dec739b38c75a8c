/**
 * Read-only forensics of a node's directory. Safe on evidence: it takes no lock, opens every file for reading only, and changes nothing. Works beside a running node.
 * Page: docs/reference/node-report.md.
 *
 * Invariant: damage that only a concurrent writer made appear is never reported: what looks damaged in a directory that a process has open is looked at again.
 */

import type { Clock } from '@kayadb/codec';
import { CorruptionError, EngineError, inspectStore, type RecoveryReport } from '@kayadb/engine';
import { type Configuration, RaftError, RaftEvidence, type RaftIdentity } from '@kayadb/raft';
import { type FileSystem, FileSystemError, inspectDirectoryLock, type ProcessTable } from '@kayadb/vfs';

import { DirectoryError } from '../directory/directory-error.ts';
import { MachineError } from '../machine/machine-error.ts';
import type { MachineState } from '../machine/machine-state.ts';
import { buildNodeReport } from './build-node-report.ts';
import { examineRaftFiles } from './examine-raft-files.ts';
import { type ExaminedSnapshots, examineSnapshots } from './examine-snapshots.ts';
import { type LogLook, type LookError, type NodeLook, reportedNode } from './node-look.ts';
import { findStore, RAFT_FOLDER, raftIdentityOf, readIdentity } from './node-place.ts';
import type { NodeReport } from './node-report.ts';
import { type NodeProgress, ProgressCounter } from './progress-counter.ts';
import { refuseStopped } from './refuse-stopped.ts';
import { openScratchStore, openStartingStore, type StartingStoreOptions } from './starting-store.ts';

export interface InspectNodeOptions {
  readonly fs: FileSystem;
  readonly processes: ProcessTable;
  readonly clock: Clock;
  /** Lets others have a turn. */
  readonly yieldTurn: () => Promise<void>;
  /** Puts the smallest and largest key of each table into the report, in hexadecimal. Default false. */
  readonly showKeys?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: NodeProgress) => void;
}

/** Bound: how often a directory that a process has open is looked at. */
const MAX_LOOKS = 8;
/** As of something that is not there. */
const NOTHING = [undefined, undefined] as const;
const NO_SNAPSHOTS: ExaminedSnapshots = { files: [], damage: [], isWhole: true };

/**
 * Reads everything in the node's `directory` and reports what it is, what is damaged, and what the next start of the node would do.
 *
 * @throws FileSystemError when the directory is missing or cannot be listed. @throws EngineError KAYA_ABORTED
 */
export async function inspectNode(directory: string, options: InspectNodeOptions): Promise<NodeReport> {
  let before: string | undefined;
  for (let look = 1; ; look++) {
    const found = await lookAtNode(directory, options);
    const report = buildNodeReport(found);
    const finding = JSON.stringify([report.damage, report.verdict]);
    const isSound = report.verdict === 'clean' || report.verdict === 'recoverable';
    if (!report.live || isSound || finding === before) return report;
    if (look === MAX_LOOKS) return { ...report, verdict: 'undecided' };
    before = finding;
  }
}

async function lookAtNode(directory: string, options: InspectNodeOptions): Promise<NodeLook> {
  const { fs, processes, signal } = options;
  const top = new Map<string, number>();
  for (const { name } of await fs.readDirectory(directory))
    top.set(name, (await fs.stat(`${directory}/${name}`))?.bytes ?? 0);
  const lock = await inspectDirectoryLock(fs, directory, processes);
  const progress = await ProgressCounter.begin(fs, directory, options.onProgress);
  const [identity, identityError] = await attempt(() => readIdentity(fs, directory));
  const raftPath = `${directory}/${RAFT_FOLDER}`;
  const isThere = (await fs.stat(raftPath)) !== undefined;
  const raftIdentity = identity === undefined ? undefined : raftIdentityOf(identity);
  const [log, logError] =
    isThere && raftIdentity !== undefined ? await attempt(() => readLog(raftPath, fs, raftIdentity)) : NOTHING;
  const onRead = async (bytes: number): Promise<void> => {
    refuseStopped(signal);
    progress.add(bytes);
    await options.yieldTurn();
  };
  const node = identity === undefined ? undefined : reportedNode(identity);
  const raftFiles = isThere
    ? await examineRaftFiles({ fs, path: raftPath, prefix: `${RAFT_FOLDER}/`, node, log, onRead })
    : [];
  const snapshots =
    identity === undefined ? NO_SNAPSHOTS : await examineSnapshots(fs, directory, log?.snapshot, onRead);
  const place = await findStore(fs, directory);
  const store = place === undefined ? undefined : await readStore(`${directory}/${place.folder}`, options, progress);
  const isReadable = lock.kind !== 'held' && store?.opening.outcome !== 'refused';
  const [machine, machineError] =
    isReadable && raftIdentity !== undefined
      ? await attempt(() => readMachine({ ...options, directory }, place?.folder, log))
      : NOTHING;
  progress.finish();
  const groupPath = `${directory}/groups/0`;
  return {
    directory,
    lock,
    identity,
    identityError,
    log,
    logError,
    raftFiles,
    snapshots,
    storeFolder: place?.folder,
    otherStores: place?.others ?? [],
    store,
    machine,
    machineError,
    top,
    group: (await fs.stat(groupPath)) === undefined ? [] : (await fs.readDirectory(groupPath)).map(({ name }) => name),
  };
}

/** What the report needs of the log. It is not held open: a running node may give up segments at any moment. */
async function readLog(path: string, fs: FileSystem, identity: RaftIdentity): Promise<LogLook> {
  const evidence = await RaftEvidence.read(path, { fs, identity });
  try {
    const { state, snapshot, firstIndex, lastIndex, lastTerm, commit, tail, rewriteFrom, removedByOpening } = evidence;
    const configuration = evidence.configurationAt(lastIndex);
    // The changes of the group are known now, so neither of them reads the log again.
    const certainCommit = (known?: number): number => evidence.certainCommit(known);
    const configurationAt = (index: number): Configuration => evidence.configurationAt(index);
    return {
      state,
      snapshot,
      firstIndex,
      lastIndex,
      lastTerm,
      commit,
      tail,
      rewriteFrom,
      removedByOpening,
      configuration,
      certainCommit,
      configurationAt,
    };
  } finally {
    await evidence.close();
  }
}

async function readStore(
  path: string,
  { fs, processes, clock, showKeys, signal }: InspectNodeOptions,
  progress: ProgressCounter,
): Promise<RecoveryReport> {
  return inspectStore(fs, path, {
    processes,
    clock,
    showKeys: showKeys === true,
    ...(signal && { signal }),
    onProgress: ({ bytes, totalBytes }) => progress.addPart(bytes, totalBytes),
  });
}

/** Of the store that a start goes on with; undefined: there is none yet. Requires: no process has it open, for then it changes meanwhile, and its rows say nothing of a moment. */
async function readMachine(
  options: StartingStoreOptions,
  folder: string | undefined,
  log: LogLook | undefined,
): Promise<MachineState | undefined> {
  if (log === undefined && folder === undefined) return undefined;
  const found = log === undefined ? await openScratchStore(options, folder!) : await openStartingStore(options, log);
  await found?.engine.close();
  return found?.state;
}

/** @returns What `work` gives, or what is the matter with the directory. */
async function attempt<Value>(
  work: () => Promise<Value>,
): Promise<[Value, undefined] | [undefined, LookError | undefined]> {
  try {
    return [await work(), undefined];
  } catch (error) {
    if (error instanceof EngineError && error.code === 'KAYA_ABORTED') throw error;
    if (isLookError(error)) return [undefined, error];
    throw error;
  }
}

function isLookError(error: unknown): error is LookError {
  return [RaftError, CorruptionError, EngineError, DirectoryError, MachineError, FileSystemError].some(
    (type) => error instanceof type,
  );
}
