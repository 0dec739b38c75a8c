import { equalBytes, readU32 } from '@kayadb/codec';
import { type SeededRandom, seededRandom, testSeed } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import { MemoryFileSystem, TraceFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { readLater, readNow } from '../../test/support/table-reads.ts';
import { CorruptionError, EngineError } from '../errors.ts';
import type { Entry } from '../key/internal-key.ts';
import { describeCursor } from '../testing/describe.ts';
import { describeEntry, parseEntries } from '../testing/lsm-notation.ts';
import { TEST_STORE_ID, writeTable, type WriteTableOptions } from '../testing/write-table.ts';
import { BlockReader } from './block-reader.ts';
import { type Compression, sharedZstd } from './compression.ts';
import { openTable, openTableSync } from './open-table.ts';
import {
  BLOCK_TRAILER_BYTES,
  blockCrc,
  type BlockHandle,
  blockEnd,
  decodeBlockHandle,
  decodeFooter,
  encodeFooter,
} from './sstable-format.ts';
import { unpackBlock } from './stored-block.ts';
import type { ExpectedTable } from './table-frame.ts';
import type { TableReader } from './table-reader.ts';

const NAME = '000007.sst';
const PATH = `/${NAME}`;

interface Part {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

interface Sample {
  readonly entries: readonly Entry[];
  readonly bytes: Uint8Array;
  readonly seed: number;
  readonly parts: readonly Part[];
  readonly dataBlocks: readonly BlockHandle[];
}

const someEntries = parseEntries(
  Array.from(
    { length: 24 },
    (_, i) => `key-${String.fromCharCode(97 + i)}#${i + 1},${i % 5 ? `SET:${'v'.repeat(30)}` : 'DEL'}`,
  ).join(' '),
);

async function sampleTable(options: Partial<WriteTableOptions> = {}, entries = someEntries): Promise<Sample> {
  const fs = new MemoryFileSystem();
  await writeTable(fs, PATH, entries, { fileNumber: 7, blockBytes: 300, ...options });
  const bytes = await fs.readFile(PATH);
  const seed = readU32(bytes, 60);
  const { filter, properties, index } = decodeFooter(bytes.subarray(-64), seed);
  const indexBlock = new BlockReader(
    unpackBlock(bytes, index.offset, index, { file: NAME, seed, zstd: sharedZstd }),
    NAME,
    index.offset,
  );
  const dataBlocks = Array.from({ length: indexBlock.count }, (_, i) =>
    decodeBlockHandle(indexBlock.entry(i).value, 0),
  );
  const part = (name: string, handle: BlockHandle): Part => ({ name, start: handle.offset, end: blockEnd(handle) });
  const parts = [
    { name: 'header', start: 0, end: 64 },
    ...dataBlocks.map((handle) => part('data block', handle)),
    part('filter', filter),
    part('properties', properties),
    part('index', index),
    { name: 'footer', start: bytes.length - 64, end: bytes.length },
  ];
  return { entries, bytes, seed, parts, dataBlocks };
}

async function diskWith(bytes: Uint8Array): Promise<FileSystem> {
  const fs = new MemoryFileSystem();
  const handle = await fs.open(PATH, 'create');
  await handle.write(bytes, 0);
  await handle.close();
  return fs;
}

function expecting(bytes: Uint8Array): ExpectedTable {
  return { storeId: TEST_STORE_ID, fileNumber: 7, fileBytes: bytes.length };
}

/** Opens in the caller's turn; when that is refused, opening later must be refused alike. */
async function openBothWays(disk: FileSystem, expected: ExpectedTable): Promise<TableReader> {
  try {
    return openTableSync(disk, PATH, NAME, expected);
  } catch (error) {
    const later: unknown = await openTable(disk, PATH, NAME, expected).catch((thrown: unknown) => thrown);
    expect(String(later)).toBe(String(error));
    throw later;
  }
}

/** Opens and reads the whole table in every way there is; what it gives out must be right. */
async function readEverything(bytes: Uint8Array, sample: Sample): Promise<void> {
  const table = await openBothWays(await diskWith(bytes), expecting(sample.bytes));
  const faults: unknown[] = [];
  const attempt = async (read: () => Promise<void>): Promise<void> => {
    try {
      await read();
    } catch (error) {
      faults.push(error);
    }
  };
  for (const [i, { key, sequence }] of sample.entries.entries()) {
    await attempt(async () => {
      const found = i % 2 === 0 ? await readLater(table, key, sequence) : readNow(table, key, sequence);
      const expected = describeEntry(sample.entries[i]!);
      if (found === undefined || describeEntry(found) !== expected) throw new Error('a wrong answer');
    });
  }
  for (const direction of ['forward', 'reverse'] as const) {
    const cursor = table.cursor(direction);
    await attempt(async () => {
      expect(await describeCursor(cursor)).toHaveLength(sample.entries.length);
    });
    cursor.close();
  }
  await attempt(() => table.verify());
  await table.close();
  const strange = faults.find((fault) => !(fault instanceof CorruptionError));
  if (strange !== undefined) throw strange;
  if (faults.length > 0) throw faults.at(-1);
}

async function corruptionOf(reading: Promise<void>): Promise<CorruptionError> {
  const error: unknown = await reading.then(
    () => expect.fail('nothing was noticed'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CorruptionError)) throw error;
  expect(error.file).toBe(NAME);
  return error;
}

const compressions: Compression[] = ['none', 'zstd'];

describe.each(compressions)('damage to a table with compression %s', (compression) => {
  test('is told from no damage', async () => {
    const sample = await sampleTable({ compression });

    expect(sample.dataBlocks.length).toBeGreaterThan(3);
    expect(sample.dataBlocks.some((block) => block.storedBytes < block.rawBytes)).toBe(compression === 'zstd');
    expect(sample.parts.map((part) => part.start).slice(1)).toEqual(sample.parts.map((part) => part.end).slice(0, -1));
    await readEverything(sample.bytes, sample);
  });

  test('is noticed and placed whichever byte it hits', async () => {
    const random = seededRandom(testSeed());
    const sample = await sampleTable({ compression });
    const misplaced: string[] = [];
    for (let at = 0; at < sample.bytes.length; at++) {
      const damaged = sample.bytes.slice();
      damaged[at]! ^= 1 << random.int(8);

      const error = await corruptionOf(readEverything(damaged, sample));

      const { name, start, end } = sample.parts.find((part) => at >= part.start && at < part.end)!;
      if (error.offset < start || error.offset >= end) misplaced.push(`byte ${at} of the ${name}: ${error.message}`);
    }
    expect(misplaced).toEqual([]);
  });

  test('is noticed when the file is cut short anywhere or longer than it was', async () => {
    const sample = await sampleTable({ compression });
    for (let length = 0; length < sample.bytes.length; length++) {
      const error = await corruptionOf(readEverything(sample.bytes.slice(0, length), sample));
      expect(error.offset).toBe(length);
    }

    const longer = await corruptionOf(readEverything(Uint8Array.from([...sample.bytes, 0]), sample));
    expect(longer.offset).toBe(sample.bytes.length);
  });

  test('is noticed when two blocks have changed places', async () => {
    const sample = await sampleTable({ compression });
    const [first, second] = findTwins(sample.dataBlocks);
    const swapped = sample.bytes.slice();
    swapped.set(sample.bytes.subarray(first.offset, blockEnd(first)), second.offset);
    swapped.set(sample.bytes.subarray(second.offset, blockEnd(second)), first.offset);
    expect(equalBytes(swapped, sample.bytes)).toBe(false);

    const error = await corruptionOf(readEverything(swapped, sample));

    expect(error.offset).toBe(first.offset);
  });

  test.each([
    ['another table of the same store', { fileNumber: 8 }],
    ['the same table of another store', { storeId: new Uint8Array(16).fill(9) }],
  ])('is noticed when a block or a header comes from %s', async (_name, options) => {
    const sample = await sampleTable({ compression });
    const foreign = await sampleTable({ compression, ...options });
    const [, block] = sample.dataBlocks;
    const withBlock = sample.bytes.slice();
    withBlock.set(foreign.bytes.subarray(block!.offset, blockEnd(block!)), block!.offset);
    const withHeader = sample.bytes.slice();
    withHeader.set(foreign.bytes.subarray(0, 64));

    expect((await corruptionOf(readEverything(withBlock, sample))).offset).toBe(block!.offset);
    expect((await corruptionOf(readEverything(withHeader, sample))).offset).toBe(0);
    expect((await corruptionOf(readEverything(foreign.bytes, sample))).offset).toBe(0);
  });

  test('that carries right checksums never makes a reader do anything but refuse or answer', async () => {
    const random = seededRandom(testSeed());
    const sample = await sampleTable({ compression });
    let refused = 0;
    for (let round = 0; round < 1000; round++) {
      const crafted = craft(random, sample);
      try {
        const table = await openTable(await diskWith(crafted), PATH, NAME, expecting(crafted));
        for (const { key } of random.shuffle(sample.entries).slice(0, 4)) {
          if (random.chance(0.5)) await readLater(table, key, random.int(40));
          else readNow(table, key, random.int(40));
        }
        const cursor = table.cursor(random.pick(['forward', 'reverse']));
        await cursor.seek(random.pick(sample.entries).key);
        for (let i = 0; i < 30 && cursor.entry !== undefined; i++) await cursor.next();
        cursor.close();
        await table.verify();
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(300);
  });
});

describe('a table that verification finds wrong though its checksums are right', () => {
  async function verifying(bytes: Uint8Array): Promise<void> {
    const table = await openTable(await diskWith(bytes), PATH, NAME, expecting(bytes));
    await table.verify();
  }

  test('has entries out of order across blocks', async () => {
    const sample = await sampleTable({ blockBytes: 1 }, parseEntries('aa#1,SET:x bb#1,SET:y cc#1,SET:z'));
    const [, middle] = sample.dataBlocks;
    const crafted = sample.bytes.slice();
    // The key of the middle block: behind the front of one entry and the entry's header. It is its own shared prefix.
    crafted.fill(0x61, middle!.offset + 36, middle!.offset + 38);
    reseal(crafted, middle!, sample.seed);

    await expect(verifying(crafted)).rejects.toMatchObject({
      offset: middle!.offset,
      message: expect.stringContaining('out of order'),
    });
  });

  test('has a filter that does not know its keys', async () => {
    const sample = await sampleTable();
    const { filter } = decodeFooter(sample.bytes.subarray(-64), sample.seed);
    const crafted = sample.bytes.slice().fill(0, filter.offset + 16, filter.offset + filter.storedBytes);
    reseal(crafted, filter, sample.seed);

    await expect(verifying(crafted)).rejects.toThrow(/the filter does not know/);
  });

  test('has properties that are not those of its entries', async () => {
    const sample = await sampleTable();
    const { properties } = decodeFooter(sample.bytes.subarray(-64), sample.seed);
    const crafted = sample.bytes.slice();
    // The count of deletes: behind tag, length and value of the first property, and its own tag and length.
    crafted[properties.offset + 5]!++;
    reseal(crafted, properties, sample.seed);

    await expect(verifying(crafted)).rejects.toMatchObject({ offset: properties.offset });
  });

  test('has an index whose keys are not the last of their blocks', async () => {
    const sample = await sampleTable({ blockBytes: 1 }, parseEntries('aa#1,SET:x bb#1,SET:y cc#1,SET:z'));
    const { index } = decodeFooter(sample.bytes.subarray(-64), sample.seed);
    const crafted = sample.bytes.slice();
    // The key "bb" becomes "bc", in the second head and in the second entry.
    crafted[index.offset + 16 + 4 + 2] = 0x63;
    crafted[index.offset + 16 + 3 * 12 + (8 + 2 + 16) + 8 + 1] = 0x63;
    reseal(crafted, index, sample.seed);

    await expect(verifying(crafted)).rejects.toThrow(/index entry 1 is not its block's last key/);
  });
});

describe('openTable', () => {
  test.each([
    ['starts elsewhere', 0, 0, /index entry 0 does not name the next block/],
    ['skips bytes', 1, 0, /index entry 1 does not name the next block/],
    ['overlaps the filter', 2, 8, /leaves out data blocks/],
  ])('refuses a table whose index %s', async (_name, ordinal, field, message) => {
    const sample = await sampleTable({ blockBytes: 1 }, parseEntries('aa#1,SET:x bb#1,SET:y cc#1,SET:z'));
    const { index } = decodeFooter(sample.bytes.subarray(-64), sample.seed);
    const crafted = sample.bytes.slice();
    const handleAt = index.offset + 16 + 3 * 12 + ordinal * (8 + 2 + 16) + 8 + 2;
    crafted[handleAt + field]!++;
    if (field === 8) crafted[handleAt + 12]!++;
    reseal(crafted, index, sample.seed);

    const opening = openTable(await diskWith(crafted), PATH, NAME, expecting(crafted));

    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toMatchObject({ file: NAME, offset: index.offset });
  });

  test('leaves no file open when it refuses a table', async () => {
    const sample = await sampleTable();
    const trace = new TraceFileSystem(await diskWith(sample.bytes.fill(0, 64)), '/', ['open', 'close']);

    await expect(openTable(trace, PATH, NAME, expecting(sample.bytes))).rejects.toBeInstanceOf(CorruptionError);
    expect(() => openTableSync(trace, PATH, NAME, expecting(sample.bytes))).toThrow(CorruptionError);

    expect(trace.takeLines()).toHaveLength(4);
  });
});

describe('a compressed table where zstd cannot be loaded', () => {
  test.each([
    ['data blocks', [{ ...someEntries[1]!, key: seededRandom(1).bytes(200), value: new Uint8Array(900) }], false],
    ['data blocks and index', someEntries, true],
  ])('is refused when it is opened: %s', async (_name, entries, isIndexCompressed) => {
    const { bytes, seed } = await sampleTable({ compression: 'zstd' }, entries);
    const { index } = decodeFooter(bytes.subarray(-64), seed);
    expect(index.storedBytes < index.rawBytes).toBe(isIndexCompressed);

    const opening = openTable(await diskWith(bytes), PATH, NAME, expecting(bytes), { zstd: () => undefined });

    await expect(opening).rejects.toBeInstanceOf(EngineError);
    await expect(opening).rejects.toMatchObject({ code: 'KAYA_UNSUPPORTED', message: expect.stringContaining(NAME) });
    const disk = await diskWith(bytes);
    expect(() => openTableSync(disk, PATH, NAME, expecting(bytes), { zstd: () => undefined })).toThrow(/zstd-napi/);
  });

  test('is not written: new tables fall back to none', async () => {
    const plain = await sampleTable({ compression: 'none' });

    const fallback = await sampleTable({ compression: 'zstd', zstd: () => undefined });

    expect(equalBytes(fallback.bytes, plain.bytes)).toBe(true);
  });
});

function findTwins(blocks: readonly BlockHandle[]): [BlockHandle, BlockHandle] {
  for (const [i, first] of blocks.entries()) {
    const second = blocks.slice(i + 1).find((block) => block.storedBytes === first.storedBytes);
    if (second !== undefined) return [first, second];
  }
  throw new Error('no two blocks have the same size');
}

/** Makes the block's checksum right for whatever its bytes are now. */
function reseal(bytes: Uint8Array, handle: BlockHandle, seed: number): void {
  const crcAt = handle.offset + handle.storedBytes + BLOCK_TRAILER_BYTES - 4;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(crcAt, blockCrc(seed, handle.offset, bytes, handle.offset, crcAt), true);
}

/** The sample with a few bytes changed in one of its blocks or in the handles of its footer, checksums made right. */
function craft(random: SeededRandom, sample: Sample): Uint8Array {
  const bytes = sample.bytes.slice();
  const footerAt = bytes.length - 64;
  const footer = decodeFooter(bytes.subarray(footerAt), sample.seed);
  if (random.chance(0.15)) {
    const key = random.pick(['filter', 'properties', 'index'] as const);
    const field = random.pick(['offset', 'storedBytes', 'rawBytes'] as const);
    const value = random.pick([0, 64, footer[key][field] + 1, footer[key][field] - 1, random.int(2 ** 32)]);
    bytes.set(encodeFooter({ ...footer, [key]: { ...footer[key], [field]: value } }, sample.seed), footerAt);
    return bytes;
  }
  const handle = random.pick([...sample.dataBlocks, footer.filter, footer.properties, footer.index, footer.index]);
  for (let i = 0; i <= random.int(3); i++) bytes[handle.offset + random.int(handle.storedBytes + 4)] = random.int(256);
  reseal(bytes, handle, sample.seed);
  return bytes;
}
