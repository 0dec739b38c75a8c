/** Commands to bytes. Format: docs/format/state-machine.md, "Commands". */

import {
  assert,
  assertNever,
  ByteCounter,
  type ByteSink,
  ByteWriter,
  encodeUtf8,
  MAX_COMMAND_BYTES,
  MAX_COMMAND_OPERATIONS,
  measureConditions,
  measureOperations,
  type SessionPlace,
  type Write,
  writeConditions,
  writeOperations,
} from '@kayadb/codec';

import type { Command, CommandBody, Member } from './command.ts';
import { COMMAND_KIND, COMMAND_TAG, COMMAND_VERSION, LAST_STRICT_TAG, TO_BE_PROMOTED } from './machine-format.ts';

/**
 * In one allocation, of which nothing else is part. Keeps nothing of `command`.
 *
 * @throws RangeError for keys, values, numbers or a whole over their bounds.
 */
export function encodeCommand(command: Command): Uint8Array {
  checkCount(command);
  const counter = new ByteCounter();
  writeCommand(counter, command);
  if (counter.length > MAX_COMMAND_BYTES) {
    throw new RangeError(`a command has ${counter.length} bytes; it may have ${MAX_COMMAND_BYTES}`);
  }
  const writer = new ByteWriter(counter.length);
  writeCommand(writer, command);
  return writer.finish();
}

/** A member without its number, as in its row. */
export function writeMemberRow(sink: ByteSink, member: Member): void {
  const { incarnation, level, isToBePromoted, peerAddress, clientAddress } = member;
  sink
    .varint(incarnation)
    .varint(level)
    .varint(isToBePromoted ? TO_BE_PROMOTED : 0);
  for (const address of [peerAddress, clientAddress]) {
    const bytes = encodeUtf8(address);
    sink.varint(bytes.length).bytes(bytes);
  }
}

function checkCount(command: Command): void {
  if (command.kind !== 'write') return;
  const { conditions, operations, otherwise } = command.write;
  const count = conditions.length + operations.length + otherwise.length;
  if (count <= MAX_COMMAND_OPERATIONS) return;
  throw new RangeError(`a write has ${count} operations and conditions; it may have ${MAX_COMMAND_OPERATIONS}`);
}

function writeCommand(sink: ByteSink, command: Command): void {
  sink.u8(COMMAND_VERSION).u8(COMMAND_KIND[command.kind]);
  if (!Number.isSafeInteger(command.timeMs) || command.timeMs < 0) {
    throw new RangeError(`a command's time is a whole number of milliseconds, not ${command.timeMs}`);
  }
  const time = new ByteWriter(8).u64(command.timeMs).finish();
  sink.varint(COMMAND_TAG.time).varint(time.length).bytes(time);
  writeBody(sink, command);
  let last = LAST_STRICT_TAG;
  for (const { tag, bytes } of command.unknown ?? []) {
    assert(tag > last, 'unknown fields have tags above 127 that ascend');
    last = tag;
    sink.varint(tag).varint(bytes.length).bytes(bytes);
  }
}

function writeBody(sink: ByteSink, body: CommandBody): void {
  switch (body.kind) {
    case 'write':
      return writeWrite(sink, body.write);
    case 'open-session':
      return writeField(sink, COMMAND_TAG.expiry, (field) => field.varint(body.expiryMs));
    case 'close-session':
      return writePlace(sink, { session: body.session, serial: 0, settled: 0 });
    case 'put-member':
      return writeField(sink, COMMAND_TAG.member, (field) => {
        field.varint(body.member.node);
        writeMemberRow(field, body.member);
      });
    case 'drop-member':
      return writeField(sink, COMMAND_TAG.node, (field) => field.varint(body.node));
    case 'raise-level':
      return writeField(sink, COMMAND_TAG.level, (field) => field.varint(body.level));
    case 'touch':
      if (body.session !== undefined) writePlace(sink, { session: body.session, serial: 0, settled: 0 });
      return;
    default:
      assertNever(body, 'command');
  }
}

/** Lists without elements have no field. */
function writeWrite(sink: ByteSink, { place, conditions, operations, otherwise }: Write): void {
  if (place !== undefined) writePlace(sink, place);
  if (conditions.length > 0) {
    sink.varint(COMMAND_TAG.conditions).varint(measureConditions(conditions));
    writeConditions(sink, conditions);
  }
  for (const [tag, list] of [
    [COMMAND_TAG.operations, operations],
    [COMMAND_TAG.otherwise, otherwise],
  ] as const) {
    if (list.length === 0) continue;
    sink.varint(tag).varint(measureOperations(list));
    writeOperations(sink, list);
  }
}

function writePlace(sink: ByteSink, { session, serial, settled }: SessionPlace): void {
  writeField(sink, COMMAND_TAG.session, (field) => field.varint(session).varint(serial).varint(settled));
}

/** @param write - Called twice, and writes the same both times. */
function writeField(sink: ByteSink, tag: number, write: (sink: ByteSink) => void): void {
  const counter = new ByteCounter();
  write(counter);
  sink.varint(tag).varint(counter.length);
  write(sink);
}
