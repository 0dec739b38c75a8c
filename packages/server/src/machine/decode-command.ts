/**
 * Bytes to commands. Total: a command, or DecodeError, for any bytes whatever. Format: docs/format/state-machine.md, "Commands".
 */

import {
  ByteReader,
  decodeConditions,
  DecodeError,
  decodeOperations,
  decodeUtf8Strict,
  MAX_COMMAND_BYTES,
  MAX_COMMAND_OPERATIONS,
  type SessionPlace,
  type Write,
} from '@kayadb/codec';

import type { Command, CommandBody, CommandKind, Member, UnknownField } from './command.ts';
import { COMMAND_KIND, COMMAND_TAG, COMMAND_VERSION, LAST_STRICT_TAG, TO_BE_PROMOTED } from './machine-format.ts';

type Tag = keyof typeof COMMAND_TAG;

/** Fields by their tags, each with what it holds. */
type Fields = ReadonlyMap<number, Uint8Array>;

const KINDS = new Map<number, CommandKind>(
  (Object.entries(COMMAND_KIND) as [CommandKind, number][]).map(([kind, number]) => [number, kind]),
);

/** What may stand in a command of each kind. */
const TAGS_OF: Readonly<Record<CommandKind, ReadonlySet<number>>> = {
  write: tagsOf('session', 'conditions', 'operations', 'otherwise'),
  'open-session': tagsOf('expiry'),
  'close-session': tagsOf('session'),
  'put-member': tagsOf('member'),
  'drop-member': tagsOf('node'),
  'raise-level': tagsOf('level'),
  touch: tagsOf('session'),
};

/**
 * @param bytes - Keys, values and unknown fields are views of it.
 * @throws DecodeError for what is no command, or one of a later program.
 */
export function decodeCommand(bytes: Uint8Array): Command {
  if (bytes.length > MAX_COMMAND_BYTES) throw new DecodeError(`a command of ${bytes.length} bytes`, 0);
  const reader = new ByteReader(bytes);
  const version = reader.u8('version');
  if (version !== COMMAND_VERSION) throw new DecodeError(`a command of version ${version}`, 0);
  const number = reader.u8('kind');
  const kind = KINDS.get(number);
  if (kind === undefined) throw new DecodeError(`there is no command ${number}`, 1);
  const fields = new Map<number, Uint8Array>();
  const unknown: UnknownField[] = [];
  let last = -1;
  while (reader.remaining > 0) {
    const at = reader.offset;
    const tag = reader.varint('tag');
    if (tag <= last) throw new DecodeError(`field ${tag} stands behind field ${last}`, at);
    last = tag;
    const content = reader.bytes(reader.varint('length of a field'), 'a field');
    if (TAGS_OF[kind].has(tag)) fields.set(tag, content);
    else if (tag > LAST_STRICT_TAG) unknown.push({ tag, bytes: content });
    else throw new DecodeError(`a ${kind} has no field ${tag}`, at);
  }
  const timeMs = read(fields, 'time', (field) => field.u64('time'));
  const body = bodyOf(kind, fields);
  return unknown.length === 0 ? { ...body, timeMs } : { ...body, timeMs, unknown };
}

/** The rest of a member's row. */
export function readMemberRow(reader: ByteReader, node: number): Member {
  const incarnation = reader.varint('incarnation');
  const level = reader.varint('level');
  const at = reader.offset;
  const flags = reader.varint('flags');
  if (flags > TO_BE_PROMOTED) throw new DecodeError(`there are no flags ${flags} of a member`, at);
  const peerAddress = readText(reader, 'address for nodes');
  const clientAddress = readText(reader, 'address for clients');
  return { node, incarnation, level, isToBePromoted: flags === TO_BE_PROMOTED, peerAddress, clientAddress };
}

function tagsOf(...names: readonly Tag[]): ReadonlySet<number> {
  return new Set([COMMAND_TAG.time, ...names.map((name) => COMMAND_TAG[name])]);
}

function bodyOf(kind: CommandKind, fields: Fields): CommandBody {
  switch (kind) {
    case 'write':
      return { kind, write: writeOf(fields) };
    case 'open-session':
      return { kind, expiryMs: read(fields, 'expiry', (field) => field.varint('expiry')) };
    case 'close-session':
      return { kind, session: read(fields, 'session', readPlace).session };
    case 'put-member':
      return { kind, member: read(fields, 'member', (field) => readMemberRow(field, field.varint('node'))) };
    case 'drop-member':
      return { kind, node: read(fields, 'node', (field) => field.varint('node')) };
    case 'raise-level':
      return { kind, level: read(fields, 'level', (field) => field.varint('level')) };
    case 'touch':
      return {
        kind,
        session: fields.has(COMMAND_TAG.session) ? read(fields, 'session', readPlace).session : undefined,
      };
  }
}

function writeOf(fields: Fields): Write {
  let room = MAX_COMMAND_OPERATIONS;
  const list = <Item>(name: Tag, decode: (bytes: Uint8Array, maxCount: number) => readonly Item[]): readonly Item[] => {
    const content = fields.get(COMMAND_TAG[name]);
    if (content === undefined) return [];
    const items = decode(content, room);
    room -= items.length;
    return items;
  };
  const conditions = list('conditions', decodeConditions);
  const operations = list('operations', decodeOperations);
  const otherwise = list('otherwise', decodeOperations);
  if (!fields.has(COMMAND_TAG.session)) return { conditions, operations, otherwise };
  return { place: read(fields, 'session', readPlace), conditions, operations, otherwise };
}

function readPlace(reader: ByteReader): SessionPlace {
  const session = reader.varint('session');
  const serial = reader.varint('serial');
  return { session, serial, settled: reader.varint('settled') };
}

function read<Value>(fields: Fields, name: Tag, decode: (reader: ByteReader) => Value): Value {
  const content = fields.get(COMMAND_TAG[name]);
  if (content === undefined) throw new DecodeError(`a command lacks its ${name}`, 0);
  const reader = new ByteReader(content);
  const value = decode(reader);
  reader.end(name);
  return value;
}

function readText(reader: ByteReader, what: string): string {
  const at = reader.offset;
  const text = decodeUtf8Strict(reader.bytes(reader.varint(`length of the ${what}`), what));
  if (text === undefined) throw new DecodeError(`the ${what} is not UTF-8`, at);
  return text;
}
