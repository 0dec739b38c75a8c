/**
 * Opening a Raft directory: reads everything, decides, and only then writes: what no sync vouches for once more, and the two small files.
 *
 * Invariant: nothing changes on disk before everything was read and found good; a crash at any moment leaves what was there, or the same once more.
 * Format: docs/format/raft-log.md, "Life of the log".
 */

import type { FileSystem } from '@kayadb/vfs';

import { defaultEntryBytes } from '../core/config.ts';
import type { Entry, HardState, LogIndex, Snapshot } from '../core/types.ts';
import { RaftCorruptionError } from '../errors.ts';
import { DurableRaftStorage } from './durable-storage.ts';
import { EntryCache } from './entry-cache.ts';
import { EntryTable } from './entry-table.ts';
import { decodeFileHeader, RAFT_HEADER_BYTES, SEGMENT_MAGIC } from './file-header.ts';
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
  const readers = new SegmentReaders(options.fs, directory);
  try {
    return await writeAgain(directory, options, found, readers);
  } catch (error) {
    await readers.close();
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
  if (state === undefined) {
    await refuseLostState(directory, fs, identity, segments, snapshot);
    return { names, state, snapshot, log: newLog(segments), reset: undefined, commit: 0 };
  }
  if (segments.length === 0) throw new RaftCorruptionError(segmentFileName(1), 0, 'no segment of the log is there');
  const log = await recoverSegments({ fs, directory, identity, segments });
  const reset = reconcile(log, snapshot);
  const { lastIndex, firstIndex, lastTerm } = log.table;
  if (lastIndex >= firstIndex && lastTerm > state.term) {
    throw new RaftCorruptionError(
      STATE_FILE_NAME,
      slotOffset(0),
      `it says term ${state.term}, and the log has an entry of term ${lastTerm}`,
    );
  }
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

/** Without term and vote, a directory is new, or they were lost. */
async function refuseLostState(
  directory: string,
  fs: FileSystem,
  identity: RaftIdentity,
  segments: readonly number[],
  snapshot: Snapshot | undefined,
): Promise<void> {
  if (snapshot !== undefined)
    throw new RaftCorruptionError(STATE_FILE_NAME, 0, `it is missing, and ${SNAPSHOT_FILE_NAME} is there`);
  for (const segment of segments) {
    const file = segmentFileName(segment);
    const bytes = await fs.readFile(`${directory}/${file}`);
    decodeFileHeader(file, bytes.subarray(0, RAFT_HEADER_BYTES), SEGMENT_MAGIC, identity);
    if (bytes.subarray(RAFT_HEADER_BYTES).every((byte) => byte === 0)) continue;
    throw new RaftCorruptionError(STATE_FILE_NAME, 0, `it is missing, and ${file} has records`);
  }
}

function newLog(segments: readonly number[]): RecoveredLog {
  const segment = (segments.at(-1) ?? 0) + 1;
  return {
    table: new EntryTable(0, 0),
    commit: 0,
    segments: [],
    obsolete: segments,
    end: { segment, startLsn: 0, firstIndex: 1, previousTerm: 0 },
    rewriteFrom: undefined,
    rewriteIsReset: false,
    begin: { file: segmentFileName(segment), offset: 0 },
  };
}

async function writeAgain(
  directory: string,
  options: RaftStorageOptions,
  found: Found,
  readers: SegmentReaders,
): Promise<DurableRaftStorage> {
  const { fs, identity, segmentBytes = DEFAULT_SEGMENT_BYTES } = options;
  const { log, reset, commit, state, snapshot } = found;
  await removeAll(
    fs,
    directory,
    LEFTOVER_NAMES.filter((name) => found.names.includes(name)),
  );
  if (state === undefined) await fs.syncDirectory(parentOf(directory));

  const seeds = new Map(log.segments.map(({ segment, seed }) => [segment, seed]));
  const source = {
    readSync: (segment: number, buffer: Uint8Array, offset: number) => readers.readSync(segment, buffer, offset),
    seedOf: (segment: number) => seeds.get(segment)!,
  };
  const maker = new SegmentMaker({ fs, directory, identity, segmentBytes });
  const { file, table } = await rewriteTail({ recovered: log, reset, commit, source }, maker);
  const old = log.segments.filter(({ segment }) => !log.obsolete.includes(segment));
  const segmentLog = new SegmentLog({ maker, readers, old, current: file, segmentBytes });
  try {
    const { version, term, vote } = state ?? { version: 0, term: 0, vote: 0 };
    const stateFile = await HardStateFile.replace(fs, directory, identity, { version: version + 1, term, vote });
    const snapshots = new SnapshotStore(fs, directory, identity);
    try {
      if (snapshot !== undefined) await snapshots.save(snapshot);
      for (const segment of log.obsolete) readers.forget(segment);
      await removeAll(fs, directory, log.obsolete.map(segmentFileName));
      const hardState: HardState = { term, vote, commit };
      const cache = new EntryCache(options.cacheBytes ?? DEFAULT_CACHE_BYTES);
      const { entryBytes = defaultEntryBytes } = options;
      return new DurableRaftStorage({ log: segmentLog, table, cache, stateFile, snapshots, hardState, entryBytes });
    } catch (error) {
      await stateFile.close();
      throw error;
    }
  } catch (error) {
    await segmentLog.close();
    throw error;
  }
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
