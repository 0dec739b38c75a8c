/**
 * Opening a Raft directory: reads everything, decides, and only then writes: what no sync vouches for once more, and the two small files.
 *
 * Invariant: nothing changes on disk before everything was read and found good; a crash at any moment leaves what was there, or the same once more.
 * Format: docs/format/raft-log.md, "Life of the log".
 */

import type { FileSystem } from '@kayadb/vfs';

import { defaultEntryBytes } from '../core/config.ts';
import type { Entry } from '../core/types.ts';
import { DurableRaftStorage } from './durable-storage.ts';
import { EntryCache } from './entry-cache.ts';
import { LEFTOVER_NAMES, segmentFileName } from './file-names.ts';
import { HardStateFile } from './hard-state-file.ts';
import { checkIdentity, type RaftIdentity } from './raft-identity.ts';
import { type RaftDirectory, readRaftDirectory } from './read-raft-directory.ts';
import { rewriteTail } from './rewrite-tail.ts';
import { SegmentLog } from './segment-log.ts';
import { SegmentMaker } from './segment-maker.ts';
import { SegmentReaders } from './segment-readers.ts';
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
  const found = await readRaftDirectory(directory, options);
  const opened: Closeable[] = [];
  try {
    return await writeAgain(directory, options, found, opened);
  } catch (error) {
    await Promise.allSettled(opened.map((part) => part.close()));
    throw error;
  }
}

/** @param opened - What is to be closed when it fails. */
async function writeAgain(
  directory: string,
  options: RaftStorageOptions,
  found: RaftDirectory,
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
