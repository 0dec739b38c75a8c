/** Keys and values of a store that has applied commands. Format: docs/format/state-machine.md, "Rows". */

import {
  ByteReader,
  ByteWriter,
  concatBytes,
  DecodeError,
  encodeUtf8,
  readU64,
  type WriteAnswer,
  writeU64,
} from '@kayadb/codec';

import type { Member } from './command.ts';
import { readMemberRow } from './decode-command.ts';
import { writeMemberRow } from './encode-command.ts';
import { MACHINE_ROW_VERSION, REVISION_BYTES, SESSION_WINDOW } from './machine-format.ts';

const SYSTEM = 1;
const USER = 2;
const NUMBER_BYTES = 8;

export const MACHINE_KEY: Uint8Array = systemKey('machine');
export const SESSION_PREFIX: Uint8Array = systemKey('session/');
export const ANSWER_PREFIX: Uint8Array = systemKey('answer/');
export const MEMBER_PREFIX: Uint8Array = systemKey('member/');
export const GONE_PREFIX: Uint8Array = systemKey('gone/');
/** Behind all keys of users; none itself. */
export const USER_END: Uint8Array = Uint8Array.of(USER + 1);

/** What the machine stands for. */
export interface MachineRow {
  readonly timeMs: number;
  readonly level: number;
  /** Of the last command. */
  readonly index: number;
  readonly term: number;
}

export interface SessionRow {
  readonly expiryMs: number;
  readonly usedMs: number;
}

export interface AnswerRow {
  readonly serial: number;
  readonly settled: number;
  readonly answer: WriteAnswer;
}

/** Where a user's key lies. */
export function userKey(key: Uint8Array): Uint8Array {
  const row = new Uint8Array(1 + key.length);
  row[0] = USER;
  row.set(key, 1);
  return row;
}

/** The user's key of a row: a view. */
export function keyOfUser(row: Uint8Array): Uint8Array {
  return row.subarray(1);
}

export function userRow(revision: number, value: Uint8Array): Uint8Array {
  const row = new Uint8Array(REVISION_BYTES + value.length);
  writeU64(row, 0, revision);
  row.set(value, REVISION_BYTES);
  return row;
}

export function revisionOf(row: Uint8Array): number {
  return readU64(row, 0);
}

/** A view. */
export function valueOf(row: Uint8Array): Uint8Array {
  return row.subarray(REVISION_BYTES);
}

export function sessionKey(session: number): Uint8Array {
  return concatBytes([SESSION_PREFIX, bigEndian(session)]);
}

export function memberKey(node: number): Uint8Array {
  return concatBytes([MEMBER_PREFIX, bigEndian(node)]);
}

export function goneKey(node: number, incarnation: number): Uint8Array {
  return concatBytes([GONE_PREFIX, bigEndian(node), bigEndian(incarnation)]);
}

/** Where the first answer of a session would lie, and all others behind it. */
export function answersKey(session: number): Uint8Array {
  return concatBytes([ANSWER_PREFIX, bigEndian(session)]);
}

/** Serials that are `SESSION_WINDOW` apart share a place: the earlier of them is settled. */
export function answerKey(session: number, serial: number): Uint8Array {
  const slot = serial % SESSION_WINDOW;
  return concatBytes([ANSWER_PREFIX, bigEndian(session), Uint8Array.of(slot >>> 8, slot & 0xff)]);
}

/** The number behind a prefix. @throws DecodeError */
export function numberIn(key: Uint8Array, prefix: Uint8Array): number {
  return numberAt(key, prefix.length);
}

/** The second number behind a prefix. @throws DecodeError */
export function secondNumberIn(key: Uint8Array, prefix: Uint8Array): number {
  return numberAt(key, prefix.length + NUMBER_BYTES);
}

export function encodeMachineRow({ timeMs, level, index, term }: MachineRow): Uint8Array {
  return new ByteWriter(32).u8(MACHINE_ROW_VERSION).u64(timeMs).varint(level).u64(index).u64(term).finish();
}

/** @returns `undefined` when a later version wrote it. @throws DecodeError */
export function decodeMachineRow(bytes: Uint8Array): MachineRow | undefined {
  const reader = new ByteReader(bytes);
  if (reader.u8('version') !== MACHINE_ROW_VERSION) return undefined;
  const timeMs = reader.u64('time');
  const level = reader.varint('level');
  const index = reader.u64('index');
  const term = reader.u64('term');
  reader.end("the machine's row");
  return { timeMs, level, index, term };
}

export function encodeSessionRow({ expiryMs, usedMs }: SessionRow): Uint8Array {
  return new ByteWriter(16).varint(expiryMs).u64(usedMs).finish();
}

/** @throws DecodeError */
export function decodeSessionRow(bytes: Uint8Array): SessionRow {
  const reader = new ByteReader(bytes);
  const expiryMs = reader.varint('expiry');
  const usedMs = reader.u64('time of its last command');
  reader.end("a session's row");
  return { expiryMs, usedMs };
}

export function encodeAnswerRow({ serial, settled, answer }: AnswerRow): Uint8Array {
  const { revision, term, failed } = answer;
  const writer = new ByteWriter(32).varint(serial).varint(settled).varint(revision).varint(term);
  if (failed === undefined) writer.u8(0);
  else writer.u8(1).varint(failed);
  return writer.finish();
}

/** @throws DecodeError */
export function decodeAnswerRow(bytes: Uint8Array): AnswerRow {
  const reader = new ByteReader(bytes);
  const serial = reader.varint('serial');
  const settled = reader.varint('settled');
  const revision = reader.varint('revision');
  const term = reader.varint('term');
  const at = reader.offset;
  const outcome = reader.u8('outcome');
  if (outcome > 1) throw new DecodeError(`there is no outcome ${outcome} of a write`, at);
  const failed = outcome === 0 ? undefined : reader.varint('condition');
  reader.end('an answer');
  return { serial, settled, answer: { revision, term, failed } };
}

export function encodeMemberRow(member: Member): Uint8Array {
  const writer = new ByteWriter(64);
  writeMemberRow(writer, member);
  return writer.finish();
}

/** @throws DecodeError */
export function decodeMemberRow(node: number, bytes: Uint8Array): Member {
  const reader = new ByteReader(bytes);
  const member = readMemberRow(reader, node);
  reader.end("a member's row");
  return member;
}

export function encodeGoneRow(index: number): Uint8Array {
  return new ByteWriter(8).varint(index).finish();
}

/** @returns The index of the entry that removed it. @throws DecodeError */
export function decodeGoneRow(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes);
  const index = reader.varint('index');
  reader.end('the row of a member that is gone');
  return index;
}

function systemKey(name: string): Uint8Array {
  return concatBytes([Uint8Array.of(SYSTEM), encodeUtf8(name)]);
}

/** @throws DecodeError */
function numberAt(key: Uint8Array, offset: number): number {
  if (key.length < offset + NUMBER_BYTES) throw new DecodeError('a key ends within a number', key.length);
  const view = new DataView(key.buffer, key.byteOffset + offset, NUMBER_BYTES);
  const number = Number(view.getBigUint64(0));
  if (!Number.isSafeInteger(number)) throw new DecodeError('a number in a key is too large', offset);
  return number;
}

/** So that rows lie in the order of their numbers. */
function bigEndian(number: number): Uint8Array {
  const bytes = new Uint8Array(NUMBER_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number));
  return bytes;
}
