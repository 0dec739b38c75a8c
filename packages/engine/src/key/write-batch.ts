/**
 * A batch of writes, encoded as it is built: its bytes are the payload of the commit group's record.
 * Format: docs/format/wal.md, "Operation".
 */

import { compareBytes, DecodeError, EMPTY_BYTES, encodeUtf8, readU16, readU32 } from '@kayadb/codec';

import { MAX_BATCH_BYTES, MAX_KEY_BYTES, MAX_VALUE_BYTES } from '../limits.ts';
import {
  encodeEntryHeader,
  ENTRY_HEADER_BYTES,
  ENTRY_KIND_AT,
  ENTRY_RESERVED_AT,
  KEY_BYTES_AT,
  VALUE_BYTES_AT,
} from '../wal/wal-format.ts';
import { DELETE_KIND, type OperationKind, PUT_KIND, RANGE_DELETE_KIND, type SequenceNumber } from './internal-key.ts';

const INITIAL_BYTES = 256;

/** Puts and deletes that take effect together or not at all, in the order of the calls. Copies what it is given. */
export class WriteBatch {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #length = 0;
  #count = 0;

  /** Operations in the batch. */
  get count(): number {
    return this.#count;
  }

  /** The encoded operations: a view, valid and unchanged until the next `put`, `delete` or `clear`. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Length of `bytes`. */
  get byteLength(): number {
    return this.#length;
  }

  /**
   * Sets `key` to `value`. Strings are taken as UTF-8.
   *
   * @param key - 1 to `MAX_KEY_BYTES` bytes.
   * @param value - 0 to `MAX_VALUE_BYTES` bytes.
   * @throws TypeError for anything that is neither a Uint8Array nor a string. The batch stays as it was.
   * @throws RangeError for a length out of range, or when the batch would exceed `MAX_BATCH_BYTES`.
   */
  put(key: Uint8Array | string, value: Uint8Array | string): this {
    return this.#add(PUT_KIND, checkKey(key), checkValue(value));
  }

  /** Removes `key`, whether it is there or not. Errors as for `put`. */
  delete(key: Uint8Array | string): this {
    return this.#add(DELETE_KIND, checkKey(key), EMPTY_BYTES);
  }

  /**
   * Removes every key from `start` on, up to and without `end`; to the end of all keys when `end` is undefined.
   * Requires: `start` before `end`, as `resolveKeySpan` makes them.
   */
  deleteRange(start: Uint8Array, end: Uint8Array | undefined): this {
    return this.#add(RANGE_DELETE_KIND, start, end ?? EMPTY_BYTES);
  }

  /** Empties the batch and keeps its memory. */
  clear(): this {
    this.#length = 0;
    this.#count = 0;
    return this;
  }

  #add(kind: OperationKind, key: Uint8Array, value: Uint8Array): this {
    const start = this.#length;
    const keyAt = start + ENTRY_HEADER_BYTES;
    const end = keyAt + key.length + value.length;
    if (end > MAX_BATCH_BYTES) {
      throw new RangeError(`a batch takes ${MAX_BATCH_BYTES} bytes at most, and this operation would make it ${end}`);
    }
    this.#reserve(end);
    encodeEntryHeader(this.#bytes, start, kind, key.length, value.length);
    this.#bytes.set(key, keyAt);
    this.#bytes.set(value, keyAt + key.length);
    this.#length = end;
    this.#count++;
    return this;
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.min(MAX_BATCH_BYTES, Math.max(length, this.#bytes.length * 2)));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/**
 * A user's key as bytes: strings become UTF-8, arrays are passed on, not copied.
 *
 * @throws TypeError or RangeError with a sentence for the user.
 */
export function checkKey(key: Uint8Array | string): Uint8Array {
  const bytes = asBytes(key, 'key');
  if (bytes.length === 0) throw new RangeError('a key has at least one byte, and this one is empty');
  if (bytes.length > MAX_KEY_BYTES) {
    throw new RangeError(`a key has ${MAX_KEY_BYTES} bytes at most, and this one has ${bytes.length}`);
  }
  return bytes;
}

/** A user's value as bytes. As `checkKey`; may be empty. */
export function checkValue(value: Uint8Array | string): Uint8Array {
  const bytes = asBytes(value, 'value');
  if (bytes.length > MAX_VALUE_BYTES) {
    throw new RangeError(`a value has ${MAX_VALUE_BYTES} bytes at most, and this one has ${bytes.length}`);
  }
  return bytes;
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
    if (keyBytes === 0 || keyBytes > MAX_KEY_BYTES) throw new DecodeError(`a key has ${keyBytes} bytes`, at);
    if (valueBytes > MAX_VALUE_BYTES) throw new DecodeError(`a value has ${valueBytes} bytes`, at);
    if (kind === DELETE_KIND && valueBytes !== 0) throw new DecodeError('a delete has a value', at);
    if (kind === RANGE_DELETE_KIND && valueBytes > MAX_KEY_BYTES) throw new DecodeError('a range ends behind all keys', at);
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

function asBytes(value: Uint8Array | string, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return encodeUtf8(value);
  throw new TypeError(`a ${what} must be a Uint8Array or a string, not ${describeType(value)}`);
}

function describeType(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value;
}
