/**
 * Makes items for users out of entries in a block: byte arrays that are views of a buffer of the batch's own, strings, or
 * one of each. Hot: one plain loop for each shape. Measured in docs/decisions/20261122-scans-in-blocks.md.
 */

import { type BlockRows, keyBytesAt, valueBytesAt } from '../sstable/block-rows.ts';
import type { Encoding } from '../types.ts';
import { ENTRY_HEADER_BYTES } from '../wal/wal-format.ts';
import type { BatchBuffer } from './batch-buffer.ts';

/** Which parts of a row an item has: both as a `Row`, or one of them alone. */
export type Wanted = 'rows' | 'keys' | 'values';

/** Entries of one block that are to become items. */
export interface PickedRows {
  readonly rows: BlockRows;
  /** Where they start in `rows.bytes`; going up, or down. The first `count` are meant. */
  readonly at: Uint32Array;
  /** At least 1. */
  readonly count: number;
  /** Bytes of the wanted parts, together. */
  readonly bytes: number;
  /** Rows that the batch may still take, these included. */
  readonly rowsLeft: number;
}

/** Appends the items to `items`. */
export type DecodeRows = (picked: PickedRows, items: unknown[], buffer: BatchBuffer) => void;

export function pickDecoder(want: Wanted, keyEncoding: Encoding, valueEncoding: Encoding): DecodeRows {
  if (want === 'keys') return keyEncoding === 'bytes' ? decodeKeyBytes : decodeKeyStrings;
  if (want === 'values') return valueEncoding === 'bytes' ? decodeValueBytes : decodeValueStrings;
  if (keyEncoding === 'bytes') return valueEncoding === 'bytes' ? decodeBytes : decodeBytesAndStrings;
  return valueEncoding === 'bytes' ? decodeStringsAndBytes : decodeStrings;
}

/** Node's own decoders, without the look-up of an encoding's name; what is no UTF-8 becomes U+FFFD. */
interface Slices {
  readonly latin1Slice: (this: Uint8Array, start: number, end: number) => string;
  readonly utf8Slice: (this: Uint8Array, start: number, end: number) => string;
}
const { latin1Slice, utf8Slice } = Buffer.prototype as unknown as Slices;

/**
 * Bound: stretches of a block up to this size are decoded as one string that keys and values are slices of, which takes a third of the
 * time. Whoever keeps one of them keeps the stretch, as with the memory that byte arrays share.
 */
const MAX_TEXT_BYTES = 16 * 1024;
/** Fewer rows are decoded one by one. */
const MIN_TEXT_ROWS = 4;
/** Where in the block the string begins that `stretchText` returned last. */
let textAt = 0;

/** @returns The entries with their headers as one string of a character per byte, or undefined where that is no good. */
function stretchText(picked: PickedRows): string | undefined {
  const { rows, at, count } = picked;
  if (count < MIN_TEXT_ROWS || !rows.isAscii || !isDense(picked)) return undefined;
  const low = Math.min(at[0]!, at[count - 1]!);
  const end = entryEnd(rows.bytes, Math.max(at[0]!, at[count - 1]!));
  if (end - low > MAX_TEXT_BYTES) return undefined;
  textAt = low;
  return latin1Slice.call(rows.bytes, low, end);
}

function decodeBytes(picked: PickedRows, items: unknown[], buffer: BatchBuffer): void {
  const { rows, at, count } = picked;
  const { bytes } = rows;
  let shift = isDense(picked) ? copyAll(picked, buffer) : undefined;
  const isCopied = shift !== undefined;
  for (let i = 0; i < count; i++) {
    const from = at[i]!;
    const keyBytes = keyBytesAt(bytes, from);
    const valueBytes = valueBytesAt(bytes, from);
    const end = from + ENTRY_HEADER_BYTES + keyBytes + valueBytes;
    if (!isCopied) shift = buffer.copy(bytes, from, end, 1 / picked.rowsLeft) - from;
    const keyAt = from + shift! + ENTRY_HEADER_BYTES;
    items.push({
      key: new Uint8Array(buffer.memory, keyAt, keyBytes),
      value: new Uint8Array(buffer.memory, keyAt + keyBytes, valueBytes),
    });
  }
}

function decodeKeyBytes(picked: PickedRows, items: unknown[], buffer: BatchBuffer): void {
  const { rows, at, count } = picked;
  for (let i = 0; i < count; i++) items.push(copyKey(rows.bytes, at[i]!, buffer, picked.rowsLeft));
}

function decodeValueBytes(picked: PickedRows, items: unknown[], buffer: BatchBuffer): void {
  const { rows, at, count } = picked;
  const { bytes } = rows;
  if (!isDense(picked)) {
    for (let i = 0; i < count; i++) items.push(copyValue(bytes, at[i]!, buffer, picked.rowsLeft));
    return;
  }
  const shift = copyAll(picked, buffer);
  const { memory } = buffer;
  for (let i = 0; i < count; i++) {
    const valueAt = at[i]! + ENTRY_HEADER_BYTES + keyBytesAt(bytes, at[i]!);
    items.push(new Uint8Array(memory, valueAt + shift, valueBytesAt(bytes, at[i]!)));
  }
}

function decodeStrings(picked: PickedRows, items: unknown[]): void {
  const { rows, at, count } = picked;
  const { bytes } = rows;
  const text = stretchText(picked);
  if (text !== undefined) {
    for (let i = 0; i < count; i++) {
      const keyAt = at[i]! + ENTRY_HEADER_BYTES - textAt;
      const valueAt = keyAt + keyBytesAt(bytes, at[i]!);
      const end = valueAt + valueBytesAt(bytes, at[i]!);
      items.push({ key: text.substring(keyAt, valueAt), value: text.substring(valueAt, end) });
    }
    return;
  }
  const slice = rows.isAscii ? latin1Slice : utf8Slice;
  for (let i = 0; i < count; i++) {
    const keyAt = at[i]! + ENTRY_HEADER_BYTES;
    const valueAt = keyAt + keyBytesAt(bytes, at[i]!);
    const end = valueAt + valueBytesAt(bytes, at[i]!);
    items.push({ key: slice.call(bytes, keyAt, valueAt), value: slice.call(bytes, valueAt, end) });
  }
}

function decodeKeyStrings(picked: PickedRows, items: unknown[]): void {
  const { rows, at, count } = picked;
  const { bytes } = rows;
  const text = stretchText(picked);
  if (text !== undefined) {
    for (let i = 0; i < count; i++) {
      const keyAt = at[i]! + ENTRY_HEADER_BYTES - textAt;
      items.push(text.substring(keyAt, keyAt + keyBytesAt(bytes, at[i]!)));
    }
    return;
  }
  const slice = rows.isAscii ? latin1Slice : utf8Slice;
  for (let i = 0; i < count; i++) {
    const keyAt = at[i]! + ENTRY_HEADER_BYTES;
    items.push(slice.call(bytes, keyAt, keyAt + keyBytesAt(bytes, at[i]!)));
  }
}

function decodeValueStrings(picked: PickedRows, items: unknown[]): void {
  const { rows, at, count } = picked;
  const { bytes } = rows;
  const text = stretchText(picked);
  if (text !== undefined) {
    for (let i = 0; i < count; i++) {
      const valueAt = at[i]! + ENTRY_HEADER_BYTES + keyBytesAt(bytes, at[i]!) - textAt;
      items.push(text.substring(valueAt, valueAt + valueBytesAt(bytes, at[i]!)));
    }
    return;
  }
  const slice = rows.isAscii ? latin1Slice : utf8Slice;
  for (let i = 0; i < count; i++) {
    const valueAt = at[i]! + ENTRY_HEADER_BYTES + keyBytesAt(bytes, at[i]!);
    items.push(slice.call(bytes, valueAt, valueAt + valueBytesAt(bytes, at[i]!)));
  }
}

function decodeBytesAndStrings(picked: PickedRows, items: unknown[], buffer: BatchBuffer): void {
  const { rows, at, count } = picked;
  const { bytes } = rows;
  const slice = rows.isAscii ? latin1Slice : utf8Slice;
  for (let i = 0; i < count; i++) {
    const key = copyKey(bytes, at[i]!, buffer, picked.rowsLeft);
    const valueAt = at[i]! + ENTRY_HEADER_BYTES + key.length;
    items.push({ key, value: slice.call(bytes, valueAt, valueAt + valueBytesAt(bytes, at[i]!)) });
  }
}

function decodeStringsAndBytes(picked: PickedRows, items: unknown[], buffer: BatchBuffer): void {
  const { rows, at, count } = picked;
  const { bytes } = rows;
  const slice = rows.isAscii ? latin1Slice : utf8Slice;
  for (let i = 0; i < count; i++) {
    const keyAt = at[i]! + ENTRY_HEADER_BYTES;
    const key = slice.call(bytes, keyAt, keyAt + keyBytesAt(bytes, at[i]!));
    items.push({ key, value: copyValue(bytes, at[i]!, buffer, picked.rowsLeft) });
  }
}

function copyKey(bytes: Uint8Array, at: number, buffer: BatchBuffer, rowsLeft: number): Uint8Array {
  const keyAt = at + ENTRY_HEADER_BYTES;
  const keyBytes = keyBytesAt(bytes, at);
  const copyAt = buffer.copy(bytes, keyAt, keyAt + keyBytes, 1 / rowsLeft);
  return new Uint8Array(buffer.memory, copyAt, keyBytes);
}

function copyValue(bytes: Uint8Array, at: number, buffer: BatchBuffer, rowsLeft: number): Uint8Array {
  const valueAt = at + ENTRY_HEADER_BYTES + keyBytesAt(bytes, at);
  const valueBytes = valueBytesAt(bytes, at);
  const copyAt = buffer.copy(bytes, valueAt, valueAt + valueBytes, 1 / rowsLeft);
  return new Uint8Array(buffer.memory, copyAt, valueBytes);
}

/** Whether everything from the first to the last of them is best copied in one go, with what lies between. */
function isDense({ rows, at, count, bytes }: PickedRows): boolean {
  const first = at[0]!;
  const last = at[count - 1]!;
  const span = first < last ? entryEnd(rows.bytes, last) - first : entryEnd(rows.bytes, first) - last;
  return span <= 2 * bytes + ENTRY_HEADER_BYTES * count;
}

/** @returns What has to be added to a place in the block to have it in the buffer's memory. */
function copyAll({ rows, at, count, rowsLeft }: PickedRows, buffer: BatchBuffer): number {
  const low = Math.min(at[0]!, at[count - 1]!);
  const high = Math.max(at[0]!, at[count - 1]!);
  return buffer.copy(rows.bytes, low, entryEnd(rows.bytes, high), count / rowsLeft) - low;
}

function entryEnd(bytes: Uint8Array, at: number): number {
  return at + ENTRY_HEADER_BYTES + keyBytesAt(bytes, at) + valueBytesAt(bytes, at);
}
