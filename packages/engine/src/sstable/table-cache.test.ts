import { MemoryFileSystem, TraceFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { readCached, readLater, readNow } from '../../test/support/table-reads.ts';
import { CorruptionError } from '../errors.ts';
import { tableFileName } from '../files/file-names.ts';
import { describeEntry, parseEntries } from '../testing/lsm-notation.ts';
import { TEST_STORE_ID, writeTable } from '../testing/write-table.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { BlockCache } from './block-cache.ts';
import { TableCache } from './table-cache.ts';

interface World {
  readonly trace: TraceFileSystem;
  readonly tables: TableCache;
  readonly blockCache: BlockCache;
  readonly metas: readonly TableMeta[];
}

async function openWorld(maxOpenTables: number, tableCount = 4): Promise<World> {
  const fs = new MemoryFileSystem();
  await fs.makeDirectory('/db');
  const metas: TableMeta[] = [];
  for (let fileNumber = 1; fileNumber <= tableCount; fileNumber++) {
    const path = `/db/${tableFileName(fileNumber)}`;
    metas.push(await writeTable(fs, path, parseEntries(`k#${fileNumber},SET:v`), { fileNumber }));
  }
  const trace = new TraceFileSystem(fs, '/db', ['open', 'close']);
  const blockCache = new BlockCache(100_000);
  const tables = new TableCache({ fs: trace, directory: '/db', storeId: TEST_STORE_ID, blockCache, maxOpenTables });
  return { trace, tables, blockCache, metas };
}

const KEY = Uint8Array.of(0x6b);

describe('TableCache', () => {
  test('opens a table once however many ask for it at the same time', async () => {
    const { tables, trace, metas } = await openWorld(10);

    const readers = await Promise.all([
      tables.acquire(metas[0]!),
      tables.acquire(metas[0]!),
      tables.acquire(metas[0]!),
    ]);

    expect(new Set(readers).size).toBe(1);
    expect(trace.takeLines()).toHaveLength(1);
    expect(tables.acquire(metas[0]!)).toBe(readers[0]);
    for (let i = 0; i < 4; i++) readers[0].release();
    expect(readers[0].isInUse).toBe(false);
    await tables.close();
  });

  test('closes the least recently used table when there are too many', async () => {
    const { tables, trace, metas } = await openWorld(2);
    const use = async (index: number): Promise<void> => (await tables.acquire(metas[index]!)).release();
    await use(0);
    await use(1);
    await use(0);
    trace.takeLines();

    await use(2);

    expect(tables.openTables).toBe(2);
    const lines = trace.takeLines().join('\n');
    expect(lines).toContain('000003.sst');
    expect(lines).toMatch(/close.*000002\.sst/);
    expect(tables.acquire(metas[0]!)).not.toBeInstanceOf(Promise);
  });

  test('does not close a table in use, even beyond its bound', async () => {
    const { tables, metas } = await openWorld(1);
    const held = await Promise.all(metas.map(async (meta) => tables.acquire(meta)));
    expect(tables.openTables).toBe(4);

    for (const [i, reader] of held.entries()) {
      expect(describeEntry(readNow(reader, KEY, 9)!)).toBe(`k#${i + 1},SET:v`);
      reader.release();
    }
    (await tables.acquire(metas[0]!)).release();
    tables.evict(1);
    (await tables.acquire(metas[0]!)).release();

    expect(tables.openTables).toBe(1);
  });

  test('finds the blocks of a table that was closed and opened again', async () => {
    const { tables, metas } = await openWorld(1);
    const first = await tables.acquire(metas[0]!);
    await readLater(first, KEY, 9);
    first.release();
    (await tables.acquire(metas[1]!)).release();

    const again = tables.acquire(metas[0]!);

    expect(again).toBeInstanceOf(Promise);
    expect(readCached(await again, KEY, 9)).toMatchObject({ sequence: 1 });
  });

  test('lets a user of an evicted table finish, then closes the file', async () => {
    const { tables, trace, blockCache, metas } = await openWorld(10);
    const reader = await tables.acquire(metas[0]!);
    await readLater(reader, KEY, 9);
    trace.takeLines();

    tables.evict(1);

    expect(tables.openTables).toBe(0);
    expect(blockCache.stats.blocks).toBe(0);
    expect(describeEntry(readNow(reader, KEY, 9)!)).toBe('k#1,SET:v');
    expect(trace.takeLines()).toEqual([]);
    reader.release();
    await tables.close();
    expect(trace.takeLines()).toHaveLength(1);
  });

  test('does not keep a table open that was evicted while it was being opened', async () => {
    const { tables, metas } = await openWorld(10);

    const opening = tables.acquire(metas[0]!);
    tables.evict(1);
    const reader = await opening;

    expect(describeEntry(readNow(reader, KEY, 9)!)).toBe('k#1,SET:v');
    expect(tables.openTables).toBe(0);
    reader.release();
    await tables.close();
  });

  test('opens a table in the same turn, once, and keeps it', async () => {
    const { tables, trace, metas } = await openWorld(10);
    expect(tables.peek(1)).toBeUndefined();

    const reader = tables.openSync(metas[0]!);

    expect(describeEntry(readNow(reader, KEY, 9)!)).toBe('k#1,SET:v');
    expect(tables.openSync(metas[0]!)).toBe(reader);
    expect(tables.peek(1)).toBe(reader);
    expect(tables.acquire(metas[0]!)).toBe(reader);
    reader.release();
    expect(trace.takeLines()).toEqual(['open 000001.sst']);
    await tables.close();
    expect(() => tables.openSync(metas[1]!)).toThrow(/closed/);
  });

  test('gives everyone the same table when it is opened in both ways at once', async () => {
    const { tables, trace, metas } = await openWorld(10);
    const opening = tables.acquire(metas[0]!);

    const now = tables.openSync(metas[0]!);
    const later = await opening;

    expect(later).toBe(now);
    expect(tables.openTables).toBe(1);
    later.release();
    expect(now.isInUse).toBe(false);
    await tables.close();
    expect(trace.takeLines().filter((line) => line.startsWith('close'))).toHaveLength(2);
  });

  test('does not close the table that a read has just opened because others are in use', async () => {
    const { tables, metas } = await openWorld(1);
    const held = await tables.acquire(metas[0]!);

    const opened = tables.openSync(metas[1]!);

    expect(describeEntry(readNow(opened, KEY, 9)!)).toBe('k#2,SET:v');
    expect(tables.openTables).toBe(2);
    held.release();
    tables.openSync(metas[2]!);
    expect(tables.openTables).toBe(1);
    await tables.close();
  });

  test('takes the memory of open tables out of the budget of the blocks, and gives it back', async () => {
    const { tables, blockCache, metas } = await openWorld(2);
    const reserved: number[] = [];

    for (const meta of metas) {
      (await tables.acquire(meta)).release();
      reserved.push(blockCache.stats.reservedBytes);
    }
    tables.evict(4);
    reserved.push(blockCache.stats.reservedBytes);
    tables.openSync(metas[0]!);
    reserved.push(blockCache.stats.reservedBytes);
    await tables.close();

    const [one] = reserved;
    expect(one).toBeGreaterThan(100);
    expect(reserved).toEqual([1, 2, 2, 2, 1, 2].map((count) => count * one!));
    expect(blockCache.stats.reservedBytes).toBe(0);
  });

  test('tries again after a table could not be opened', async () => {
    const { tables, metas } = await openWorld(10);
    const missing = { ...metas[0]!, fileNumber: 99 };

    await expect(tables.acquire(missing)).rejects.toMatchObject({ code: 'KAYA_FS_NOT_FOUND' });
    await expect(tables.acquire({ ...metas[0]!, fileBytes: 5 })).rejects.toMatchObject({ code: 'KAYA_CORRUPTION' });
    expect(() => tables.openSync(missing)).toThrow(/not exist|ENOENT/);
    expect(() => tables.openSync({ ...metas[0]!, fileBytes: 5 })).toThrow(CorruptionError);

    (await tables.acquire(metas[0]!)).release();
    await tables.close();
  });

  test('waits for users and openings when it is closed, and lets nobody in afterwards', async () => {
    const { tables, trace, metas } = await openWorld(10);
    const held = await tables.acquire(metas[0]!);
    const opening = tables.acquire(metas[1]!);

    let isClosed = false;
    const closing = (async () => {
      await tables.close();
      isClosed = true;
    })();
    (await opening).release();
    await readLater(held, KEY, 9);

    expect(isClosed).toBe(false);
    expect(() => tables.acquire(metas[2]!)).toThrow(/closed/);
    held.release();
    await closing;
    expect(trace.takeLines().filter((line) => line.includes('close'))).toHaveLength(2);
    await tables.close();
  });
});
