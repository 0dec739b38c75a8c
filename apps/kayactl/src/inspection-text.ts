/** One log segment, manifest or table taken apart, as text: facts, then damage, then a line for each piece. */

import type {
  InspectedEdit,
  InspectedOperation,
  InspectedWalRecord,
  ManifestInspection,
  TableInspection,
  WalInspection,
} from '@kayadb/engine';

import { formatTable } from './table-text.ts';

export type Inspection = WalInspection | ManifestInspection | TableInspection;

/** @param name - Of the file. */
export async function describeInspection(name: string, inspection: Inspection): Promise<string> {
  const sections = [
    describeFacts(name, inspection),
    inspection.damage.map(({ offset, reason }) => `DAMAGE: at offset ${offset}: ${reason}`).join('\n'),
    inspection.tornAt === null
      ? ''
      : `TORN: at offset ${inspection.tornAt}: nothing behind it says that it had been durable, as far as this file can tell`,
    await describePieces(inspection),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function describeFacts(name: string, inspection: Inspection): string {
  const { kind, bytes, header } = inspection;
  const facts: readonly (readonly [string, string | number | null])[] = [
    ['name', name],
    ['kind', kind],
    ['bytes', bytes],
    ['header', header.checksum],
    ['formatVersion', header.formatVersion],
    ['storeId', header.storeId],
    ['fileNumber', header.fileNumber],
    ['startLsn', header.startLsn],
    ...describeTotals(inspection),
  ];
  return facts
    .filter(([, value]) => value !== null)
    .map(([fact, value]) => `${fact} ${value}`)
    .join('\n');
}

function describeTotals(inspection: Inspection): readonly (readonly [string, string | number | null])[] {
  switch (inspection.kind) {
    case 'wal':
      return [['records', inspection.records.length]];
    case 'manifest':
      return [['edits', inspection.edits.length]];
    case 'table':
      return [
        ['entries', inspection.entryCount],
        ['deletes', inspection.deleteCount],
        ['firstSequence', inspection.firstSequence],
        ['lastSequence', inspection.lastSequence],
      ];
  }
}

function describePieces(inspection: Inspection): Promise<string> {
  switch (inspection.kind) {
    case 'wal':
      return describeLog(
        ['OFFSET', 'BYTES', 'CHECKSUM', 'LSN', 'DURABLE', 'SEQUENCES', 'PUTS', 'DELETES', 'RANGES', 'KEYS'],
        inspection.records.map((record) => [record.offset, describeRecord(record)]),
        inspection.gaps,
      );
    case 'manifest':
      return describeLog(
        ['OFFSET', 'BYTES', 'CHECKSUM', 'EDIT', 'CONTENT'],
        inspection.edits.map((edit) => [edit.offset, describeEdit(edit)]),
        inspection.gaps,
      );
    case 'table':
      return formatTable(
        ['OFFSET', 'BYTES', 'CHECKSUM', 'SECTION', 'RAW', 'ENTRIES', 'SEQUENCES', 'KEYS'],
        inspection.sections.map((section) => [
          String(section.offset),
          String(section.bytes),
          section.checksum,
          section.section,
          show(section.rawBytes),
          show(section.entryCount),
          section.firstSequence === null ? '-' : `${section.firstSequence}-${section.lastSequence}`,
          section.firstKey === null ? '-' : `hex:${section.firstKey}..hex:${section.lastKey}`,
        ]),
      );
  }
}

type Row = readonly [offset: number, cells: readonly string[]];

/** Records and the gaps between them, in the order of the file. */
function describeLog(head: readonly string[], rows: readonly Row[], gaps: WalInspection['gaps']): Promise<string> {
  const lost = gaps.map(({ offset, bytes, reason }): Row => [
    offset,
    [String(offset), String(bytes), 'damaged', reason],
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
  return [offset, bytes, 'ok', lsn, durableLsn, sequences, puts, deletes, rangeDeletes, keys ?? '-'].map(String);
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
  return [String(edit.offset), String(edit.bytes), 'ok', String(edit.ordinal), parts.join(', ')];
}

function show(value: number | null): string {
  return value === null ? '-' : String(value);
}
