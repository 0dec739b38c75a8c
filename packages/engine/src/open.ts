/** Opening a store: lock, load, start, clean up. A failure on the way leaves the directory as it was. */

import { acquireDirectoryLock, type DirectoryLock, type FileSystem } from '@kayadb/vfs';

import { KayaEngine } from './engine.ts';
import { EngineError } from './errors.ts';
import { createStoreId } from './files/file-header.ts';
import { type EngineOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import { type LoadedStore, loadStore, nextFileNumber } from './recover/load-store.ts';
import { type Resources, resolveResources } from './resources.ts';
import { zstdAvailable } from './sstable/compression.ts';
import { startStore } from './start-store.ts';
import type { Engine, EngineEvent } from './types.ts';
import { EMPTY_LEVELS } from './version/version.ts';

/**
 * Opens the store in `directory`, creating it if allowed. One process at a time may have it open.
 *
 * Durability: whatever is readable once this resolves survives power loss.
 *
 * @throws CorruptionError when something that may have been acknowledged is damaged or missing. Apart from the lock, which
 * is released again, nothing has been changed then.
 * @throws DirectoryLockedError when another process has it open.
 * @throws EngineError KAYA_STORE_MISSING when there is no store and `createIfMissing` is false; KAYA_UNSUPPORTED when a
 * newer version wrote it.
 * @throws TypeError, RangeError for wrong options.
 */
export async function openEngine(directory: string, options: EngineOptions = {}): Promise<Engine> {
  if (typeof directory !== 'string' || directory === '') throw new TypeError('directory must be a path');
  const resolved = checkCompression(resolveOptions(options));
  const resources = resolveResources(options);
  await ensureDirectory(resources.fileSystem, directory, resolved);
  const lock = await acquireDirectoryLock(resources.fileSystem, directory, resources.processes);
  try {
    return await openLocked(directory, lock, resolved, resources);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openLocked(
  directory: string,
  lock: DirectoryLock,
  options: ResolvedOptions,
  resources: Resources,
): Promise<Engine> {
  const { fileSystem, clock } = resources;
  const startMs = clock.now();
  if (lock.tookOverFrom !== undefined) {
    const { pid, host, takenAt } = lock.tookOverFrom;
    options.onEvent({ kind: 'stale-lock-taken', owner: `process ${pid} on ${host}, which took it at ${takenAt}` });
  }
  const found = await loadStore(fileSystem, directory, options.memtableBytes);
  if (found === undefined && !options.createIfMissing) throw storeMissing(directory);
  const loaded = found ?? (await newStore(fileSystem, directory, resources));
  const store = await startStore({ directory, options, resources, loaded });

  const { verdict, recoveredRecords, cleanClose } = loaded;
  const truncatedBytes = verdict?.kind === 'torn' ? verdict.droppedBytes : 0;
  const durationUs = Math.round((clock.now() - startMs) * 1000);
  if (verdict?.kind === 'torn') options.onEvent(describeTornTail(verdict));
  options.onEvent({
    kind: 'opened',
    created: found === undefined,
    cleanClose,
    recoveredRecords,
    truncatedBytes,
    durationUs,
  });
  store.start();
  return new KayaEngine(store, { durationUs, recoveredRecords, truncatedBytes }, () => lock.release());
}

async function newStore(fs: FileSystem, directory: string, resources: Resources): Promise<LoadedStore> {
  return {
    storeId: createStoreId(resources.randomBytes),
    levels: EMPTY_LEVELS,
    memtables: [],
    lastSequence: 0,
    endLsn: 0,
    nextFileNumber: nextFileNumber(await fs.readDirectory(directory)),
    recoveredRecords: 0,
    cleanClose: false,
  };
}

/** Durability: a folder created here survives power loss together with the store in it. */
async function ensureDirectory(fs: FileSystem, directory: string, options: ResolvedOptions): Promise<void> {
  const stat = await fs.stat(directory);
  if (stat !== undefined) return;
  if (!options.createIfMissing) throw storeMissing(directory);
  await fs.makeDirectory(directory);
  await fs.syncDirectory(parentOf(directory));
}

function parentOf(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  const cut = trimmed.lastIndexOf('/');
  if (cut === -1) return '.';
  return cut === 0 ? '/' : trimmed.slice(0, cut);
}

function storeMissing(directory: string): EngineError {
  return new EngineError('KAYA_STORE_MISSING', `there is no store in ${directory}; check the path`);
}

function checkCompression(options: ResolvedOptions): ResolvedOptions {
  if (options.compression === 'none' || zstdAvailable()) return options;
  options.onEvent({
    kind: 'warning',
    message: 'zstd-napi cannot be loaded, so new tables are not compressed; install it or choose compression "none"',
  });
  return { ...options, compression: 'none' };
}

function describeTornTail(verdict: {
  readonly file: string;
  readonly offset: number;
  readonly droppedBytes: number;
}): EngineEvent {
  return { kind: 'torn-tail', file: verdict.file, offset: verdict.offset, bytes: verdict.droppedBytes };
}
