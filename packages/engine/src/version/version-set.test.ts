import { FileSystemError } from '@kayadb/vfs';
import { FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { tableMeta } from '../../test/support/entries.ts';
import { STORE_ID } from '../../test/support/log-disk.ts';
import { ManifestWriter } from './manifest.ts';
import { fullStateEdit, readStoreState, type StoreState } from './store-state.ts';
import type { TableMeta } from './table-meta.ts';
import { VersionSet } from './version-set.ts';
import { EMPTY_LEVELS } from './version.ts';

interface World {
  readonly fs: FaultyFileSystem;
  readonly versions: VersionSet;
  /** Numbers of the manifests that were to replace another. */
  readonly replacements: number[];
}

async function versionWorld(): Promise<World> {
  const fs = new FaultyFileSystem(new MemoryFileSystem());
  const replacements: number[] = [];
  const state: StoreState = {
    nextFileNumber: 100_000,
    oldestSegment: 1,
    flushedSequence: 0,
    rangeDeletes: [],
    levels: EMPTY_LEVELS,
  };
  const create = (fileNumber: number, present: StoreState): Promise<ManifestWriter> =>
    ManifestWriter.create(fs, '', { storeId: STORE_ID, fileNumber }, fullStateEdit(present));
  const startManifest = (fileNumber: number, present: StoreState): Promise<ManifestWriter> => {
    replacements.push(fileNumber);
    return create(fileNumber, present);
  };
  const manifest = await create(1, state);
  return {
    fs,
    replacements,
    versions: new VersionSet(state, manifest, { startManifest, onObsolete: () => undefined }),
  };
}

let lastTable = 0;

/** A table whose keys take 8 KiB in the manifest. */
function wideTable(fileNumber: number): TableMeta {
  const key = new Uint8Array(4096).fill(0x61);
  return { ...tableMeta(fileNumber, 'a', 'b'), smallestKey: key, largestKey: key };
}

async function addWideTables(versions: VersionSet, count: number): Promise<void> {
  const tables = Array.from({ length: count }, () => ({ level: 0, table: wideTable(++lastTable) }));
  await versions.apply({ addedTables: tables });
}

describe('a manifest that has grown', () => {
  test('is replaced by one that holds the same state', async () => {
    const { fs, versions, replacements } = await versionWorld();
    await addWideTables(versions, 500);
    await versions.apply({ removedTables: [{ level: 0, fileNumber: lastTable }], flushedSequence: 7 });
    expect(replacements).toEqual([]);

    await addWideTables(versions, 40);
    await versions.apply({ flushedSequence: 9 });

    expect(replacements).toEqual([versions.manifestNumber]);
    const current = { storeId: STORE_ID, manifestNumber: versions.manifestNumber };
    const { state } = await readStoreState(fs, '', current);
    expect(state).toMatchObject({ flushedSequence: 9, nextFileNumber: versions.nextFileNumber });
    expect(state.nextFileNumber).toBeGreaterThan(versions.manifestNumber);
    expect(state.levels[0]!.map(({ fileNumber }) => fileNumber)).toEqual(
      versions.current.levels[0]!.map(({ fileNumber }) => fileNumber),
    );
  });

  // The edit was durable and in effect, and still its writer was told that it had failed, and tried again.
  test('goes on where there is no room for another, since the edit at hand is durable', async () => {
    const { fs, versions, replacements } = await versionWorld();
    await addWideTables(versions, 500);
    const isNew = (path: string): boolean => path.endsWith('MANIFEST-100000');
    fs.inject({ at: 1, kinds: ['write'], matchesPath: isNew, effect: { kind: 'fail', errno: 'ENOSPC' } });

    await addWideTables(versions, 100);
    await versions.apply({ flushedSequence: 9 });

    expect(replacements).toEqual([100_000]);
    expect(versions.manifestNumber).toBe(1);
    const { state } = await readStoreState(fs, '', { storeId: STORE_ID, manifestNumber: 1 });
    expect(state.levels[0]).toHaveLength(600);
    expect(state.flushedSequence).toBe(9);
  });

  // The fresh manifest held the state without the clean close, and what the log must end with was forgotten.
  test('is left as it is by the edit that closes the store', async () => {
    const { fs, versions, replacements } = await versionWorld();
    await addWideTables(versions, 505);
    const addedTables = Array.from({ length: 10 }, () => ({ level: 0, table: wideTable(++lastTable) }));
    const cleanClose = { segment: 1, endLsn: 100, lastSequence: 3 };

    await versions.apply({ addedTables, cleanClose });

    const { state } = await readStoreState(fs, '', { storeId: STORE_ID, manifestNumber: versions.manifestNumber });
    expect(state.cleanClose).toEqual(cleanClose);
    expect(replacements).toEqual([]);
  });

  test('fails the edit when it is unknown which manifest is in force', async () => {
    const { fs, versions } = await versionWorld();
    await addWideTables(versions, 500);
    fs.inject({ at: 2, kinds: ['sync'], effect: { kind: 'fail', errno: 'EIO' } });

    await expect(addWideTables(versions, 100)).rejects.toThrow(FileSystemError);
  });

  // A state that is large by itself was written anew with every single edit.
  test('is not replaced again before it has grown to twice what it began with', async () => {
    const { versions, replacements } = await versionWorld();
    await addWideTables(versions, 600);
    expect(replacements).toHaveLength(1);

    for (let flushedSequence = 1; flushedSequence < 20; flushedSequence++) await versions.apply({ flushedSequence });
    await addWideTables(versions, 500);
    expect(replacements).toHaveLength(1);

    await addWideTables(versions, 200);
    expect(replacements).toHaveLength(2);
  });
});

describe('a table being written', () => {
  test('is live until an edit names it, or found no room to', async () => {
    const { fs, versions } = await versionWorld();
    const named = versions.reserveTable();
    const refused = versions.reserveTable();
    const unknown = versions.reserveTable();
    const add = (fileNumber: number): Promise<void> =>
      versions.apply({ addedTables: [{ level: 0, table: tableMeta(fileNumber, 'a', 'b') }] });

    await add(named);
    fs.inject({ at: 1, kinds: ['write'], effect: { kind: 'fail', errno: 'ENOSPC' } });
    await expect(add(refused)).rejects.toMatchObject({ code: 'KAYA_DISK_FULL' });
    fs.inject({ at: 1, kinds: ['sync'], effect: { kind: 'fail', errno: 'EIO' } });
    await expect(add(unknown)).rejects.toMatchObject({ code: 'KAYA_IO' });

    expect([...versions.liveTables()].toSorted((a, b) => a - b)).toEqual([named, unknown]);
  });
});
