/** One file of a store taken apart, as text: facts, then what is wrong, then a line for each piece. */

import { assertNever } from '@kayadb/codec';
import type {
  FileInspection,
  InspectedChecksums,
  InspectedEdit,
  InspectedOperation,
  InspectedSection,
  InspectedWalRecord,
  StrangeFile,
  TableInspection,
  WalInspection,
} from '@kayadb/engine';

import { formatTable } from './table-text.ts';

export type Inspection = Exclude<FileInspection, StrangeFile>;

type Fact = readonly [name: string, value: string | number | null];

/** @param name - Of the file. */
export async function describeInspection(name: string, inspection: Inspection): Promise<string> {
  const sections = [
    describeFacts(name, inspection),
    inspection.unreadable
      .map(({ offset, bytes, reason }) => `UNREADABLE: ${bytes} bytes at offset ${offset}, told as zeros: ${reason}`)
      .join('\n'),
    inspection.damage.map(({ offset, reason }) => `DAMAGE: at offset ${offset}: ${reason}`).join('\n'),
    'tornAt' in inspection && inspection.tornAt !== null
      ? `TORN: at offset ${inspection.tornAt}: nothing behind it says that it had been durable, as far as this file can tell`
      : '',
    await describePieces(inspection),
    inspection.kind === 'table' ? await describeIndex(inspection) : '',
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function describeFacts(name: string, inspection: Inspection): string {
  const facts: readonly Fact[] = [
    ['name', name],
    ['kind', inspection.kind],
    ['bytes', inspection.bytes],
    ...('header' in inspection ? describeHeader(inspection.header) : []),
    ...describeContent(inspection),
  ];
  return facts
    .filter(([, value]) => value !== null)
    .map(([fact, value]) => `${fact} ${value}`)
    .join('\n');
}

function describeHeader(header: WalInspection['header']): readonly Fact[] {
  return [
    ['header', header.checksum],
    ['headerCrc', crcText(header)],
    ['formatVersion', header.formatVersion],
    ['storeId', header.storeId],
    ['fileNumber', header.fileNumber],
    ['startLsn', header.startLsn],
  ];
}

function describeContent(inspection: Inspection): readonly Fact[] {
  switch (inspection.kind) {
    case 'wal':
      return [['records', inspection.records.length]];
    case 'manifest':
      return [['edits', inspection.edits.length]];
    case 'table':
      return describeTable(inspection);
    case 'current':
      return [...describeLine(inspection), ['manifest', inspection.manifest]];
    case 'backup': {
      const { sequence, durableIndex, files } = inspection;
      return [
        ...describeLine(inspection),
        ['sequence', sequence],
        ['durableIndex', durableIndex],
        ['files', files.length],
      ];
    }
    case 'lock': {
      const { pid, host, takenAt, token } = inspection;
      return [
        ['pid', pid],
        ['host', host],
        ['takenAt', takenAt],
        ['token', token],
      ];
    }
    case 'reserve':
      return [['content', 'room that is kept to be given back; it says nothing']];
    default:
      return assertNever(inspection, 'kind of file');
  }
}

function describeLine(inspection: Extract<Inspection, { readonly kind: 'current' | 'backup' }>): readonly Fact[] {
  const { checksum, formatVersion, storeId } = inspection;
  return [
    ['checksum', checksum],
    ['crc', crcText(inspection)],
    ['formatVersion', formatVersion],
    ['storeId', storeId],
  ];
}

function describeTable({ filter, properties, ...table }: TableInspection): readonly Fact[] {
  const facts: Fact[] = [
    ['entries', table.entryCount],
    ['deletes', table.deleteCount],
    ['firstSequence', table.firstSequence],
    ['lastSequence', table.lastSequence],
  ];
  if (properties !== null) {
    const { blockCount, keyBytes, valueBytes, smallestKey, largestKey } = properties;
    facts.push(['blocks', blockCount], ['keyBytes', keyBytes], ['valueBytes', valueBytes]);
    if (smallestKey !== null) facts.push(['smallestKey', `hex:${smallestKey}`], ['largestKey', `hex:${largestKey}`]);
  }
  if (filter !== null) {
    const { bits, probes, fill, falsePositiveRate } = filter;
    const share = (falsePositiveRate * 100).toFixed(2);
    const words = `${bits} bits, ${probes} probes, ${(fill * 100).toFixed(1)}% set`;
    facts.push(['filter', `${words}, lets about ${share}% of absent keys pass`]);
  }
  return facts;
}

/** One of them where they agree. */
function crcText({ storedCrc, computedCrc }: InspectedChecksums): string {
  if (storedCrc === null) return '-';
  return storedCrc === computedCrc ? storedCrc : `${storedCrc}, computed ${computedCrc}`;
}

/** What the index says of each data block. */
function describeIndex({ index }: TableInspection): Promise<string> {
  if (index.length === 0) return Promise.resolve('');
  return formatTable(
    ['INDEX', 'OFFSET', 'STORED', 'RAW', 'LAST KEY'],
    index.map(({ offset, storedBytes, rawBytes, lastKey }, at) => [
      ...[at, offset, storedBytes, rawBytes].map(String),
      lastKey === null ? '-' : `hex:${lastKey}`,
    ]),
  );
}

function describePieces(inspection: Inspection): Promise<string> {
  switch (inspection.kind) {
    case 'wal':
      return describeLog(
        ['OFFSET', 'BYTES', 'CHECKSUM', 'CRC', 'LSN', 'DURABLE', 'SEQUENCES', 'PUTS', 'DELETES', 'RANGES', 'KEYS'],
        inspection.records.map((record) => [record.offset, describeRecord(record)]),
        inspection.gaps,
      );
    case 'manifest':
      return describeLog(
        ['OFFSET', 'BYTES', 'CHECKSUM', 'CRC', 'EDIT', 'CONTENT'],
        inspection.edits.map((edit) => [edit.offset, describeEdit(edit)]),
        inspection.gaps,
      );
    case 'table':
      return formatTable(
        ['OFFSET', 'BYTES', 'CHECKSUM', 'CRC', 'SECTION', 'RAW', 'COMPRESSION', 'ENTRIES', 'SEQUENCES', 'KEYS'],
        inspection.sections.map(describeSection),
      );
    case 'backup':
      return formatTable(
        ['FILE', 'BYTES', 'CRC'],
        inspection.files.map(({ name, bytes, crc }) => [name, String(bytes), crc]),
      );
    case 'current':
    case 'lock':
    case 'reserve':
      return Promise.resolve('');
    default:
      return assertNever(inspection, 'kind of file');
  }
}

function describeSection(section: InspectedSection): readonly string[] {
  return [
    String(section.offset),
    String(section.bytes),
    section.checksum,
    crcText(section),
    section.section,
    show(section.rawBytes),
    section.compression ?? '-',
    show(section.entryCount),
    section.firstSequence === null ? '-' : `${section.firstSequence}-${section.lastSequence}`,
    section.firstKey === null ? '-' : `hex:${section.firstKey}..hex:${section.lastKey}`,
  ];
}

type Row = readonly [offset: number, cells: readonly string[]];

/** Records and the gaps between them, in the order of the file. */
function describeLog(head: readonly string[], rows: readonly Row[], gaps: WalInspection['gaps']): Promise<string> {
  const lost = gaps.map((gap): Row => [
    gap.offset,
    [String(gap.offset), String(gap.bytes), 'damaged', crcText(gap), gap.reason],
  ]);
  return formatTable(
    head,
    [...rows, ...lost].toSorted(([a], [b]) => a - b).map(([, cells]) => cells),
  );
}

function describeRecord(record: InspectedWalRecord): readonly string[] {
  const { offset, bytes, lsn, durableLsn, firstSequence, count, puts, deletes, rangeDeletes, operations } = record;
  const keys = operations?.map(describeOperation).join(' ');
  const sequences = `${firstSequence}-${firstSequence + count - 1}`;
  return [
    offset,
    bytes,
    'ok',
    crcText(record),
    lsn,
    durableLsn,
    sequences,
    puts,
    deletes,
    rangeDeletes,
    keys ?? '-',
  ].map(String);
}

/** `hex:6b` for a put, `-hex:6b` for a delete, `-hex:6b..hex:6c` for a range delete, whose end may be missing. */
function describeOperation({ kind, key, endKey }: InspectedOperation): string {
  const start = kind === 'put' ? `hex:${key}` : `-hex:${key}`;
  return kind === 'delete-range' ? `${start}..${endKey === null ? '' : `hex:${endKey}`}` : start;
}

function describeEdit(edit: InspectedEdit): readonly string[] {
  const parts: string[] = [];
  for (const {
    level,
    fileNumber,
    entryCount,
    smallestSequence,
    largestSequence,
    smallestKey,
    largestKey,
  } of edit.addedTables) {
    const keys = smallestKey === null ? '' : ` hex:${smallestKey}..hex:${largestKey}`;
    parts.push(`+table ${fileNumber} L${level} ${entryCount} entries ${smallestSequence}-${largestSequence}${keys}`);
  }
  for (const { level, fileNumber } of edit.removedTables) parts.push(`-table ${fileNumber} L${level}`);
  for (const { sequence, start, end, hasEnd } of edit.addedRangeDeletes) {
    const keys = start === null ? '' : ` hex:${start}..${hasEnd ? `hex:${end}` : ''}`;
    parts.push(`+range delete ${sequence}${keys}`);
  }
  for (const sequence of edit.removedRangeDeletes) parts.push(`-range delete ${sequence}`);
  if (edit.oldestSegment !== null) {
    parts.push(edit.oldestSegment === 0 ? 'no log of its own' : `oldest segment ${edit.oldestSegment}`);
  }
  if (edit.durableIndex !== null) parts.push(`durable index ${edit.durableIndex}`);
  if (edit.flushedSequence !== null) parts.push(`flushed to ${edit.flushedSequence}`);
  if (edit.cleanClose !== null) parts.push(`closed at lsn ${edit.cleanClose.endLsn}`);
  if (edit.nextFileNumber !== null) parts.push(`next file ${edit.nextFileNumber}`);
  return [String(edit.offset), String(edit.bytes), 'ok', crcText(edit), String(edit.ordinal), parts.join(', ')];
}

function show(value: number | null): string {
  return value === null ? '-' : String(value);
}
