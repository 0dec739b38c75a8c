/**
 * Conditions as bytes, one after the other, in a command's field and behind a count in a WRITE.
 * Invariant: each condition has one encoding, so bytes that were read may be passed on as they are.
 * Format: docs/format/state-machine.md, "Commands".
 */

import { assertNever } from '../assert.ts';
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter } from '../byte-writer.ts';
import { DecodeError } from '../errors.ts';
import { ByteCounter, type ByteSink } from './byte-sink.ts';
import { readFlag, readKey, readValue, writeFlag, writeKey, writeValue } from './fields.ts';
import { rememberBytes, rememberedBytes } from './remembered-bytes.ts';
import { CONDITION, MAX_COMMAND_OPERATIONS } from './write-format.ts';
import type { WriteCondition } from './write.ts';

/** A condition on a one-byte key. */
export const LEAST_CONDITION_BYTES = 4;

/**
 * Copies the bytes of a list that came in a WRITE; encodes any other.
 *
 * @throws RangeError for a key or value over its bound.
 */
export function writeConditions(sink: ByteSink, conditions: readonly WriteCondition[]): void {
  const bytes = rememberedBytes(conditions);
  if (bytes !== undefined) sink.bytes(bytes);
  else for (const condition of conditions) writeCondition(sink, condition);
}

/** How many bytes `writeConditions` writes. @throws RangeError as it. */
export function measureConditions(conditions: readonly WriteCondition[]): number {
  const counter = new ByteCounter();
  writeConditions(counter, conditions);
  return counter.length;
}

/** In one allocation. Copies keys and values. @throws RangeError for a key or value over its bound. */
export function encodeConditions(conditions: readonly WriteCondition[]): Uint8Array {
  const writer = new ByteWriter(measureConditions(conditions));
  writeConditions(writer, conditions);
  return writer.finish();
}

/**
 * All conditions of `bytes`. Keys and values are views of it.
 *
 * @param maxCount - Bound: conditions. More are refused.
 * @throws DecodeError
 */
export function decodeConditions(
  bytes: Uint8Array,
  maxCount: number = MAX_COMMAND_OPERATIONS,
): readonly WriteCondition[] {
  const reader = new ByteReader(bytes);
  const conditions: WriteCondition[] = [];
  while (reader.remaining > 0) {
    if (conditions.length >= maxCount) throw new DecodeError(`there are over ${maxCount} conditions`, reader.offset);
    conditions.push(readCondition(reader));
  }
  return conditions;
}

/** The next `count` conditions. Requires: `count` was judged; the bytes do not change any more. @throws DecodeError */
export function readConditions(reader: ByteReader, count: number): readonly WriteCondition[] {
  const start = reader.offset;
  const conditions: WriteCondition[] = [];
  for (let i = 0; i < count; i++) conditions.push(readCondition(reader));
  rememberBytes(conditions, () => reader.since(start));
  return conditions;
}

function writeCondition(sink: ByteSink, condition: WriteCondition): void {
  switch (condition.kind) {
    case 'exists':
      writeKey(sink.u8(CONDITION.exists), condition.key);
      return writeFlag(sink, condition.exists);
    case 'value':
      writeKey(sink.u8(CONDITION.value), condition.key);
      return writeValue(sink, condition.value);
    case 'revision':
      writeKey(sink.u8(CONDITION.revision), condition.key);
      return void sink.varint(condition.revision);
    default:
      return assertNever(condition, 'condition');
  }
}

function readCondition(reader: ByteReader): WriteCondition {
  const at = reader.offset;
  const kind = reader.u8('condition');
  switch (kind) {
    case CONDITION.exists: {
      const key = readKey(reader);
      return { kind: 'exists', key, exists: readFlag(reader, 'exists') };
    }
    case CONDITION.value: {
      const key = readKey(reader);
      return { kind: 'value', key, value: readValue(reader) };
    }
    case CONDITION.revision: {
      const key = readKey(reader);
      return { kind: 'revision', key, revision: reader.varint('revision') };
    }
    default:
      throw new DecodeError(`there is no condition ${kind}`, at);
  }
}
