/** The reader of a whole sorted table: opened, walked, asked for keys, verified. Format: docs/format/sstable.md. */

import { assert, crc32c, readU32, writeU32 } from '@kayadb/codec';
import { MemoryFileSystem } from '@kayadb/vfs/testing';

import { FILE_HEADER_BYTES, fileSeed } from '../../files/file-header.ts';
import type { Entry } from '../../key/internal-key.ts';
import { hashKey } from '../../sstable/filter.ts';
import { openTable } from '../../sstable/open-table.ts';
import {
  BLOCK_HANDLE_BYTES,
  BLOCK_TRAILER_BYTES,
  blockCrc,
  FOOTER_BYTES,
  FOOTER_CRC_AT,
} from '../../sstable/sstable-format.ts';
import type { TableReader } from '../../sstable/table-reader.ts';
import { TEST_STORE_ID, writeTable } from '../write-table.ts';
import { BytesFileSystem } from './bytes-file-system.ts';
import type { Decoder } from './decoder.ts';
import { resealFileHeader } from './file-decoders.ts';
import { sampleEntries } from './sample-values.ts';

const FILE_NUMBER = 7;
const FILE = '000007.sst';
const PATH = `/db/${FILE}`;
/** Bound: keys that a table is asked for. */
const MAX_ASKED = 3;

export const tableDecoder: Decoder<readonly Entry[]> = {
  name: 'table',
  refusals: ['KAYA_CORRUPTION', 'KAYA_UNSUPPORTED'],
  isCanonical: () => false,
  copies: true,
  async decode(bytes) {
    const expected = { storeId: TEST_STORE_ID, fileNumber: FILE_NUMBER, fileBytes: bytes.length };
    const table = await openTable(new BytesFileSystem(new Map([[PATH, bytes]])), PATH, FILE, expected);
    try {
      const entries = await readAll(table);
      const found = await askFor(table, entries);
      await table.verify();
      assert(found, 'a table that verifies gives each of its entries');
      return entries;
    } finally {
      await table.close();
    }
  },
  async sample(random) {
    const fs = new MemoryFileSystem();
    await writeTable(fs, `/${FILE}`, sampleEntries(random, 14), {
      fileNumber: FILE_NUMBER,
      blockBytes: 96 + random.int(200),
      compression: random.chance(0.3) ? 'zstd' : 'none',
    });
    return fs.readFile(`/${FILE}`);
  },
  reseal: resealTable,
};

async function readAll(table: TableReader): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  const cursor = table.cursor('forward');
  try {
    for (let wait = cursor.seekToStart(); ; wait = cursor.next()) {
      if (wait !== undefined) await wait;
      if (cursor.entry === undefined) return entries;
      const { key, sequence, kind, value } = cursor.entry;
      entries.push({ key: key.slice(), sequence, kind, value: value.slice() });
    }
  } finally {
    cursor.close();
  }
}

/** @returns Whether the table gave each entry that it was asked for; it need not unless it is whole. */
async function askFor(table: TableReader, entries: readonly Entry[]): Promise<boolean> {
  let found = true;
  const step = Math.max(1, Math.ceil(entries.length / MAX_ASKED));
  for (let i = 0; i < entries.length; i += step) {
    const { key, sequence } = entries[i]!;
    const got = await table.get(key, hashKey(key), sequence);
    found &&= got?.sequence === sequence;
  }
  return found;
}

/** Header, footer, and every block that the footer and an index that is not compressed name. */
function resealTable(bytes: Uint8Array): void {
  const footerAt = bytes.length - FOOTER_BYTES;
  if (footerAt < FILE_HEADER_BYTES) return;
  resealFileHeader(bytes);
  const seed = fileSeed(bytes);
  const handles = [0, 1, 2].map((i) => handleAt(bytes, footerAt + i * BLOCK_HANDLE_BYTES));
  const index = handles[2]!;
  const isPlain = index.storedBytes === index.rawBytes && index.offset + index.storedBytes <= footerAt;
  const data = isPlain ? dataHandles(bytes, index.offset, index.storedBytes) : [];
  for (const { offset, storedBytes } of [...data, ...handles]) {
    const crcAt = offset + storedBytes + BLOCK_TRAILER_BYTES - 4;
    if (crcAt + 4 <= footerAt) writeU32(bytes, crcAt, blockCrc(seed, offset, bytes, offset, crcAt));
  }
  writeU32(bytes, footerAt + FOOTER_CRC_AT, crc32c(bytes, seed, footerAt, footerAt + FOOTER_CRC_AT));
}

interface RoughHandle {
  readonly offset: number;
  readonly storedBytes: number;
  readonly rawBytes: number;
}

/** A handle as it stands; tables of samples are far below 2^32 bytes. */
function handleAt(bytes: Uint8Array, at: number): RoughHandle {
  return { offset: readU32(bytes, at), storedBytes: readU32(bytes, at + 8), rawBytes: readU32(bytes, at + 12) };
}

/** The handles in the values of an index block, as far as it can be made out. */
function dataHandles(bytes: Uint8Array, offset: number, length: number): readonly RoughHandle[] {
  const handles: RoughHandle[] = [];
  const count = length < 16 ? 0 : readU32(bytes, offset);
  if (16 + 12 * count > length) return handles;
  for (let i = 0; i < count; i++) {
    const at = readU32(bytes, offset + 16 + 8 * count + 4 * i);
    const valueAt = at + 8 + (at + 6 <= length ? bytes[offset + at + 4]! | (bytes[offset + at + 5]! << 8) : 0);
    if (valueAt + BLOCK_HANDLE_BYTES <= length) handles.push(handleAt(bytes, offset + valueAt));
  }
  return handles;
}
