import { compareBytes, equalBytes } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import {
  crashClone,
  type Fault,
  FaultyFileSystem,
  MemoryFileSystem,
  type OperationKind,
  TraceFileSystem,
} from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { probeKeys, randomEntries } from '../../test/support/random-entries.ts';
import { readCached, readLater, readNow } from '../../test/support/table-reads.ts';
import type { Direction } from '../iterate/cursor.ts';
import type { Entry } from '../key/internal-key.ts';
import { describeCursor, describeRest } from '../testing/describe.ts';
import { describeBytes, describeEntry, parseEntries } from '../testing/lsm-notation.ts';
import { TEST_STORE_ID, writeTable, type WriteTableOptions } from '../testing/write-table.ts';
import { BlockCache } from './block-cache.ts';
import type { Compression } from './compression.ts';
import { openTable } from './open-table.ts';
import { TableBuilder } from './table-builder.ts';
import type { TableReader } from './table-reader.ts';

const NAME = '000007.sst';
const PATH = `/${NAME}`;

async function openEntries(
  entries: readonly Entry[],
  options: Partial<WriteTableOptions> = {},
  cache?: BlockCache,
): Promise<TableReader> {
  const fs = new MemoryFileSystem();
  const meta = await writeTable(fs, PATH, entries, { fileNumber: 7, ...options });
  return openTable(fs, PATH, NAME, { storeId: TEST_STORE_ID, ...meta }, cache === undefined ? {} : { cache });
}

function naiveGet(entries: readonly Entry[], key: Uint8Array, maxSequence: number): Entry | undefined {
  return entries.find((entry) => equalBytes(entry.key, key) && entry.sequence <= maxSequence);
}

function naiveRest(entries: readonly Entry[], direction: Direction, key: Uint8Array): Entry[] {
  if (direction === 'forward') return entries.filter((entry) => compareBytes(entry.key, key) >= 0);
  return entries.filter((entry) => compareBytes(entry.key, key) <= 0).toReversed();
}

const compressions: Compression[] = ['none', 'zstd'];

describe.each(compressions)('a table with compression %s', (compression) => {
  test('answers lookups as a plain array does', async () => {
    const random = seededRandom(testSeed());
    for (let round = 0; round < 8; round++) {
      const entries = randomEntries(random, { keyCount: 60, maxVersions: random.pick([1, 3, 30]), maxValueBytes: 40 });
      const cache = new BlockCache(random.pick([0, 4000, 1_000_000]));
      const table = await openEntries(entries, { compression, blockBytes: random.pick([1, 100, 500]) }, cache);
      const wrong: string[] = [];

      for (const key of random.shuffle(probeKeys(random, entries)).slice(0, 200)) {
        for (const sequence of [Number.MAX_SAFE_INTEGER, random.pick(entries).sequence, 0]) {
          const reading = readLater(table, key, sequence);
          const found = random.chance(0.5) ? await reading : readNow(table, key, sequence);
          const cached = readCached(table, key, sequence);
          const again = await reading;
          const expected = naiveGet(entries, key, sequence);
          const answers = [found, again, cached === 'cold' ? expected : cached].map(
            (each) => each && describeEntry(each),
          );
          if (answers.some((answer) => answer !== (expected && describeEntry(expected)))) {
            wrong.push(`${describeBytes(key)}#${sequence}`);
          }
        }
      }
      await table.verify();
      await table.close();

      expect(wrong).toEqual([]);
    }
  });

  test.each<Direction>(['forward', 'reverse'])('is walked %s as a plain array is', async (direction) => {
    const random = seededRandom(testSeed());
    for (let round = 0; round < 12; round++) {
      const entries = randomEntries(random, { keyCount: 60, maxVersions: random.pick([1, 3, 30]), maxValueBytes: 40 });
      const cache = new BlockCache(random.pick([0, 4000, 1_000_000]));
      const table = await openEntries(entries, { compression, blockBytes: random.pick([1, 100, 500]) }, cache);
      const cursor = table.cursor(direction, {
        readAheadBytes: random.pick([1, 300, 100_000]),
        fillCache: random.chance(0.5),
      });

      expect(cursor.entry).toBeUndefined();
      const all = direction === 'forward' ? entries : entries.toReversed();
      expect(await describeCursor(cursor)).toEqual(all.map(describeEntry));
      for (const key of random.shuffle(probeKeys(random, entries)).slice(0, 60)) {
        await cursor.seek(key);
        const limit = 1 + random.int(30);
        const expected = naiveRest(entries, direction, key).slice(0, limit);
        const walked: string[] = [];
        while (cursor.entry !== undefined && walked.length < limit) {
          walked.push(describeEntry(cursor.entry));
          await cursor.next();
        }
        expect(walked).toEqual(expected.map(describeEntry));
      }
      cursor.close();
      await table.close();
    }
  });

  test('keeps a value of 16 MiB and the largest key', async () => {
    const value = new Uint8Array(16 * 1024 * 1024).fill(0x55);
    value.set([1, 2, 3], value.length - 3);
    const key = new Uint8Array(4096).fill(0xff);
    const entries = [...parseEntries('a#1,SET:x'), { key, sequence: 2, kind: 1, value } as const];

    const table = await openEntries(entries, { compression });

    expect(equalBytes((await readLater(table, key, 9))!.value, value)).toBe(true);
    expect(readNow(table, key.subarray(1), 9)?.value).toBeUndefined();
    await table.verify();
  });

  test('finds old versions of a key whose versions span many blocks', async () => {
    const versions = Array.from({ length: 1000 }, (_, i) => `k#${2000 - 2 * i},SET:value-${i}`);
    const entries = parseEntries(`a#1,SET:x ${versions.join(' ')} z#1,DEL`);
    const table = await openEntries(entries, { compression, blockBytes: 256 });
    expect(table.properties.blockCount).toBeGreaterThan(50);

    const key = Uint8Array.of(0x6b);

    expect(describeEntry((await readLater(table, key, 1001))!)).toBe('k#1000,SET:value-500');
    expect(describeEntry(readNow(table, key, 1001)!)).toBe('k#1000,SET:value-500');
    expect(await readLater(table, key, 1)).toBeUndefined();
    const reverse = table.cursor('reverse');
    await reverse.seek(key);
    expect(describeEntry(reverse.entry!)).toBe('k#2,SET:value-999');
    reverse.close();
    const forward = table.cursor('forward');
    await forward.seek(key);
    expect(describeEntry(forward.entry!)).toBe('k#2000,SET:value-0');
    expect(await describeRest(forward)).toHaveLength(1001);
    forward.close();
  });
});

describe('TableReader', () => {
  test('answers without the file once the block is cached, and at once when the filter says no', async () => {
    const table = await openEntries(parseEntries('a#1,SET:x c#2,SET:y'), {}, new BlockCache(100_000));

    expect(readCached(table, Uint8Array.of(0x61), 9)).toBe('cold');
    expect(readCached(table, Uint8Array.of(0x62), 9)).toBeUndefined();
    await readLater(table, Uint8Array.of(0x61), 9);

    expect(readCached(table, Uint8Array.of(0x61), 9)).toMatchObject({ sequence: 1 });
  });

  test('leaves what was read in the same turn in the cache', async () => {
    const table = await openEntries(parseEntries('a#1,SET:x'), {}, new BlockCache(100_000));

    expect(describeEntry(readNow(table, Uint8Array.of(0x61), 9)!)).toBe('a#1,SET:x');

    expect(readCached(table, Uint8Array.of(0x61), 9)).toMatchObject({ sequence: 1 });
  });

  test('gives values that do not change when the memory of their block is used again', async () => {
    const random = seededRandom(testSeed());
    const entries = Array.from({ length: 60 }, (_, i) => {
      return { key: Uint8Array.of(i), sequence: 1, kind: 1, value: random.bytes(400) } as const;
    });
    const cache = new BlockCache(2000, 512);
    const table = await openEntries(entries, { blockBytes: 512 }, cache);

    const later = await Promise.all(entries.map(({ key }) => readLater(table, key, 9)));
    const now = entries.map(({ key }) => readNow(table, key, 9));

    expect(cache.stats.blocks).toBeLessThan(5);
    for (const [i, { value }] of entries.entries()) {
      expect(equalBytes(later[i]!.value, value)).toBe(true);
      expect(equalBytes(now[i]!.value, value)).toBe(true);
    }
  });

  test('says how many bytes of the file may hold keys of a span', async () => {
    const entries = parseEntries(Array.from({ length: 100 }, (_, i) => `k${i + 100}#1,SET:v`).join(' '));
    const table = await openEntries(entries, { blockBytes: 1 });
    const at = (from: number, to: number | undefined): number =>
      table.approximateBytes({ start: entries[from]!.key, end: to === undefined ? undefined : entries[to]!.key });

    const one = at(0, 0);
    expect(one).toBeGreaterThan(10);
    expect(at(10, 20)).toBe(11 * one);
    expect(at(10, undefined)).toBe(90 * one);
    expect(table.approximateBytes({ start: Uint8Array.of(0), end: Uint8Array.of(1) })).toBe(one);
    expect(table.approximateBytes({ start: Uint8Array.of(0x7a), end: undefined })).toBe(0);
  });

  test('moves a cursor in the same turn over cached and read-ahead blocks', async () => {
    const entries = parseEntries(Array.from({ length: 100 }, (_, i) => `k${i + 100}#1,SET:v`).join(' '));
    const table = await openEntries(entries, { blockBytes: 64 }, new BlockCache(100_000));
    const cursor = table.cursor('forward');

    let waits = 0;
    for (let wait = cursor.seekToStart(); ; wait = cursor.next()) {
      if (wait !== undefined) waits++;
      await wait;
      if (cursor.entry === undefined) break;
    }

    expect(table.properties.blockCount).toBeGreaterThan(30);
    expect(waits).toBe(2);
    cursor.close();
  });

  test('shares one read among lookups that miss the same block', async () => {
    const fs = new MemoryFileSystem();
    const meta = await writeTable(fs, PATH, parseEntries('a#1,SET:x'), { fileNumber: 7 });
    const cache = new BlockCache(100_000);
    const trace = new TraceFileSystem(fs, '/', ['read']);
    const table = await openTable(trace, PATH, NAME, { storeId: TEST_STORE_ID, ...meta }, { cache });

    const key = Uint8Array.of(0x61);
    trace.takeLines();

    const found = await Promise.all([readLater(table, key, 9), readLater(table, key, 9)]);

    expect(found.map((entry) => describeEntry(entry!))).toEqual(['a#1,SET:x', 'a#1,SET:x']);
    expect(trace.takeLines()).toHaveLength(1);
    expect(cache.stats).toMatchObject({ hits: 0, misses: 2, blocks: 1 });
  });

  test('stays open until its last user has gone', async () => {
    const table = await openEntries(parseEntries('a#1,SET:x b#1,SET:y'), { blockBytes: 1 });
    const cursor = table.cursor('forward');
    const wait = cursor.seekToStart();
    cursor.close();

    let isClosed = false;
    const closing = (async () => {
      await table.close();
      isClosed = true;
    })();

    expect(isClosed).toBe(false);
    await wait;
    await closing;
    expect(cursor.entry).toBeUndefined();
    expect(() => table.cursor('forward')).toThrow(/closed/);
    await table.close();
  });

  test('can be closed while a lookup is reading', async () => {
    const table = await openEntries(parseEntries('a#1,SET:x'));

    const lookup = readLater(table, Uint8Array.of(0x61), 9);
    const closing = table.close();

    expect(describeEntry((await lookup)!)).toBe('a#1,SET:x');
    await closing;
  });
});

describe('TableBuilder', () => {
  test('describes the file it wrote', async () => {
    const fs = new MemoryFileSystem();
    const entries = parseEntries('a#5,SET:x b#9,DEL b#3,SET:yy c#4,SET:');

    const meta = await writeTable(fs, PATH, entries, { fileNumber: 7 });

    const bytes = await fs.readFile(PATH);
    expect(meta).toEqual({
      fileNumber: 7,
      fileBytes: bytes.length,
      entryCount: 4,
      deleteCount: 1,
      smallestSequence: 3,
      largestSequence: 9,
      smallestKey: Uint8Array.of(0x61),
      largestKey: Uint8Array.of(0x63),
    });
    const table = await openTable(fs, PATH, NAME, { storeId: TEST_STORE_ID, ...meta });
    expect(table.properties).toMatchObject({ keyBytes: 4, valueBytes: 3, blockCount: 1 });
  });

  test('writes large tables in pieces that together are the table', async () => {
    const random = seededRandom(testSeed());
    const fs = new MemoryFileSystem();
    const entries = Array.from({ length: 3000 }, (_, i) => {
      const key = new TextEncoder().encode(`key${String(i).padStart(6, '0')}`);
      return { key, sequence: 1, kind: 1, value: random.bytes(random.int(700)) } as const;
    });

    const meta = await writeTable(fs, PATH, entries, { fileNumber: 7 });

    expect(meta.fileBytes).toBeGreaterThan(900_000);
    const table = await openTable(fs, PATH, NAME, { storeId: TEST_STORE_ID, ...meta });
    await table.verify();
    expect(table.properties.entryCount).toBe(3000);
  });

  test('foresees the size of the file', async () => {
    const fs = new MemoryFileSystem();
    const builder = await TableBuilder.create(fs, PATH, { storeId: TEST_STORE_ID, fileNumber: 7, compression: 'none' });
    for (let i = 0; i < 5000; i++) {
      const key = new TextEncoder().encode(`key${String(i).padStart(6, '0')}`);
      await builder.add({ key, sequence: 1, kind: 1, value: key });
    }

    const estimate = builder.estimatedBytes;

    const { fileBytes } = await builder.finish();
    expect(estimate / fileBytes).toBeGreaterThan(0.98);
    expect(estimate / fileBytes).toBeLessThan(1.02);
  });

  test('makes data that repeats itself smaller with zstd, and leaves noise as it is', async () => {
    const random = seededRandom(testSeed());
    const size = async (value: () => Uint8Array, compression: Compression): Promise<number> => {
      const entries = Array.from({ length: 300 }, (_, i) => {
        const key = new TextEncoder().encode(`key${String(i).padStart(6, '0')}`);
        return { key, sequence: 1, kind: 1, value: value() } as const;
      });
      return (await writeTable(new MemoryFileSystem(), PATH, entries, { fileNumber: 7, compression })).fileBytes;
    };
    const same = (): Uint8Array => new Uint8Array(500).fill(1);

    expect(await size(same, 'zstd')).toBeLessThan((await size(same, 'none')) / 4);
    expect(await size(() => random.bytes(1500), 'zstd')).toBeGreaterThan(300 * 1500);
  });

  test('cuts a block before the sequence numbers in it span 2^32', async () => {
    const entries = parseEntries(`a#1,SET:x b#${2 ** 32},SET:y c#${2 ** 32 + 1},SET:z d#1,SET:w e#2,SET:u`);

    const table = await openEntries(entries);

    expect(table.properties.blockCount).toBe(3);
    expect(await describeCursor(table.cursor('forward'))).toEqual(entries.map(describeEntry));
  });

  test('has synced the file when it is finished', async () => {
    const fs = new MemoryFileSystem();

    const meta = await writeTable(fs, PATH, parseEntries('a#1,SET:x'), { fileNumber: 7 });
    await fs.syncDirectory('/');

    const afterPowerLoss = crashClone(fs, { kind: 'nothing-unsynced' }, () => 0);
    const table = await openTable(afterPowerLoss, PATH, NAME, { storeId: TEST_STORE_ID, ...meta });
    expect(await describeCursor(table.cursor('forward'))).toEqual(['a#1,SET:x']);
  });

  test.each<OperationKind>(['write', 'sync', 'close'])(
    'passes a failed %s on and can then be abandoned',
    async (kind) => {
      const fault: Fault = { at: 1, kinds: [kind], effect: { kind: 'fail', errno: 'EIO' } };
      const fs = new FaultyFileSystem(new MemoryFileSystem(), [fault]);
      const builder = await TableBuilder.create(fs, PATH, {
        storeId: TEST_STORE_ID,
        fileNumber: 7,
        compression: 'none',
      });
      await builder.add(parseEntries('a#1,SET:x')[0]!);

      await expect(builder.finish()).rejects.toMatchObject({ code: 'KAYA_IO' });

      await builder.abandon();
      expect(await fs.readDirectory('/')).toEqual([]);
    },
  );

  test('removes the file when it is abandoned', async () => {
    const fs = new MemoryFileSystem();
    const builder = await TableBuilder.create(fs, PATH, { storeId: TEST_STORE_ID, fileNumber: 7, compression: 'none' });
    await builder.add(parseEntries('a#1,SET:x')[0]!);

    await builder.abandon();
    await builder.abandon();

    expect(await fs.readDirectory('/')).toEqual([]);
    expect(() => builder.add(parseEntries('b#1,SET:x')[0]!)).toThrow(/no entries/);
  });

  test('does not replace a file that is there', async () => {
    const fs = new MemoryFileSystem();
    await writeTable(fs, PATH, parseEntries('a#1,SET:x'), { fileNumber: 7 });

    await expect(writeTable(fs, PATH, parseEntries('a#1,SET:x'), { fileNumber: 7 })).rejects.toMatchObject({
      code: 'KAYA_FS_EXISTS',
    });
  });

  test.each(['b#1,SET:x a#2,SET:y', 'a#1,SET:x a#2,SET:y', 'a#1,SET:x a#1,SET:y', 'ab#1,SET:x a#1,SET:y'])(
    'refuses entries out of order: %s',
    async (text) => {
      await expect(writeTable(new MemoryFileSystem(), PATH, parseEntries(text), { fileNumber: 7 })).rejects.toThrow(
        /in order/,
      );
    },
  );
});
