/** Takes one table apart: its sections with their checksums, the filter, the properties, and what the index names. */

import { readU32 } from '@kayadb/codec';
import type { FileHandle } from '@kayadb/vfs';

import { BlockReader } from '../sstable/block-reader.ts';
import { BLOCK_TRAILER_BYTES, FILTER_HEADER_BYTES } from '../sstable/sstable-format.ts';
import type { TableProperties } from '../sstable/table-properties.ts';
import { type ExaminedSection, examineTable, indexEntry } from './examine-table.ts';
import type {
  InspectedFilter,
  InspectedIndexEntry,
  InspectedProperties,
  InspectedSection,
  TableInspection,
} from './file-inspection.ts';
import { crcText } from './inspect-text-file.ts';
import { describeHeader } from './inspected-header.ts';

/** Gives a key out, or `null` if keys were not asked for. */
export type ShowKey = (key: Uint8Array) => string | null;

/** @param name - Of the file, for messages. @throws FileSystemError only. */
export async function inspectTable(
  handle: FileHandle,
  name: string,
  showKey: ShowKey,
): Promise<Omit<TableInspection, 'unreadable'>> {
  const sections: InspectedSection[] = [];
  let filter: InspectedFilter | null = null;
  let index: readonly InspectedIndexEntry[] = [];
  const examination = await examineTable(handle, name, (section) => {
    sections.push(describeSection(section, showKey));
    const { raw, fault } = section;
    if (raw === undefined || fault !== undefined) return;
    if (section.section === 'filter') filter = describeFilter(raw);
    if (section.section === 'index') index = describeIndex(new BlockReader(raw, name, section.offset, true), showKey);
  });
  const { header, damage, properties, entryCount } = examination;
  return {
    kind: 'table',
    bytes: await handle.size(),
    header: describeHeader(header, false),
    damage,
    tornAt: null,
    sections: sections.toSorted((a, b) => a.offset - b.offset),
    filter,
    properties: properties === undefined ? null : describeProperties(properties, showKey),
    index,
    entryCount: properties?.entryCount ?? entryCount,
    deleteCount: properties?.deleteCount ?? null,
    firstSequence: properties?.smallestSequence ?? null,
    lastSequence: properties?.largestSequence ?? null,
  };
}

function describeSection(
  { section, offset, bytes, rawBytes, fault, isUnsupported, block, crcs }: ExaminedSection,
  showKey: ShowKey,
): InspectedSection {
  const sequences = block === undefined ? [] : Array.from({ length: block.count }, (_, i) => block.sequence(i));
  return {
    section,
    offset,
    bytes,
    rawBytes: rawBytes ?? null,
    compression: rawBytes === undefined ? null : bytes - BLOCK_TRAILER_BYTES < rawBytes ? 'zstd' : 'none',
    checksum: fault === undefined ? 'ok' : isUnsupported ? 'unsupported' : 'damaged',
    storedCrc: crcs === undefined ? null : crcText(crcs.stored),
    computedCrc: crcs === undefined ? null : crcText(crcs.computed),
    entryCount: block?.count ?? null,
    firstSequence: block === undefined ? null : sequences.reduce((a, b) => Math.min(a, b)),
    lastSequence: block === undefined ? null : sequences.reduce((a, b) => Math.max(a, b)),
    firstKey: block === undefined ? null : showKey(block.entry(0).key),
    lastKey: block === undefined ? null : showKey(block.entry(block.count - 1).key),
  };
}

/** Requires: a filter block that verifies. */
function describeFilter(raw: Uint8Array): InspectedFilter {
  const probes = readU32(raw, 4);
  const bits = (raw.length - FILTER_HEADER_BYTES) * 8;
  let set = 0;
  for (let at = FILTER_HEADER_BYTES; at < raw.length; at++) set += bitCount(raw[at]!);
  const fill = set / bits;
  return { bits, probes, fill, falsePositiveRate: fill ** probes };
}

function bitCount(byte: number): number {
  let count = 0;
  for (let rest = byte; rest > 0; rest &= rest - 1) count++;
  return count;
}

function describeIndex(index: BlockReader, showKey: ShowKey): readonly InspectedIndexEntry[] {
  return Array.from({ length: index.count }, (_, i) => i).flatMap((i) => {
    const handle = indexEntry(index, i);
    return handle === undefined ? [] : [{ ...handle, lastKey: showKey(index.entry(i).key) }];
  });
}

function describeProperties(properties: TableProperties, showKey: ShowKey): InspectedProperties {
  const { smallestKey, largestKey } = properties;
  return { ...properties, smallestKey: showKey(smallestKey), largestKey: showKey(largestKey) };
}
