/**
 * Opening a Raft directory: reads everything, decides, and only then writes: what no sync vouches for once more, and the two small files.
 *
 * Invariant: nothing changes on disk before everything was read and found good; a crash at any moment leaves what was there, or the same once more.
 * Format: docs/format/raft-log.md, "Life of the log".
 */

import type { FileSystem } from '@kayadb/vfs';

import { defaultEntryBytes } from '../core/config.ts';
import type { Entry, LogIndex, Snapshot, Term } from '../core/types.ts';
import { RaftCorruptionError } from '../errors.ts';
import { DurableRaftStorage } from './durable-storage.ts';
import { EntryCache } from './entry-cache.ts';
import { EntryTable } from './entry-table.ts';
import {
  LEFTOVER_NAMES,
  parseSegmentFileName,
  segmentFileName,
  SNAPSHOT_FILE_NAME,
  STATE_FILE_NAME,
} from './file-names.ts';
import { HardStateFile, readStateFile } from './hard-state-file.ts';
import { slotOffset, type VersionedVote } from './hard-state-format.ts';
import { checkIdentity, type RaftIdentity } from './raft-identity.ts';
import { rewriteTail } from './rewrite-tail.ts';
import { SegmentLog } from './segment-log.ts';
import { SegmentMaker } from './segment-maker.ts';
import { SegmentReaders } from './segment-readers.ts';
import { type RecoveredLog, recoverSegments } from './segment-recovery.ts';
import { SnapshotStore } from './snapshot-store.ts';

export interface RaftStorageOptions {
  readonly fs: FileSystem;
  readonly identity: RaftIdentity;
  /** A segment is left when it holds so much. Default 16 MiB. */
  readonly segmentBytes?: number;
  /** Bound: memory for entries that are kept to be read again. Default 16 MiB. */
  readonly cacheBytes?: number;
  /** What an entry counts for in the limit of a read: the core's. */
  readonly entryBytes?: (entry: Entry) => number;
}

const DEFAULT_SEGMENT_BYTES = 16 * 1024 * 1024;
const DEFAULT_CACHE_BYTES = 16 * 1024 * 1024;

interface Closeable {
  close(): Promise<void>;
}

/** What was read. */
interface Found {
  readonly names: readonly string[];
  readonly state: VersionedVote | undefined;
  readonly snapshot: Snapshot | undefined;
  readonly log: RecoveredLog;
  /** The snapshot that takes the place of the whole log, because the power went before the log said so. */
  readonly reset: Snapshot | undefined;
  readonly commit: LogIndex;
}

/**
 * Opens what is in `directory`, or makes it. Only one may have it open: that is for the caller to see to.
 *
 * Durability: everything that can be read afterwards survives power loss.
 * @throws RaftCorruptionError when something that was acknowledged is not what was written. Nothing was changed.
 * @throws RaftError KAYA_RAFT_FOREIGN when it is not `identity`'s, KAYA_RAFT_UNSUPPORTED when a newer version wrote it.
 * @throws FileSystemError, or RaftError KAYA_RAFT_POISONED: it may be tried again.
 */
export async function openRaftStorage(directory: string, options: RaftStorageOptions): Promise<DurableRaftStorage> {
  checkIdentity(options.identity);
  await options.fs.makeDirectory(directory);
  const found = await readAll(directory, options);
  const opened: Closeable[] = [];
  try {
    return await writeAgain(directory, options, found, opened);
  } catch (error) {
    await Promise.allSettled(opened.map((part) => part.close()));
    throw error;
  }
}

async function readAll(directory: string, { fs, identity }: RaftStorageOptions): Promise<Found> {
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

/** @param opened - What is to be closed when it fails. */
async function writeAgain(
  directory: string,
  options: RaftStorageOptions,
  found: Found,
  opened: Closeable[],
): Promise<DurableRaftStorage> {
  const { fs, identity, segmentBytes = DEFAULT_SEGMENT_BYTES, cacheBytes = DEFAULT_CACHE_BYTES } = options;
  const { log, reset, commit, snapshot } = found;
  const { version, term, vote } = found.state ?? { version: 0, term: 0, vote: 0 };
  await removeAll(
    fs,
    directory,
    LEFTOVER_NAMES.filter((name) => found.names.includes(name)),
  );
  if (found.state === undefined) await fs.syncDirectory(parentOf(directory));
  const stateFile = await HardStateFile.replace(fs, directory, identity, { version: version + 1, term, vote });
  opened.push(stateFile);

  const readers = new SegmentReaders(fs, directory);
  const maker = new SegmentMaker({ fs, directory, identity, segmentBytes });
  opened.push(readers, maker);
  const seeds = new Map(log.segments.map(({ segment, seed }) => [segment, seed]));
  const source = {
    readSync: (segment: number, buffer: Uint8Array, offset: number) => readers.readSync(segment, buffer, offset),
    seedOf: (segment: number) => seeds.get(segment)!,
  };
  const { file, table } = await rewriteTail({ recovered: log, reset, commit, source }, maker);
  opened.push(file);

  const snapshots = new SnapshotStore(fs, directory, identity);
  if (snapshot !== undefined) await snapshots.save(snapshot);
  for (const segment of log.obsolete) readers.forget(segment);
  await removeAll(fs, directory, log.obsolete.map(segmentFileName));
  const old = log.segments.filter(({ segment }) => !log.obsolete.includes(segment));
  return new DurableRaftStorage({
    log: new SegmentLog({ maker, readers, old, current: file, segmentBytes }),
    table,
    cache: new EntryCache(cacheBytes),
    stateFile,
    snapshots,
    hardState: { term, vote, commit },
    entryBytes: options.entryBytes ?? defaultEntryBytes,
  });
}

async function removeAll(fs: FileSystem, directory: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  for (const name of names) await fs.unlink(`${directory}/${name}`);
  await fs.syncDirectory(directory);
}

function parentOf(directory: string): string {
  const at = directory.replace(/\/+$/u, '').lastIndexOf('/');
  if (at < 0) return '.';
  return at === 0 ? '/' : directory.slice(0, at);
}
