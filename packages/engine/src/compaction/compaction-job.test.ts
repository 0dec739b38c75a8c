import { encodeUtf8 } from '@kayadb/codec';
import { VirtualClock } from '@kayadb/testkit';
import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { ArrayCursor, put, tableMeta } from '../../test/support/entries.ts';
import { STORE_ID } from '../../test/support/log-disk.ts';
import type { Entry } from '../key/internal-key.ts';
import { ManifestWriter } from '../version/manifest.ts';
import { fullStateEdit, type StoreState } from '../version/store-state.ts';
import { VersionSet } from '../version/version-set.ts';
import { EMPTY_LEVELS, type Levels } from '../version/version.ts';
import type { CompactionChoice } from './choice.ts';
import { type CompactionResult, runCompaction } from './compaction-job.ts';

/** Runs `choice` on tables whose entries are given by file number. */
async function compact(
  levels: Levels,
  entries: Readonly<Record<number, readonly Entry[]>>,
  choice: CompactionChoice,
): Promise<{ readonly result: CompactionResult | undefined; readonly versions: VersionSet }> {
  const fileSystem = new MemoryFileSystem();
  const state: StoreState = { nextFileNumber: 50, oldestSegment: 1, flushedSequence: 0, levels };
  const identity = { storeId: STORE_ID, fileNumber: 49 };
  const manifest = await ManifestWriter.create(fileSystem, '', identity, fullStateEdit(state));
  const startManifest = (): Promise<never> => Promise.reject(new Error('the manifest is small'));
  const versions = new VersionSet(state, manifest, { startManifest, onObsolete: () => undefined });
  const result = await runCompaction(choice, {
    versions,
    snapshots: () => [],
    clock: new VirtualClock(),
    yieldTurn: () => Promise.resolve(),
    openTableCursor: ({ fileNumber }, direction) => Promise.resolve(new ArrayCursor(entries[fileNumber]!, direction)),
    output: {
      fileSystem,
      directory: '',
      table: { storeId: STORE_ID, compression: 'none' },
      targetBytes: 1000,
      reserveTable: () => versions.reserveTable(),
      releaseTable: (fileNumber) => versions.releaseTable(fileNumber),
      checkTable: () => Promise.resolve(),
    },
  });
  return { result, versions };
}

describe('runCompaction', () => {
  // The turn went on behind the largest key of the level below, which may pass over tables for ever.
  test('says where the next turn of the level begins: behind what left it', async () => {
    const input = tableMeta(8, 'c', 'd');
    const below = tableMeta(5, 'a', 'z');
    const levels = EMPTY_LEVELS.map((empty, level) => (level === 1 ? [input] : level === 2 ? [below] : empty));
    const entries = { 8: [put('c', 8), put('d', 7)], 5: [put('a', 1), put('z', 2)] };

    const { result, versions } = await compact(levels, entries, {
      kind: 'merge',
      level: 1,
      inputs: [input],
      overlaps: [below],
    });

    expect(result).toMatchObject({ fromLevel: 1, largestKey: encodeUtf8('d'), inputs: [input, below] });
    expect(versions.current.levels.map(({ length }) => length)).toEqual([0, 0, 1, 0, 0, 0, 0]);
    expect(versions.current.levels[2]![0]).toMatchObject({ entryCount: 4, fileNumber: 50 });
  });

  test('moves a table down as it is', async () => {
    const table = tableMeta(8, 'c', 'd');
    const levels = EMPTY_LEVELS.map((empty, level) => (level === 1 ? [table] : empty));

    const { result, versions } = await compact(levels, {}, { kind: 'move', level: 1, table });

    expect(result).toMatchObject({ largestKey: encodeUtf8('d'), outputs: [table] });
    expect(versions.current.levels[2]).toEqual([table]);
  });
});
