/** Merges of real tables against a naive model: what every reader sees afterwards is what it saw before. */

import { encodeUtf8 } from '@kayadb/codec';
import { seededRandom, type SeededRandom, testSeed, VirtualClock } from '@kayadb/testkit';
import { type Fault, FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { del, put, sortEntries } from '../../test/support/entries.ts';
import { tableFileName } from '../files/file-names.ts';
import { compareEntries, type Entry } from '../key/internal-key.ts';
import { RangeDeleteSet } from '../range-delete/range-delete-set.ts';
import type { RangeDelete } from '../range-delete/range-delete.ts';
import type { Compression } from '../sstable/compression.ts';
import { openTable } from '../sstable/open-table.ts';
import { TEST_STORE_ID, writeTable } from '../testing/write-table.ts';
import type { TableMeta } from '../version/table-meta.ts';
import type { MergeTablesJob } from './table-work.ts';
import { mergeTables } from './table-work.ts';

interface Shape {
  readonly compression: Compression;
  readonly blockBytes: number;
  readonly targetBytes: number;
  readonly key: (random: SeededRandom) => string;
  readonly valueBytes: (random: SeededRandom) => number;
}

const shapes: Readonly<Record<string, Shape>> = {
  'small blocks, short keys': {
    compression: 'none',
    blockBytes: 64,
    targetBytes: 4000,
    key: (random) => String(random.int(300)),
    valueBytes: (random) => random.int(20),
  },
  'long shared prefixes, where one key is the beginning of another': {
    compression: 'none',
    blockBytes: 4096,
    targetBytes: 20_000,
    key: (random) => `user:profile:${'x'.repeat(random.int(12))}${'\0'.repeat(random.int(3))}`,
    valueBytes: (random) => random.int(100),
  },
  'compressed blocks': {
    compression: 'zstd',
    blockBytes: 1024,
    targetBytes: 5000,
    key: (random) => `k${String(random.int(2000)).padStart(8, '0')}`,
    valueBytes: (random) => random.int(300),
  },
  'values larger than what is read and written at a time': {
    compression: 'none',
    blockBytes: 4096,
    targetBytes: 600_000,
    key: (random) => `k${random.int(40)}`,
    valueBytes: (random) => (random.chance(0.2) ? 300_000 : random.int(50)),
  },
};

/** Entries of `tables`, in order, read back through the reading half. */
async function contentOf(fileSystem: MemoryFileSystem, tables: readonly TableMeta[]): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for (const table of tables) {
    const { fileNumber, fileBytes } = table;
    const name = tableFileName(fileNumber);
    const expected = { storeId: TEST_STORE_ID, fileNumber, fileBytes };
    const reader = await openTable(fileSystem, `/${name}`, name, expected);
    await reader.verify();
    const cursor = reader.cursor('forward');
    await cursor.seekToStart();
    for (; cursor.entry !== undefined; await cursor.next()) {
      const { key, sequence, kind, value } = cursor.entry;
      found.push({ key: Uint8Array.from(key), sequence, kind, value: Uint8Array.from(value) });
    }
    cursor.close();
    await reader.close();
  }
  return found;
}

/** What is left of sorted `entries`, slowly: newest of each key in each stripe, and nothing that a range delete hides there. */
function naiveMerge(
  entries: readonly Entry[],
  snapshots: readonly number[],
  rangeDeletes: readonly RangeDelete[],
  keepsDeletes: boolean,
): readonly Entry[] {
  const readers = [...snapshots, Infinity];
  const set = new RangeDeleteSet(rangeDeletes);
  const stripeOf = (sequence: number): number => readers.findIndex((reader) => sequence <= reader);
  return entries.filter((entry, i) => {
    const stripe = stripeOf(entry.sequence);
    const before = entries[i - 1];
    const hasNewer =
      before !== undefined && Buffer.compare(before.key, entry.key) === 0 && stripeOf(before.sequence) === stripe;
    if (hasNewer || set.newestCovering(entry.key, readers[stripe]!) > entry.sequence) return false;
    return keepsDeletes || stripe > 0 || entry.kind === put('a', 1).kind;
  });
}

function describeEntries(entries: readonly Entry[]): readonly string[] {
  return entries.map(({ key, sequence, kind, value }) => {
    const text = Buffer.from(value).toString('latin1');
    return `${Buffer.from(key).toString('hex')}#${sequence} ${kind} ${text.length} ${text.slice(0, 20)}`;
  });
}

describe('mergeTables', () => {
  test.each(Object.entries(shapes))('agrees with a naive merge: %s', async (_name, shape) => {
    const random = seededRandom(testSeed());
    for (let round = 0; round < 6; round++) {
      const fileSystem = new MemoryFileSystem();
      const history: Entry[] = [];
      const rangeDeletes: RangeDelete[] = [];
      const count = 200 + random.int(shape.valueBytes(random) > 1000 ? 50 : 600);
      for (let sequence = 1; sequence <= count; sequence++) {
        const key = shape.key(random);
        const start = encodeUtf8(key);
        if (random.chance(0.01)) rangeDeletes.push({ start, end: encodeUtf8(`${key}5`), sequence });
        else if (random.chance(0.2)) history.push(del(key, sequence));
        else history.push(put(key, sequence, String(sequence).padEnd(shape.valueBytes(random), 'v')));
      }
      // Two runs of one table each, as in level 0, and one run of several, as in a deeper level.
      const [first, second] = [random.int(count), random.int(count)].toSorted((a, b) => a - b);
      const parts = [
        sortEntries(history.filter(({ sequence }) => sequence > second!)),
        sortEntries(history.filter(({ sequence }) => sequence > first! && sequence <= second!)),
        sortEntries(history.filter(({ sequence }) => sequence <= first!)),
      ].filter((part) => part.length > 0);
      let fileNumber = 1;
      const runs: TableMeta[][] = [];
      for (const part of parts) {
        const pieces = part === parts.at(-1) ? splitByKey(part, 4) : [part];
        const tables: TableMeta[] = [];
        for (const piece of pieces) {
          const { compression, blockBytes } = shape;
          const path = `/${tableFileName(fileNumber)}`;
          tables.push(await writeTable(fileSystem, path, piece, { fileNumber, compression, blockBytes }));
          fileNumber++;
        }
        runs.push(tables);
      }
      const snapshots = random.chance(0.5) ? [random.int(count), random.int(count)].toSorted((a, b) => a - b) : [];
      const keepsDeletes = random.chance(0.5);
      const job: MergeTablesJob = {
        directory: '',
        snapshots,
        rangeDeletes,
        table: { storeId: TEST_STORE_ID, compression: shape.compression, blockBytes: shape.blockBytes },
        targetBytes: shape.targetBytes,
        bytesPerSecond: 0,
        runs,
        below: keepsDeletes ? 'everywhere' : [],
      };

      const outputs = await mergeTables(job, {
        fileSystem,
        clock: new VirtualClock(),
        yieldTurn: () => Promise.resolve(),
        reserveTable: () => fileNumber++,
        releaseTable: () => undefined,
        isOwnThread: round % 2 === 1,
      });

      const found = await contentOf(fileSystem, outputs);
      const expected = naiveMerge(sortEntries(history), snapshots, rangeDeletes, keepsDeletes);
      expect(describeEntries(found), `round ${round}`).toEqual(describeEntries(expected));
      expect(outputs.reduce((sum, { entryCount }) => sum + entryCount, 0)).toBe(expected.length);
      const isSorted = outputs.every(
        ({ smallestKey }, i) => i === 0 || Buffer.compare(outputs[i - 1]!.largestKey, smallestKey) < 0,
      );
      expect(isSorted).toBe(true);
    }
  });
});

describe('mergeTables on a failing disk', () => {
  /** Merges tables of keys a0 to a39, b0 to b39 and c0 to c39 into many; aborted at the first pause after the fault was met. */
  async function mergeFailing(fault: Fault): Promise<{ readonly openHandles: number; readonly outcome: unknown }> {
    const disk = new MemoryFileSystem();
    const fileSystem = new FaultyFileSystem(disk);
    let fileNumber = 1;
    const tables: TableMeta[] = [];
    for (const prefix of ['a', 'b', 'c']) {
      const entries = sortEntries(Array.from({ length: 40 }, (_, i) => put(`${prefix}${i}`, fileNumber * 100 + i)));
      tables.push(await writeTable(disk, `/${tableFileName(fileNumber)}`, entries, { fileNumber, blockBytes: 64 }));
      fileNumber++;
    }
    const job: MergeTablesJob = {
      directory: '',
      snapshots: [],
      rangeDeletes: [],
      table: { storeId: TEST_STORE_ID, compression: 'none', blockBytes: 64 },
      targetBytes: 600,
      bytesPerSecond: 0,
      runs: [tables],
      below: [],
    };
    fileSystem.inject(fault);
    const outcome = await mergeTables(job, {
      fileSystem,
      clock: new VirtualClock(),
      yieldTurn: () => Promise.resolve(),
      signal: {
        get aborted() {
          return fileSystem.countOf(['sync']) > 0;
        },
      },
      reserveTable: () => fileNumber++,
      releaseTable: () => undefined,
    }).catch((error: unknown) => error);
    return { openHandles: disk.openHandles, outcome };
  }

  test('tells of a failed sync also where it is ended and wants the table no more', async () => {
    const { outcome } = await mergeFailing({ at: 1, kinds: ['sync'], effect: { kind: 'fail', errno: 'EIO' } });

    expect(outcome).toMatchObject({ code: 'KAYA_IO', operation: 'sync' });
  });

  test('closes every file though every close fails', async () => {
    const { openHandles, outcome } = await mergeFailing({
      at: 1,
      kinds: ['close'],
      forever: true,
      effect: { kind: 'fail', errno: 'EIO' },
    });

    expect(outcome).toMatchObject({ code: 'KAYA_IO' });
    expect(openHandles).toBe(0);
  });
});

/** Pieces that share no key. */
function splitByKey(entries: readonly Entry[], count: number): readonly (readonly Entry[])[] {
  const pieces: Entry[][] = [[]];
  for (const [i, entry] of entries.entries()) {
    const isNewKey = i > 0 && compareEntries({ ...entry, sequence: 0 }, { ...entries[i - 1]!, sequence: 0 }) !== 0;
    if (isNewKey && pieces.at(-1)!.length * count >= entries.length) pieces.push([]);
    pieces.at(-1)!.push(entry);
  }
  return pieces;
}
