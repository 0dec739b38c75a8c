/** Opening a store: lock, load, start, clean up. A failure on the way leaves the store as it was. */

import { isNativeCrc32c } from '@kayadb/codec';
import { type DirectoryLock, type FileSystem, FileSystemError } from '@kayadb/vfs';

import { KayaEngine } from './engine.ts';
import { EngineError } from './errors.ts';
import { createStoreId } from './files/file-header.ts';
import { type EngineOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import { type LoadedStore, loadStore, nextFileNumber } from './recover/load-store.ts';
import { type Resources, resolveResources } from './resources.ts';
import { adaptToInstallation } from './shortcomings.ts';
import { lockWithReserve, startWithReserve } from './space/open-with-reserve.ts';
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
 * newer version wrote it; KAYA_STORE_LOG when it was created with the other kind of log.
 * @throws TypeError, RangeError for wrong options.
 */
export async function openEngine(directory: string, options: EngineOptions = {}): Promise<Engine> {
  if (typeof directory !== 'string' || directory === '') throw new TypeError('directory must be a path');
  const { options: resolved, warnings } = adaptToInstallation(resolveOptions(options), {
    hasZstd: zstdAvailable(),
    hasNativeCrc32c: isNativeCrc32c(),
  });
  const resources = resolveResources(options);
  await ensureDirectory(resources.fileSystem, directory, resolved);
  const lock = await lockWithReserve(resources, directory);
  try {
    for (const message of warnings) resolved.onEvent({ kind: 'warning', message });
    return await openLocked(directory, lock, resolved, resources);
  } catch (error) {
    // The first failure is the one to report; a lock that could not be removed names a process that will have ended.
    await lock.release().catch(() => undefined);
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
  if (found !== undefined) checkLog(directory, found, options);
  const loaded = found ?? (await newStore(directory, options, resources));
  const store = await startWithReserve(resources, directory, async (isAgain) => {
    const present = isAgain ? await withFreshNumbers(loaded, fileSystem, directory) : loaded;
    return startStore({ directory, options, resources, loaded: present });
  });
  await store.space.open();

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

/**
 * Durability: the folder survives power loss together with the store in it, whoever made it: this open, an earlier one that was
 * cut short, or a person.
 */
async function newStore(directory: string, options: ResolvedOptions, resources: Resources): Promise<LoadedStore> {
  const { fileSystem, randomBytes } = resources;
  try {
    await fileSystem.syncDirectory(parentOf(directory));
  } catch (error) {
    if (!(error instanceof FileSystemError && error.code === 'KAYA_FS_PERMISSION')) throw error;
    const message = `whether ${directory} itself survives power loss is unknown: ${error.message}`;
    options.onEvent({ kind: 'warning', message });
  }
  return {
    storeId: createStoreId(randomBytes),
    levels: EMPTY_LEVELS,
    rangeDeletes: [],
    durableIndex: options.log === 'external' ? 0 : undefined,
    memtables: [],
    lastSequence: 0,
    endLsn: 0,
    nextFileNumber: nextFileNumber(await fileSystem.readDirectory(directory)),
    unnamedFrom: 1,
    recoveredRecords: 0,
    cleanClose: false,
  };
}

/** Behind what an attempt to start left. */
async function withFreshNumbers(loaded: LoadedStore, fs: FileSystem, directory: string): Promise<LoadedStore> {
  const present = nextFileNumber(await fs.readDirectory(directory));
  return { ...loaded, nextFileNumber: Math.max(loaded.nextFileNumber, present) };
}

/** Durability: none before `newStore`. */
async function ensureDirectory(fs: FileSystem, directory: string, options: ResolvedOptions): Promise<void> {
  const stat = await fs.stat(directory);
  if (stat !== undefined) return;
  if (!options.createIfMissing) throw storeMissing(directory);
  await fs.makeDirectory(directory);
}

/** Writes that miss the log in force would be lost without a word, so a store keeps the kind of log that it was created with. */
function checkLog(directory: string, { durableIndex }: LoadedStore, options: ResolvedOptions): void {
  const kept = durableIndex === undefined ? 'own' : 'external';
  if (kept === options.log) return;
  throw new EngineError(
    'KAYA_STORE_LOG',
    `the store in ${directory} was created with log '${kept}' and cannot be opened with log '${options.log}'; open it with '${kept}'`,
  );
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

function describeTornTail(verdict: {
  readonly file: string;
  readonly offset: number;
  readonly droppedBytes: number;
}): EngineEvent {
  return { kind: 'torn-tail', file: verdict.file, offset: verdict.offset, bytes: verdict.droppedBytes };
}
