/**
 * The fields that messages of protocol 2 and commands are made of. Invariant: what a writer takes its reader reads, and
 * each value has one encoding. Format: docs/format/wire-2.md and docs/format/state-machine.md.
 */

import type { ByteReader } from '../byte-reader.ts';
import { decodeUtf8Strict, encodeUtf8 } from '../bytes.ts';
import { DecodeError } from '../errors.ts';
import type { ByteSink } from './byte-sink.ts';
import { MAX_USER_KEY_BYTES, MAX_USER_VALUE_BYTES } from './write-format.ts';

/** @throws RangeError for a length outside `least` to `most`. */
export function writeByteString(sink: ByteSink, bytes: Uint8Array, what: string, most: number, least = 0): void {
  if (bytes.length > most || bytes.length < least) {
    throw new RangeError(`${what} has ${bytes.length} bytes, not ${least} to ${most}`);
  }
  sink.varint(bytes.length).bytes(bytes);
}

/** A view. The length is judged before it is taken. */
export function readByteString(reader: ByteReader, what: string, most: number, least = 0): Uint8Array {
  const at = reader.offset;
  const length = reader.varint(what);
  if (length > most || length < least) {
    throw new DecodeError(`${what} has ${length} bytes, not ${least} to ${most}`, at);
  }
  return reader.bytes(length, what);
}

export function writeKey(sink: ByteSink, key: Uint8Array): void {
  writeByteString(sink, key, 'key', MAX_USER_KEY_BYTES, 1);
}

export function readKey(reader: ByteReader): Uint8Array {
  return readByteString(reader, 'key', MAX_USER_KEY_BYTES, 1);
}

export function writeValue(sink: ByteSink, value: Uint8Array): void {
  writeByteString(sink, value, 'value', MAX_USER_VALUE_BYTES);
}

export function readValue(reader: ByteReader): Uint8Array {
  return readByteString(reader, 'value', MAX_USER_VALUE_BYTES);
}

/** A bound of a range: a key, or nothing. */
export function writeBound(sink: ByteSink, bound: Uint8Array, what: string): void {
  writeByteString(sink, bound, what, MAX_USER_KEY_BYTES);
}

export function readBound(reader: ByteReader, what: string): Uint8Array {
  return readByteString(reader, what, MAX_USER_KEY_BYTES);
}

/** @param most - Bound: bytes of its UTF-8. Left out, the frame is the bound. */
export function writeText(sink: ByteSink, text: string, what: string, most = Infinity): void {
  writeByteString(sink, encodeUtf8(text), what, most);
}

/** @throws DecodeError for bytes that are not UTF-8: a text would not be the same bytes again. */
export function readText(reader: ByteReader, what: string, most = Infinity): string {
  const bytes = readByteString(reader, what, most);
  const text = decodeUtf8Strict(bytes);
  if (text === undefined) throw new DecodeError(`${what} is not UTF-8`, reader.offset - bytes.length);
  return text;
}

export function writeFlag(sink: ByteSink, isSet: boolean): void {
  sink.u8(isSet ? 1 : 0);
}

export function readFlag(reader: ByteReader, what: string): boolean {
  return readOneOf(reader, what, 1) === 1;
}

/** A byte from 0 to `last`. */
export function readOneOf(reader: ByteReader, what: string, last: number): number {
  const at = reader.offset;
  const value = reader.u8(what);
  if (value > last) throw new DecodeError(`${what} is ${value}, not 0 to ${last}`, at);
  return value;
}

/** A varint of at least `least` and at most `most`. */
export function readNumber(reader: ByteReader, what: string, least: number, most = Infinity): number {
  const at = reader.offset;
  const value = reader.varint(what);
  if (value < least) throw new DecodeError(`${what} is ${value}; it is at least ${least}`, at);
  if (value > most) throw new DecodeError(`${what} is ${value}; it is at most ${most}`, at);
  return value;
}

/** @throws RangeError outside `least` to `most`. */
export function writeNumber(sink: ByteSink, value: number, what: string, least: number, most = Infinity): void {
  if (value < least || value > most) throw new RangeError(`${what} is ${value}, not ${least} to ${most}`);
  sink.varint(value);
}

/** How many of something follow, each of `leastBytes` or more: nothing is allocated for a number that cannot be true. */
export function readCount(reader: ByteReader, what: string, most: number, leastBytes: number): number {
  const at = reader.offset;
  const count = readNumber(reader, `count of ${what}`, 0, most);
  if (count * leastBytes > reader.remaining) {
    throw new DecodeError(`${reader.remaining} bytes cannot hold ${count} ${what}`, at);
  }
  return count;
}
