/**
 * A write as a WRITE carries it: its place in a session and three lists, each behind its count.
 * Format: docs/format/wire-2.md, "Requests"; docs/format/state-machine.md, "Commands".
 */

import type { ByteReader } from '../byte-reader.ts';
import { DecodeError } from '../errors.ts';
import type { ByteSink } from './byte-sink.ts';
import { LEAST_CONDITION_BYTES, readConditions, writeConditions } from './conditions.ts';
import { readCount, readNumber, writeNumber } from './fields.ts';
import { LEAST_OPERATION_BYTES, readOperations, writeOperations } from './operations.ts';
import { MAX_COMMAND_OPERATIONS, MAX_WRITE_BYTES } from './write-format.ts';
import type { SessionPlace, Write, WriteOperation } from './write.ts';

/** @throws RangeError for a write over one of its bounds. */
export function writeWrite(sink: ByteSink, write: Write): void {
  writePlace(sink, write.place);
  const start = sink.length;
  const { conditions, operations, otherwise } = write;
  const count = conditions.length + operations.length + otherwise.length;
  if (count > MAX_COMMAND_OPERATIONS) {
    throw new RangeError(`a write has ${count} operations and conditions; at most ${MAX_COMMAND_OPERATIONS} are done`);
  }
  writeConditions(sink.varint(conditions.length), conditions);
  writeOperations(sink.varint(operations.length), operations);
  writeOperations(sink.varint(otherwise.length), otherwise);
  const bytes = sink.length - start;
  if (bytes > MAX_WRITE_BYTES) {
    throw new RangeError(`a write has ${bytes} bytes; at most ${MAX_WRITE_BYTES} are done at once`);
  }
}

/** Up to the end of `reader`. Keys and values are views of its bytes. @throws DecodeError */
export function readWrite(reader: ByteReader): Write {
  const place = readPlace(reader);
  if (reader.remaining > MAX_WRITE_BYTES) {
    const message = `a write has ${reader.remaining} bytes; at most ${MAX_WRITE_BYTES} are done at once`;
    throw new DecodeError(message, reader.offset);
  }
  let room = MAX_COMMAND_OPERATIONS;
  const conditionCount = readCount(reader, 'conditions', room, LEAST_CONDITION_BYTES);
  const conditions = readConditions(reader, conditionCount);
  room -= conditionCount;
  const operations = readOperationList(reader, 'operations', room);
  room -= operations.length;
  const otherwise = readOperationList(reader, 'otherwise', room);
  return { place, conditions, operations, otherwise };
}

function readOperationList(reader: ByteReader, what: string, most: number): readonly WriteOperation[] {
  return readOperations(reader, readCount(reader, what, most, LEAST_OPERATION_BYTES));
}

function writePlace(sink: ByteSink, place: SessionPlace | undefined): void {
  if (place === undefined) return void sink.varint(0);
  writeNumber(sink, place.session, 'session', 1);
  writeNumber(sink, place.serial, 'serial', 1);
  sink.varint(place.settled);
}

function readPlace(reader: ByteReader): SessionPlace | undefined {
  const session = reader.varint('session');
  if (session === 0) return undefined;
  const serial = readNumber(reader, 'serial', 1);
  return { session, serial, settled: reader.varint('settled') };
}
