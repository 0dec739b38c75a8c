/**
 * Operations as bytes, one after the other, in a command's field and behind a count in a WRITE.
 * Invariant: each operation has one encoding, so bytes that were read may be passed on as they are.
 * Format: docs/format/state-machine.md, "Commands".
 */

import { assertNever } from '../assert.ts';
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter } from '../byte-writer.ts';
import { DecodeError } from '../errors.ts';
import { ByteCounter, type ByteSink } from './byte-sink.ts';
import { readBound, readKey, readValue, writeBound, writeKey, writeValue } from './fields.ts';
import { rememberBytes, rememberedBytes } from './remembered-bytes.ts';
import { MAX_COMMAND_OPERATIONS, OPERATION } from './write-format.ts';
import type { WriteOperation } from './write.ts';

/** A delete of a one-byte key, or of the range of all keys. */
export const LEAST_OPERATION_BYTES = 3;

/**
 * Copies the bytes of a list that came in a WRITE; encodes any other.
 *
 * @throws RangeError for a key or value over its bound.
 */
export function writeOperations(sink: ByteSink, operations: readonly WriteOperation[]): void {
  const bytes = rememberedBytes(operations);
  if (bytes !== undefined) sink.bytes(bytes);
  else for (const operation of operations) writeOperation(sink, operation);
}

/** How many bytes `writeOperations` writes. @throws RangeError as it. */
export function measureOperations(operations: readonly WriteOperation[]): number {
  const counter = new ByteCounter();
  writeOperations(counter, operations);
  return counter.length;
}

/** In one allocation. Copies keys and values. @throws RangeError for a key or value over its bound. */
export function encodeOperations(operations: readonly WriteOperation[]): Uint8Array {
  const writer = new ByteWriter(measureOperations(operations));
  writeOperations(writer, operations);
  return writer.finish();
}

/**
 * All operations of `bytes`. Keys and values are views of it.
 *
 * @param maxCount - Bound: operations. More are refused.
 * @throws DecodeError
 */
export function decodeOperations(
  bytes: Uint8Array,
  maxCount: number = MAX_COMMAND_OPERATIONS,
): readonly WriteOperation[] {
  const reader = new ByteReader(bytes);
  const operations: WriteOperation[] = [];
  while (reader.remaining > 0) {
    if (operations.length >= maxCount) throw new DecodeError(`there are over ${maxCount} operations`, reader.offset);
    operations.push(readOperation(reader));
  }
  return operations;
}

/** The next `count` operations. Requires: `count` was judged; the bytes do not change any more. @throws DecodeError */
export function readOperations(reader: ByteReader, count: number): readonly WriteOperation[] {
  const start = reader.offset;
  const operations: WriteOperation[] = [];
  for (let i = 0; i < count; i++) operations.push(readOperation(reader));
  rememberBytes(operations, () => reader.since(start));
  return operations;
}

function writeOperation(sink: ByteSink, operation: WriteOperation): void {
  switch (operation.kind) {
    case 'put':
      writeKey(sink.u8(OPERATION.put), operation.key);
      return writeValue(sink, operation.value);
    case 'delete':
      return writeKey(sink.u8(OPERATION.delete), operation.key);
    case 'delete-range':
      writeBound(sink.u8(OPERATION.deleteRange), operation.from, 'from');
      return writeBound(sink, operation.to, 'to');
    default:
      return assertNever(operation, 'operation');
  }
}

function readOperation(reader: ByteReader): WriteOperation {
  const at = reader.offset;
  const kind = reader.u8('operation');
  switch (kind) {
    case OPERATION.put: {
      const key = readKey(reader);
      return { kind: 'put', key, value: readValue(reader) };
    }
    case OPERATION.delete:
      return { kind: 'delete', key: readKey(reader) };
    case OPERATION.deleteRange: {
      const from = readBound(reader, 'from');
      return { kind: 'delete-range', from, to: readBound(reader, 'to') };
    }
    default:
      throw new DecodeError(`there is no operation ${kind}`, at);
  }
}
