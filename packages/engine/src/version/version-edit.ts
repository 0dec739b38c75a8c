/**
 * One change to the set of tables, as the manifest keeps it. Fields are tagged, so that later versions can add some.
 * Format: docs/format/manifest.md, "Edit".
 */

import { ByteReader, ByteWriter, compareBytes, copyBytes, DecodeError, EMPTY_BYTES } from '@kayadb/codec';

import { EngineError } from '../errors.ts';
import type { FileNumber, SequenceNumber } from '../key/internal-key.ts';
import { MAX_STORED_KEY_BYTES } from '../limits.ts';
import type { RangeDelete } from '../range-delete/range-delete.ts';
import { LEVEL_COUNT, type TableMeta } from './table-meta.ts';

export const VERSION_EDIT_RECORD = 2;
export const FIRST_SKIPPABLE_TAG = 64;

const TAG = {
  nextFileNumber: 1,
  oldestSegment: 2,
  flushedSequence: 3,
  addedTable: 4,
  removedTable: 5,
  cleanClose: 6,
  rangeDeletesApplied: 7,
  addedRangeDelete: 8,
  removedRangeDelete: 9,
  durableIndex: 10,
} as const;

export interface AddedTable {
  /** 0 to `LEVEL_COUNT` - 1. */
  readonly level: number;
  readonly table: TableMeta;
}

export interface RemovedTable {
  readonly level: number;
  readonly fileNumber: FileNumber;
}

/** Where the write-ahead log ended when the engine was closed in good order. */
export interface CleanClose {
  /** 0 in a store without a log of its own. */
  readonly segment: FileNumber;
  readonly endLsn: number;
  /** 0 when nothing was ever written. */
  readonly lastSequence: SequenceNumber;
}

/** What is absent stays as it was. */
export interface VersionEdit {
  /** Greater than every number in use. */
  readonly nextFileNumber?: FileNumber;
  /** The oldest write-ahead log segment still needed; 0 in a store without a log of its own. */
  readonly oldestSegment?: FileNumber;
  /** Tables hold every sequence number up to this one. */
  readonly flushedSequence?: SequenceNumber;
  readonly addedTables?: readonly AddedTable[];
  readonly removedTables?: readonly RemovedTable[];
  readonly cleanClose?: CleanClose;
  readonly addedRangeDeletes?: readonly RangeDelete[];
  /** By their sequence numbers. */
  readonly removedRangeDeletes?: readonly SequenceNumber[];
  /** With an external log: tables hold everything up to this applied index. */
  readonly durableIndex?: number;
}

/** The payload of the edit's record, in a new array. */
export function encodeVersionEdit(edit: VersionEdit): Uint8Array {
  const writer = new ByteWriter(256);
  writeNumber(writer, TAG.nextFileNumber, edit.nextFileNumber);
  writeNumber(writer, TAG.oldestSegment, edit.oldestSegment);
  writeNumber(writer, TAG.flushedSequence, edit.flushedSequence);
  for (const added of edit.addedTables ?? []) writeField(writer, TAG.addedTable, encodeAddedTable(added));
  for (const { level, fileNumber } of edit.removedTables ?? []) {
    writeField(writer, TAG.removedTable, new ByteWriter(16).varint(level).varint(fileNumber).finish());
  }
  if (edit.cleanClose !== undefined) {
    const { segment, endLsn, lastSequence } = edit.cleanClose;
    const field = new ByteWriter(32).varint(segment).varint(endLsn).varint(lastSequence);
    writeField(writer, TAG.cleanClose, field.finish());
  }
  for (const { table } of edit.addedTables ?? []) {
    if (table.rangeDeletesApplied === undefined) continue;
    const field = new ByteWriter(16).varint(table.fileNumber).varint(table.rangeDeletesApplied);
    writeField(writer, TAG.rangeDeletesApplied, field.finish());
  }
  for (const added of edit.addedRangeDeletes ?? []) writeField(writer, TAG.addedRangeDelete, encodeRangeDelete(added));
  for (const sequence of edit.removedRangeDeletes ?? []) writeNumber(writer, TAG.removedRangeDelete, sequence);
  writeNumber(writer, TAG.durableIndex, edit.durableIndex);
  return writer.finish();
}

/**
 * Reads an edit; the keys in it are copies.
 *
 * @throws DecodeError for bytes that are no edit.
 * @throws EngineError KAYA_UNSUPPORTED for a field that must be understood and is not.
 */
export function decodeVersionEdit(bytes: Uint8Array): VersionEdit {
  const reader = new ByteReader(bytes);
  const edit: { -readonly [Name in keyof VersionEdit]: VersionEdit[Name] } = {};
  const addedTables: AddedTable[] = [];
  const removedTables: RemovedTable[] = [];
  const applied = new Map<FileNumber, SequenceNumber>();
  const addedRangeDeletes: RangeDelete[] = [];
  const removedRangeDeletes: SequenceNumber[] = [];
  while (reader.remaining > 0) {
    const at = reader.offset;
    const tag = reader.varint('edit field tag');
    const length = reader.varint('edit field length');
    const start = reader.offset;
    reader.bytes(length, 'edit field');
    const field = new ByteReader(bytes.subarray(0, start + length), start);
    switch (tag) {
      case TAG.nextFileNumber:
        refuseSecond(edit.nextFileNumber, tag, at);
        edit.nextFileNumber = readFileNumber(field, 'next file number');
        break;
      case TAG.oldestSegment:
        refuseSecond(edit.oldestSegment, tag, at);
        edit.oldestSegment = field.varint('oldest segment');
        break;
      case TAG.flushedSequence:
        refuseSecond(edit.flushedSequence, tag, at);
        edit.flushedSequence = field.varint('flushed sequence');
        break;
      case TAG.addedTable:
        addedTables.push(decodeAddedTable(field));
        break;
      case TAG.removedTable:
        removedTables.push({ level: readLevel(field), fileNumber: readFileNumber(field, 'removed table') });
        break;
      case TAG.cleanClose:
        refuseSecond(edit.cleanClose, tag, at);
        edit.cleanClose = {
          segment: field.varint('clean close segment'),
          endLsn: field.varint('clean close LSN'),
          lastSequence: field.varint('clean close sequence'),
        };
        break;
      case TAG.rangeDeletesApplied:
        applied.set(readFileNumber(field, 'table'), field.varint('range deletes applied'));
        break;
      case TAG.addedRangeDelete:
        addedRangeDeletes.push(decodeRangeDelete(field));
        break;
      case TAG.removedRangeDelete:
        removedRangeDeletes.push(field.varint('removed range delete'));
        break;
      case TAG.durableIndex:
        refuseSecond(edit.durableIndex, tag, at);
        edit.durableIndex = field.varint('durable index');
        break;
      default:
        if (tag < FIRST_SKIPPABLE_TAG) throw unknownTag(tag);
        continue;
    }
    field.end(`edit field ${tag}`);
  }
  if (addedTables.length > 0) edit.addedTables = addedTables.map((added) => withApplied(added, applied));
  if (applied.size > 0) throw new DecodeError('range deletes were applied to a table that is not added', 0);
  if (addedRangeDeletes.length > 0) edit.addedRangeDeletes = addedRangeDeletes;
  if (removedRangeDeletes.length > 0) edit.removedRangeDeletes = removedRangeDeletes;
  if (removedTables.length > 0) edit.removedTables = removedTables;
  return edit;
}

function encodeAddedTable({ level, table }: AddedTable): Uint8Array {
  return new ByteWriter(64 + table.smallestKey.length + table.largestKey.length)
    .varint(level)
    .varint(table.fileNumber)
    .varint(table.fileBytes)
    .varint(table.entryCount)
    .varint(table.deleteCount)
    .varint(table.smallestSequence)
    .varint(table.largestSequence)
    .varint(table.smallestKey.length)
    .bytes(table.smallestKey)
    .varint(table.largestKey.length)
    .bytes(table.largestKey)
    .finish();
}

function decodeAddedTable(field: ByteReader): AddedTable {
  const level = readLevel(field);
  const table: TableMeta = {
    fileNumber: readFileNumber(field, 'added table'),
    fileBytes: field.varint('table bytes'),
    entryCount: field.varint('entries'),
    deleteCount: field.varint('deletes'),
    smallestSequence: field.varint('smallest sequence'),
    largestSequence: field.varint('largest sequence'),
    smallestKey: readKey(field, 'smallest key'),
    largestKey: readKey(field, 'largest key'),
  };
  const at = field.offset;
  if (table.deleteCount > table.entryCount) throw new DecodeError('a table has more deletes than entries', at);
  if (table.smallestSequence > table.largestSequence) throw new DecodeError('a table has its sequences swapped', at);
  if (compareBytes(table.smallestKey, table.largestKey) > 0) throw new DecodeError('a table has its keys swapped', at);
  return { level, table };
}

/** Takes from `applied` what it says of the table. */
function withApplied({ level, table }: AddedTable, applied: Map<FileNumber, SequenceNumber>): AddedTable {
  const rangeDeletesApplied = applied.get(table.fileNumber);
  if (rangeDeletesApplied === undefined) return { level, table };
  applied.delete(table.fileNumber);
  return { level, table: { ...table, rangeDeletesApplied } };
}

function encodeRangeDelete({ sequence, start, end }: RangeDelete): Uint8Array {
  const endBytes = end ?? EMPTY_BYTES;
  return new ByteWriter(32 + start.length + endBytes.length)
    .varint(sequence)
    .varint(start.length)
    .bytes(start)
    .varint(endBytes.length)
    .bytes(endBytes)
    .finish();
}

function decodeRangeDelete(field: ByteReader): RangeDelete {
  const sequence = field.varint('range delete sequence');
  const start = readKey(field, 'start of a range');
  const at = field.offset;
  const endBytes = field.varint('length of the end of a range');
  if (endBytes > MAX_STORED_KEY_BYTES) throw new DecodeError('a range ends behind all keys', at);
  const end = endBytes === 0 ? undefined : copyBytes(field.bytes(endBytes, 'end of a range'));
  if (end !== undefined && compareBytes(start, end) >= 0) throw new DecodeError('a range ends before it starts', at);
  return { sequence, start, end };
}

function readLevel(field: ByteReader): number {
  const at = field.offset;
  const level = field.varint('level');
  if (level >= LEVEL_COUNT) throw new DecodeError(`level ${level} is not below ${LEVEL_COUNT}`, at);
  return level;
}

function readFileNumber(field: ByteReader, what: string): FileNumber {
  const at = field.offset;
  const fileNumber = field.varint(what);
  if (fileNumber === 0) throw new DecodeError(`${what} is file 0, which does not exist`, at);
  return fileNumber;
}

function readKey(field: ByteReader, what: string): Uint8Array {
  const at = field.offset;
  const length = field.varint(`${what} length`);
  if (length === 0 || length > MAX_STORED_KEY_BYTES) {
    throw new DecodeError(`${what} has ${length} bytes, not 1 to ${MAX_STORED_KEY_BYTES}`, at);
  }
  return copyBytes(field.bytes(length, what));
}

function refuseSecond(earlier: unknown, tag: number, at: number): void {
  if (earlier !== undefined) throw new DecodeError(`edit field ${tag} stands there twice`, at);
}

function unknownTag(tag: number): EngineError {
  return new EngineError(
    'KAYA_UNSUPPORTED',
    `the manifest has a version edit with field ${tag}, which this version does not know; open the store with the version that wrote it`,
  );
}

function writeNumber(writer: ByteWriter, tag: number, value: number | undefined): void {
  if (value !== undefined) writeField(writer, tag, new ByteWriter(8).varint(value).finish());
}

function writeField(writer: ByteWriter, tag: number, content: Uint8Array): void {
  writer.varint(tag).varint(content.length).bytes(content);
}
