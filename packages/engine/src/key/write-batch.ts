/**
 * A batch of writes, encoded as it is built: its bytes are the payload of the commit group's record.
 * Format: docs/format/wal.md, "Operation".
 */

import { compareBytes, DecodeError, EMPTY_BYTES, encodeUtf8, readU16, readU32 } from '@kayadb/codec';

import { MAX_STORED_KEY_BYTES, MAX_STORED_VALUE_BYTES, OWN_LOG_LIMITS, type WriteLimits } from '../limits.ts';
import type { BytesLike } from '../types.ts';
import {
  encodeEntryHeader,
  ENTRY_HEADER_BYTES,
  ENTRY_KIND_AT,
  ENTRY_RESERVED_AT,
  KEY_BYTES_AT,
  VALUE_BYTES_AT,
} from '../wal/wal-format.ts';
import { DELETE_KIND, type OperationKind, PUT_KIND, RANGE_DELETE_KIND, type SequenceNumber } from './internal-key.ts';

/** Where every batch begins: one for a single write then has memory of just its size, out of Node's pool. */
const NO_BYTES = Buffer.alloc(0);
/** Up to this length a loop beats a call into the runtime: bytes to copy, characters to encode. */
const LOOPED_LENGTH = 32;
/** UTF-8 takes this many bytes at most for each unit of a string. */
const MAX_BYTES_PER_UNIT = 3;

/** Puts and deletes that take effect together or not at all, in the order of the calls. Copies what it is given. */
export class WriteBatch {
  readonly #limits: WriteLimits;
  #bytes: Buffer = NO_BYTES;
  #length = 0;
  #count = 0;

  constructor(limits: WriteLimits = OWN_LOG_LIMITS) {
    this.#limits = limits;
  }

  /** Operations in the batch. */
  get count(): number {
    return this.#count;
  }

  /** The encoded operations: a view, valid and unchanged until the next `put`, `delete` or `clear`. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset, this.#length);
  }

  /** Length of `bytes`. */
  get byteLength(): number {
    return this.#length;
  }

  /**
   * Sets `key` to `value`. Strings are taken as UTF-8.
   *
   * @param key - 1 to `keyBytes` bytes.
   * @param value - 0 to `valueBytes` bytes.
   * @throws TypeError for anything that is neither a Uint8Array nor a string. The batch stays as it was.
   * @throws RangeError for a length out of range, or when the batch would exceed `batchBytes`.
   */
  put(key: BytesLike, value: BytesLike): this {
    const keyRoom = roomForKey(key, this.#limits);
    return this.#add(PUT_KIND, key, keyRoom, value, roomForValue(value, this.#limits));
  }

  /** Removes `key`, whether it is there or not. Errors as for `put`. */
  delete(key: BytesLike): this {
    return this.#add(DELETE_KIND, key, roomForKey(key, this.#limits), EMPTY_BYTES, 0);
  }

  /**
   * Removes every key from `start` on, up to and without `end`; to the end of all keys when `end` is undefined.
   * Requires: `start` before `end`, as `resolveKeySpan` makes them.
   */
  deleteRange(start: Uint8Array, end: Uint8Array | undefined): this {
    const value = end ?? EMPTY_BYTES;
    return this.#add(RANGE_DELETE_KIND, start, start.length, value, value.length);
  }

  /** Empties the batch and keeps its memory. */
  clear(): this {
    this.#length = 0;
    this.#count = 0;
    return this;
  }

  /** @param keyRoom - Bytes that `key` takes at most; likewise `valueRoom`. */
  #add(kind: OperationKind, key: BytesLike, keyRoom: number, value: BytesLike, valueRoom: number): this {
    const start = this.#length;
    const keyAt = start + ENTRY_HEADER_BYTES;
    const room = keyAt + keyRoom + valueRoom;
    if (room > this.#bytes.length || room > this.#limits.batchBytes) this.#makeRoom(room, keyAt, key, value);
    const bytes = this.#bytes;
    const valueAt = keyAt + copyInto(bytes, keyAt, key);
    const end = valueAt + copyInto(bytes, valueAt, value);
    encodeEntryHeader(bytes, start, kind, valueAt - keyAt, end - valueAt);
    this.#length = end;
    this.#count++;
    return this;
  }

  /** For `room` bytes, of which the operation may need fewer. */
  #makeRoom(room: number, keyAt: number, key: BytesLike, value: BytesLike): void {
    const end = keyAt + byteLengthOf(key) + byteLengthOf(value);
    const { batchBytes } = this.#limits;
    if (end > batchBytes) {
      throw new RangeError(`a batch takes ${batchBytes} bytes at most, and this operation would make it ${end}`);
    }
    if (room <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(room, Math.min(batchBytes, this.#bytes.length * 2)));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/**
 * A user's key as bytes: strings become UTF-8, arrays are passed on, not copied.
 *
 * @throws TypeError or RangeError with a sentence for the user.
 */
export function checkKey(key: BytesLike, { keyBytes }: WriteLimits = OWN_LOG_LIMITS): Uint8Array {
  const bytes = asBytes(key, 'key');
  if (bytes.length === 0) throw new RangeError('a key has at least one byte, and this one is empty');
  if (bytes.length > keyBytes) {
    throw new RangeError(`a key has ${keyBytes} bytes at most, and this one has ${bytes.length}`);
  }
  return bytes;
}

/** A user's value as bytes. As `checkKey`; may be empty. */
export function checkValue(value: BytesLike, limits: WriteLimits = OWN_LOG_LIMITS): Uint8Array {
  const bytes = asBytes(value, 'value');
  checkValueLength(bytes.length, limits);
  return bytes;
}

function checkValueLength(length: number, { valueBytes }: WriteLimits): void {
  if (length > valueBytes) {
    throw new RangeError(`a value has ${valueBytes} bytes at most, and this one has ${length}`);
  }
}

/** One operation of a batch. Of a range delete, `key` is its start and `value` its end, empty when it has none. */
export interface Operation {
  readonly key: Uint8Array;
  readonly sequence: SequenceNumber;
  readonly kind: OperationKind;
  readonly value: Uint8Array;
}

/**
 * Walks encoded operations, the first of which has sequence `firstSequence`.
 *
 * @param visit - Gets each operation in order, with views of `payload`, and the offset behind it.
 * @returns How many operations there are.
 * @throws DecodeError for bytes that are not whole, valid operations; those before were visited.
 */
export function decodeOperations(
  payload: Uint8Array,
  firstSequence: SequenceNumber,
  visit: (operation: Operation, end: number) => void,
): number {
  let count = 0;
  let at = 0;
  while (at < payload.length) {
    if (payload.length - at < ENTRY_HEADER_BYTES) throw new DecodeError('the payload ends inside an operation', at);
    const valueBytes = readU32(payload, at + VALUE_BYTES_AT);
    const keyBytes = readU16(payload, at + KEY_BYTES_AT);
    const kind = payload[at + ENTRY_KIND_AT]!;
    if (kind !== PUT_KIND && kind !== DELETE_KIND && kind !== RANGE_DELETE_KIND) {
      throw new DecodeError(`operation kind ${kind} is not known`, at);
    }
    if (payload[at + ENTRY_RESERVED_AT] !== 0) throw new DecodeError('a reserved byte is not zero', at);
    if (keyBytes === 0 || keyBytes > MAX_STORED_KEY_BYTES) throw new DecodeError(`a key has ${keyBytes} bytes`, at);
    if (valueBytes > MAX_STORED_VALUE_BYTES) throw new DecodeError(`a value has ${valueBytes} bytes`, at);
    if (kind === DELETE_KIND && valueBytes !== 0) throw new DecodeError('a delete has a value', at);
    if (kind === RANGE_DELETE_KIND && valueBytes > MAX_STORED_KEY_BYTES)
      throw new DecodeError('a range ends behind all keys', at);
    const keyAt = at + ENTRY_HEADER_BYTES;
    const valueAt = keyAt + keyBytes;
    const end = valueAt + valueBytes;
    if (end > payload.length) throw new DecodeError('the payload ends inside an operation', at);
    const sequence = firstSequence + count;
    if (!Number.isSafeInteger(sequence)) throw new DecodeError('a sequence number is not below 2^53', at);
    const key = payload.subarray(keyAt, valueAt);
    const value = payload.subarray(valueAt, end);
    if (kind === RANGE_DELETE_KIND && value.length > 0 && compareBytes(key, value) >= 0) {
      throw new DecodeError('a range ends before it starts', at);
    }
    visit({ key, sequence, kind, value }, end);
    at = end;
    count++;
  }
  return count;
}

/** What `key` takes at most, once it is known to be one: exact where it costs nothing, or where the bound is near. */
function roomForKey(key: BytesLike, limits: WriteLimits): number {
  if (typeof key === 'string' && key.length > 0 && key.length * MAX_BYTES_PER_UNIT <= limits.keyBytes) {
    return key.length * MAX_BYTES_PER_UNIT;
  }
  return checkKey(key, limits).length;
}

function roomForValue(value: BytesLike, limits: WriteLimits): number {
  if (typeof value !== 'string' || value.length > limits.valueBytes) return checkValue(value, limits).length;
  if (value.length <= LOOPED_LENGTH) return value.length * MAX_BYTES_PER_UNIT;
  const length = Buffer.byteLength(value);
  checkValueLength(length, limits);
  return length;
}

function byteLengthOf(bytes: BytesLike): number {
  return typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
}

/** Copies or encodes `from` to `target` at `at`. Requires: room. @returns How many bytes that were. */
function copyInto(target: Buffer, at: number, from: BytesLike): number {
  if (typeof from === 'string') return encodeInto(target, at, from);
  const { length } = from;
  if (length > LOOPED_LENGTH) target.set(from, at);
  else for (let i = 0; i < length; i++) target[at + i] = from[i]!;
  return length;
}

function encodeInto(target: Buffer, at: number, text: string): number {
  const { length } = text;
  if (length > LOOPED_LENGTH) return target.write(text, at);
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return target.write(text, at);
    target[at + i] = unit;
  }
  return length;
}

function asBytes(value: BytesLike, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return encodeUtf8(value);
  throw new TypeError(`a ${what} must be a Uint8Array or a string, not ${describeType(value)}`);
}

function describeType(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value;
}
