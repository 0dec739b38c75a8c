/** Readers of the small structures of a sorted table. Format: docs/format/sstable.md. */

import { assert, concatBytes, copyBytes, crc32c, writeU32 } from '@kayadb/codec';

import { compareEntries, type Entry } from '../../key/internal-key.ts';
import { BlockBuilder } from '../../sstable/block-builder.ts';
import { BlockReader } from '../../sstable/block-reader.ts';
import { BlockRows } from '../../sstable/block-rows.ts';
import { sharedZstd } from '../../sstable/compression.ts';
import { FilterBuilder } from '../../sstable/filter-builder.ts';
import { Filter } from '../../sstable/filter.ts';
import {
  BLOCK_HANDLE_BYTES,
  BLOCK_TRAILER_BYTES,
  blockCrc,
  decodeBlockHandle,
  decodeFooter,
  encodeBlockHandle,
  encodeFooter,
  type Footer,
  FOOTER_BYTES,
  FOOTER_CRC_AT,
} from '../../sstable/sstable-format.ts';
import { maybeCompress, sealBlock, unpackBlock } from '../../sstable/stored-block.ts';
import { decodeProperties, encodeProperties, type TableProperties } from '../../sstable/table-properties.ts';
import type { Decoder, SampleSource } from './decoder.ts';
import { sampleEntries, sampleKey, sampleNumber, sampleSpan } from './sample-values.ts';

const FILE = '000007.sst';
const SEED = 7;

/** A data block, and everything that searches in it may do: that it agrees with a walk where the block is well made, and ends where not. */
const block: Decoder<readonly Entry[]> = {
  name: 'block',
  refusals: ['KAYA_CORRUPTION'],
  isCanonical: () => false,
  copies: false,
  decode(bytes) {
    const reader = new BlockReader(bytes, FILE, 0);
    const entries = Array.from({ length: reader.count }, (_, i) => plainEntry(reader.entry(i)));
    const isOrdered = entries.every((entry, i) => i === 0 || compareEntries(entries[i - 1]!, entry) < 0);
    const isWellMade = isOrdered && reader.findDisagreement() === undefined;
    for (const [i, { key, sequence }] of entries.entries()) {
      const sought = reader.seek(key, sequence);
      const found = reader.find(key, sequence);
      assert(!isWellMade || (sought === i && found === i), `entry ${i} of a well made block is found`);
    }
    const rows = BlockRows.ofBlock(reader);
    const probe = copyBytes(entries.at(-1)!.key);
    probe[probe.length - 1]! ^= 1;
    const expected = entries.filter(
      ({ key }) => compareEntries({ key, sequence: 0 }, { key: probe, sequence: 0 }) < 0,
    ).length;
    const reached = rows.firstAtOrAfter(probe);
    assert(!isWellMade || reached === expected, 'rows and entries agree where a key belongs');
    assert(!isWellMade || reader.seek(probe, Infinity) === expected, 'a search and a walk agree where a key belongs');
    assert(reader.find(probe, Infinity) <= reader.count, 'a search ends within the block');
    assert(typeof rows.isAscii === 'boolean', 'rows say whether they are ASCII');
    return entries;
  },
  sample: (random) => buildBlock(sampleEntries(random, 12)),
};

const filter: Decoder<readonly boolean[]> = {
  name: 'filter',
  refusals: ['KAYA_MALFORMED'],
  isCanonical: () => false,
  copies: true,
  decode(bytes) {
    const opened = new Filter(bytes);
    assert(opened.memoryBytes <= bytes.length, 'a filter takes no more memory than its bytes');
    return [0, 1, 0x8000_0000, 0xffff_ffff, 0x1234_5678].map((hash) => opened.mayContain(hash));
  },
  sample(random) {
    const builder = new FilterBuilder(1 + random.int(20));
    for (let i = random.int(100); i >= 0; i--) builder.add(sampleKey(random));
    return builder.finish();
  },
};

const footer: Decoder<Footer> = {
  name: 'footer',
  refusals: ['KAYA_MALFORMED'],
  isCanonical: () => true,
  copies: true,
  decode: (bytes) => decodeFooter(bytes, SEED),
  encode: (value) => encodeFooter(value, SEED),
  sample: (random) =>
    encodeFooter({ filter: sampleHandle(random), properties: sampleHandle(random), index: sampleHandle(random) }, SEED),
  reseal(bytes) {
    if (bytes.length === FOOTER_BYTES) writeU32(bytes, FOOTER_CRC_AT, crc32c(bytes, SEED, 0, FOOTER_CRC_AT));
  },
};

const properties: Decoder<TableProperties> = {
  name: 'properties',
  refusals: ['KAYA_MALFORMED'],
  isCanonical: () => false,
  copies: true,
  decode: decodeProperties,
  encode: encodeProperties,
  sample(random) {
    const [smallestKey, largestKey] = sampleSpan(random);
    const entryCount = 1 + random.int(1000);
    const [a, b] = [sampleNumber(random), sampleNumber(random)];
    return encodeProperties({
      entryCount,
      deleteCount: random.int(entryCount),
      smallestSequence: Math.min(a, b),
      largestSequence: Math.max(a, b),
      keyBytes: sampleNumber(random),
      valueBytes: sampleNumber(random),
      blockCount: 1 + random.int(entryCount),
      smallestKey,
      largestKey,
    });
  },
};

/** The handle of a block, its stored bytes and its trailer. */
const storedBlock: Decoder<Uint8Array> = {
  name: 'stored-block',
  refusals: ['KAYA_MALFORMED', 'KAYA_CORRUPTION', 'KAYA_UNSUPPORTED'],
  isCanonical: () => false,
  copies: false,
  decode(bytes) {
    const handle = decodeBlockHandle(bytes, 0);
    const raw = unpackBlock(bytes, BLOCK_HANDLE_BYTES, handle, { file: FILE, seed: SEED, zstd: sharedZstd });
    assert(
      raw.length === handle.rawBytes && raw.byteOffset % 8 === 0,
      'a block has its size and lies at a multiple of 8',
    );
    return raw;
  },
  sample(random) {
    const raw = buildBlock(sampleEntries(random, 12));
    const zstd = sharedZstd();
    const frame = zstd === undefined || random.chance(0.3) ? undefined : maybeCompress(raw, zstd, 1);
    const stored = copyBytes(frame ?? raw);
    const handle = { offset: 64 + random.int(1000), storedBytes: stored.length, rawBytes: raw.length };
    const bytes = concatBytes([new Uint8Array(BLOCK_HANDLE_BYTES), stored, new Uint8Array(BLOCK_TRAILER_BYTES)]);
    encodeBlockHandle(handle, bytes, 0);
    sealBlock(bytes, BLOCK_HANDLE_BYTES, handle, frame !== undefined, SEED);
    return bytes;
  },
  reseal(bytes) {
    const crcAt = bytes.length - 4;
    if (crcAt < BLOCK_HANDLE_BYTES + 4) return;
    const offset = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    writeU32(bytes, crcAt, blockCrc(SEED, offset, bytes, BLOCK_HANDLE_BYTES, crcAt));
  },
};

export const tablePartDecoders: readonly Decoder[] = [block, filter, footer, properties, storedBlock];

/** As a builder lays them out. */
function buildBlock(entries: readonly Entry[]): Uint8Array {
  const builder = new BlockBuilder();
  for (const { key, sequence, kind, value } of entries) builder.add(key, sequence, kind, value);
  return copyBytes(builder.finish());
}

function plainEntry({ key, sequence, kind, value }: Entry): Entry {
  return { key, sequence, kind, value };
}

function sampleHandle(random: SampleSource): Footer['filter'] {
  const storedBytes = random.int(1000);
  return { offset: sampleNumber(random), storedBytes, rawBytes: storedBytes + random.int(2) * random.int(1000) };
}
