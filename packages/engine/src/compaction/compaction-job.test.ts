import { VirtualClock } from '@kayadb/testkit';
import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { del, put } from '../../test/support/entries.ts';
import { tableFileName } from '../files/file-names.ts';
import type { Entry } from '../key/internal-key.ts';
import type { RangeDelete } from '../range-delete/range-delete.ts';
import { TEST_STORE_ID, writeTable } from '../testing/write-table.ts';
import { ManifestWriter } from '../version/manifest.ts';
import { fullStateEdit, type StoreState } from '../version/store-state.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { VersionSet } from '../version/version-set.ts';
import { EMPTY_LEVELS } from '../version/version.ts';
import type { CompactionChoice } from './choice.ts';
import { type CompactionResult, runCompaction } from './compaction-job.ts';
import { InlineTableMaker } from './table-maker.ts';

interface World {
  readonly versions: VersionSet;
  readonly tables: Readonly<Record<number, TableMeta>>;
  run(choice: CompactionChoice, snapshots?: readonly number[]): Promise<CompactionResult | undefined>;
}

/** A store of tables given as entries by file number, each in its level. */
async function openWorld(
  content: readonly { readonly level: number; readonly fileNumber: number; readonly entries: readonly Entry[] }[],
  rangeDeletes: readonly RangeDelete[] = [],
): Promise<World> {
  const fileSystem = new MemoryFileSystem();
  const tables: Record<number, TableMeta> = {};
  const levels = EMPTY_LEVELS.map(() => [] as TableMeta[]);
  for (const { level, fileNumber, entries } of content) {
    tables[fileNumber] = await writeTable(fileSystem, `/${tableFileName(fileNumber)}`, entries, { fileNumber });
    levels[level]!.push(tables[fileNumber]);
  }
  const state: StoreState = { nextFileNumber: 50, oldestSegment: 1, flushedSequence: 30, levels, rangeDeletes };
  const identity = { storeId: TEST_STORE_ID, fileNumber: 49 };
  const manifest = await ManifestWriter.create(fileSystem, '', identity, fullStateEdit(state));
  const startManifest = (): Promise<never> => Promise.reject(new Error('the manifest is small'));
  const versions = new VersionSet(state, manifest, { startManifest, onObsolete: () => undefined });
  const resources = { fileSystem, clock: new VirtualClock(), yieldTurn: () => Promise.resolve() };
  return {
    versions,
    tables,
    run: (choice, snapshots = []) =>
      runCompaction(choice, {
        versions,
        maker: new InlineTableMaker(resources, versions),
        check: () => Promise.resolve(),
        snapshots,
        directory: '',
        tableOf: () => ({ storeId: TEST_STORE_ID, compression: 'none' }),
        targetBytes: 1000,
        bytesPerSecond: 0,
        signal: new AbortController().signal,
      }),
  };
}

function counts({ versions }: World): readonly number[] {
  return versions.current.levels.map(({ length }) => length);
}

describe('runCompaction', () => {
  test('merges a table with what it overlaps into the level below', async () => {
    const world = await openWorld([
      { level: 1, fileNumber: 8, entries: [put('c', 8), put('d', 7)] },
      { level: 2, fileNumber: 5, entries: [put('a', 1), put('z', 2)] },
    ]);
    const [input, below] = [world.tables[8]!, world.tables[5]!];

    const result = await world.run({ kind: 'merge', level: 1, inputs: [input], overlaps: [below] });

    expect(result).toMatchObject({ fromLevel: 1, toLevel: 2, inputs: [input, below], isRewritten: true });
    expect(counts(world)).toEqual([0, 0, 1, 0, 0, 0, 0]);
    const [output] = world.versions.current.levels[2]!;
    expect(output).toMatchObject({ entryCount: 4, fileNumber: 50 });
    expect(output!.rangeDeletesApplied).toBeUndefined();
  });

  test('moves tables down as they are', async () => {
    const world = await openWorld([{ level: 1, fileNumber: 8, entries: [put('c', 8)] }]);
    const table = world.tables[8]!;

    const result = await world.run({ kind: 'move', level: 1, tables: [table] });

    expect(result).toMatchObject({ outputs: [table], isRewritten: false });
    expect(world.versions.current.levels[2]).toEqual([table]);
  });

  test('keeps a delete over a level below the output, and not where nothing is', async () => {
    const entries = [del('a', 9), del('m', 8), put('x', 7)];
    const world = await openWorld([
      { level: 1, fileNumber: 8, entries },
      { level: 3, fileNumber: 5, entries: [put('l', 1), put('n', 2)] },
    ]);

    await world.run({ kind: 'rewrite', level: 1, inputs: [world.tables[8]!] });

    expect(world.versions.current.levels[1]![0]).toMatchObject({ entryCount: 2, deleteCount: 1 });
  });

  test('keeps every delete of a level-0 table that is rewritten: older tables may lie beside it', async () => {
    const world = await openWorld([{ level: 0, fileNumber: 8, entries: [del('a', 9), put('x', 7)] }]);

    await world.run({ kind: 'rewrite', level: 0, inputs: [world.tables[8]!] });

    expect(world.versions.current.levels[0]![0]).toMatchObject({ entryCount: 2, deleteCount: 1 });
  });

  test('drops tables unread, and with the last of them the range delete', async () => {
    const rangeDelete = { start: Uint8Array.of(1), end: undefined, sequence: 20 };
    const world = await openWorld([{ level: 2, fileNumber: 8, entries: [put('c', 8)] }], [rangeDelete]);

    const result = await world.run({ kind: 'drop', level: 2, tables: [world.tables[8]!] });

    expect(result).toMatchObject({ fromLevel: 2, toLevel: 2, outputs: [], isRewritten: false });
    expect(counts(world)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(world.versions.rangeDeletes).toEqual([]);
  });

  test('applies range deletes and says up to where; a snapshot keeps what they hide, and the range delete', async () => {
    const rangeDelete = { start: Uint8Array.of(1), end: undefined, sequence: 20 };
    const content = [{ level: 2, fileNumber: 8, entries: [put('c', 25), put('d', 8)] }];
    const free = await openWorld(content, [rangeDelete]);
    const held = await openWorld(content, [rangeDelete]);

    await free.run({ kind: 'rewrite', level: 2, inputs: [free.tables[8]!] });
    await held.run({ kind: 'rewrite', level: 2, inputs: [held.tables[8]!] }, [10]);

    expect(free.versions.current.levels[2]![0]).toMatchObject({ entryCount: 1, rangeDeletesApplied: 30 });
    expect(free.versions.rangeDeletes).toEqual([]);
    expect(held.versions.current.levels[2]![0]).toMatchObject({ entryCount: 2, rangeDeletesApplied: 10 });
    expect(held.versions.rangeDeletes).toEqual([rangeDelete]);
  });
});
