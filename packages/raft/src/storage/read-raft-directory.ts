/**
 * Reads a Raft directory and decides what it holds: what opening does first, and all that forensics does.
 *
 * Invariant: never writes. Format: docs/format/raft-log.md, "Where the log ends".
 */

import type { FileSystem } from '@kayadb/vfs';

import type { LogIndex, Snapshot, Term } from '../core/types.ts';
import { RaftCorruptionError } from '../errors.ts';
import { EntryTable } from './entry-table.ts';
import { parseSegmentFileName, segmentFileName, SNAPSHOT_FILE_NAME, STATE_FILE_NAME } from './file-names.ts';
import { readStateFile } from './hard-state-file.ts';
import { slotOffset, type VersionedVote } from './hard-state-format.ts';
import type { RaftIdentity } from './raft-identity.ts';
import { type RecoveredLog, recoverSegments } from './segment-recovery.ts';
import { SnapshotStore } from './snapshot-store.ts';

export interface ReadOptions {
  readonly fs: FileSystem;
  readonly identity: RaftIdentity;
}

/** What was read. */
export interface RaftDirectory {
  readonly names: readonly string[];
  readonly state: VersionedVote | undefined;
  readonly snapshot: Snapshot | undefined;
  readonly log: RecoveredLog;
  /** The snapshot that takes the place of the whole log, because the power went before the log said so. */
  readonly reset: Snapshot | undefined;
  readonly commit: LogIndex;
}

/**
 * Reads everything in `directory` and decides what it is: an empty one is new.
 *
 * @throws RaftCorruptionError, RaftError, FileSystemError as `openRaftStorage`.
 */
export async function readRaftDirectory(directory: string, { fs, identity }: ReadOptions): Promise<RaftDirectory> {
  const names = (await fs.readDirectory(directory)).map(({ name }) => name);
  const segments = names
    .map(parseSegmentFileName)
    .filter((segment) => segment !== undefined)
    .toSorted((a, b) => a - b);
  const state = await readStateFile(fs, directory, identity);
  const snapshot = await new SnapshotStore(fs, directory, identity).read();
  const others = [...(snapshot === undefined ? [] : [SNAPSHOT_FILE_NAME]), ...segments.map(segmentFileName)];
  if (state === undefined && others.length > 0) {
    throw new RaftCorruptionError(STATE_FILE_NAME, 0, `it is missing, and ${others[0]} is there`);
  }
  // It comes first when a directory is made, and nobody has a term before the first segment is there.
  const isNew = state === undefined || (state.term === 0 && others.length === 0);
  if (isNew) return { names, state, snapshot, log: newLog(), reset: undefined, commit: 0 };
  if (segments.length === 0) throw new RaftCorruptionError(segmentFileName(1), 0, 'no segment of the log is there');
  const log = await recoverSegments({ fs, directory, identity, segments });
  const reset = reconcile(log, snapshot);
  refuseForgottenTerm(state, Math.max(log.table.lastTerm, snapshot?.meta.term ?? 0));
  const { lastIndex } = log.table;
  const known = Math.max(log.commit, snapshot?.meta.index ?? 0);
  return { names, state, snapshot, log, reset, commit: Math.min(known, reset?.meta.index ?? lastIndex) };
}

/** @returns The snapshot when nothing of the log is left behind it. @throws RaftCorruptionError when entries are missing between the two. */
function reconcile({ table, begin }: RecoveredLog, snapshot: Snapshot | undefined): Snapshot | undefined {
  const { index, term } = snapshot?.meta ?? { index: 0, term: 0 };
  const found = table.term(index);
  if (found === term) return undefined;
  if (snapshot !== undefined && index >= table.firstIndex) return snapshot;
  throw new RaftCorruptionError(
    begin.file,
    begin.offset,
    `the log begins behind entry ${table.firstIndex - 1}, and the snapshot stands for the entries up to ${index} of term ${term}`,
  );
}

function newLog(): RecoveredLog {
  return {
    table: new EntryTable(0, 0),
    commit: 0,
    segments: [],
    obsolete: [],
    end: { segment: 1, startLsn: 0, firstIndex: 1, previousTerm: 0 },
    rewriteFrom: undefined,
    rewriteIsReset: false,
    begin: { file: segmentFileName(1), offset: 0 },
    tail: { file: segmentFileName(1), offset: 0, reason: 'there is no log yet', kind: 'blank' },
  };
}

/** @param term - Of the last entry. @throws RaftCorruptionError when the node was never told of it: then its vote is as old. */
function refuseForgottenTerm(state: VersionedVote, term: Term): void {
  if (term <= state.term) return;
  throw new RaftCorruptionError(
    STATE_FILE_NAME,
    slotOffset(0),
    `it says term ${state.term}, and there is an entry of term ${term}`,
  );
}
