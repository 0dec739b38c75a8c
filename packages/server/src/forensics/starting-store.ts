/**
 * The store that a start of a node goes on with, opened beside its files: whatever the engine writes stays in memory, so nothing changes in the directory. The code that opens it is
 * the one that opens it in a node, so what that would refuse is refused here.
 */

import { type Clock, DecodeError } from '@kayadb/codec';
import { CorruptionError, type Engine, openEngine } from '@kayadb/engine';
import { RaftError, type RaftEvidence, type Snapshot, type SnapshotFile } from '@kayadb/raft';
import { type FileSystem, isLockFileName, type ProcessTable } from '@kayadb/vfs';

import { snapshotPath } from '../machine/group-folders.ts';
import { MachineError } from '../machine/machine-error.ts';
import { loadState, type MachineState } from '../machine/machine-state.ts';
import { MachineWriter } from '../machine/machine-writer.ts';
import { decodeSnapshotData } from '../machine/snapshot-data.ts';
import { reasonOf } from './node-look.ts';
import { findStore, GROUP_FOLDER, RAFT_FOLDER } from './node-place.ts';
import { ScratchFileSystem } from './scratch-file-system.ts';

export interface StartingStoreOptions {
  readonly fs: FileSystem;
  /** Of the node. */
  readonly directory: string;
  readonly processes: ProcessTable;
  readonly clock: Clock;
  /** Lets others have a turn. */
  readonly yieldTurn: () => Promise<void>;
}

/** What of the log decides which store it is. */
export type LogBounds = Pick<RaftEvidence, 'firstIndex' | 'lastIndex' | 'snapshot'>;

export interface ScratchStore {
  readonly engine: Engine;
  readonly state: MachineState;
  readonly writer: MachineWriter;
}

/** Memory for what is read; applied entries come on top. */
const MEMORY_BYTES = 64 * 1024 * 1024;
/** Of what a group begins with: docs/format/node.md. */
const FIRST_STATE_INDEX = 1;
/** No merge begins by itself: its tables would be kept in memory. */
const NO_MERGES = { level0Tables: 64, level1Bytes: 2 ** 40 } as const;

/**
 * Opens the store in force, or the snapshot that takes its place where it does not reach the log. To be closed.
 *
 * @returns `undefined` where there is neither: a start makes the first one.
 * @throws MachineError KAYA_SNAPSHOT_MISSING, KAYA_FEATURE_LEVEL; RaftError KAYA_RAFT_FOREIGN; CorruptionError; EngineError; FileSystemError: what the start is refused with.
 */
export async function openStartingStore(
  options: StartingStoreOptions,
  log: LogBounds,
): Promise<ScratchStore | undefined> {
  const place = await findStore(options.fs, options.directory);
  const store = place === undefined ? undefined : await openScratchStore(options, place.folder);
  const applied = store?.engine.durableIndex ?? 0;
  if (applied >= log.firstIndex - 1 && !isAhead(applied, log)) return store;
  await store?.engine.close();
  if (isAhead(applied, log)) throw foreign(applied, log.lastIndex);
  return openSnapshot(options, applied, log);
}

/** Whether a store that has applied so much does not belong to the log. A crash in the middle of a group's beginning leaves the first state in the store, and nothing in the log yet. */
export function isAhead(applied: number, { lastIndex }: Pick<LogBounds, 'lastIndex'>): boolean {
  return applied > Math.max(lastIndex, FIRST_STATE_INDEX);
}

/** @param folder - Inside the directory. To be closed. */
export async function openScratchStore(
  { fs, directory, processes, clock, yieldTurn }: StartingStoreOptions,
  folder: string,
): Promise<ScratchStore> {
  const engine = await openEngine(`${directory}/${folder}`, {
    log: 'external',
    memoryBytes: MEMORY_BYTES,
    ...NO_MERGES,
    fileSystem: new ScratchFileSystem(fs, { hides: isLockFileName }),
    processes,
    clock,
  });
  try {
    const state = await loadState(engine);
    return { engine, state, writer: new MachineWriter(engine, state, { clock, yieldTurn }) };
  } catch (error) {
    await engine.close().catch(() => undefined);
    throw error;
  }
}

/** A start would link it into the place of the store. */
async function openSnapshot(
  options: StartingStoreOptions,
  applied: number,
  { firstIndex, snapshot }: LogBounds,
): Promise<ScratchStore> {
  const index = snapshot?.meta.index ?? 0;
  const folder = snapshotPath(GROUP_FOLDER, index);
  const missing = (what: string): MachineError =>
    new MachineError(
      'KAYA_SNAPSHOT_MISSING',
      `the log begins behind entry ${firstIndex - 1}, the store has applied ${applied}, and ${what} the snapshot between`,
    );
  if (snapshot === undefined) throw missing('there is no');
  for (const { name, bytes } of filesOf(snapshot)) {
    const stat = await options.fs.stat(`${options.directory}/${folder}/${name}`);
    if (stat?.bytes !== bytes) throw missing(`${folder}/${name} is missing, or has not the size that it has in`);
  }
  const store = await openScratchStore(options, folder).catch((error: unknown) => {
    if (!(error instanceof CorruptionError)) throw error;
    const file = error.file.startsWith(options.directory) ? folder : `${folder}/${error.file}`;
    throw new CorruptionError(file, error.offset, reasonOf(error), { cause: error });
  });
  const { durableIndex } = store.engine;
  if (durableIndex === index) return store;
  await store.engine.close();
  throw missing(`${folder} holds the state of ${durableIndex} in the place of`);
}

function filesOf({ data }: Snapshot): readonly SnapshotFile[] {
  try {
    return decodeSnapshotData(data);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const reason = `its data: ${error.message}`;
    throw new CorruptionError(`${RAFT_FOLDER}/raft-snapshot.bin`, 0, reason, { cause: error });
  }
}

function foreign(applied: number, lastIndex: number): RaftError {
  return new RaftError(
    'KAYA_RAFT_FOREIGN',
    `the store has applied entry ${applied}, and the log ends at ${lastIndex}: they do not belong together; start from an empty node`,
  );
}
