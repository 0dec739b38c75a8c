/**
 * Frames to requests. Invariant: any bytes give a request or a DecodeError, and no copy of a payload is made.
 * Format: docs/format/wire.md, "Requests" and "Prefixes".
 */

import { ByteReader } from '../byte-reader.ts';
import { decodeUtf8Strict, startsWith } from '../bytes.ts';
import { DecodeError } from '../errors.ts';
import type { AddMemberRequest, Credential, DecodedRequest } from './request.ts';
import { ADMIN_PREFIX, CLIENT_PREFIX, OPCODE, RANGE_EPOCH_PREFIX } from './wire-format.ts';

/**
 * @param frame - One frame of `FrameDecoder`: opcode and payload. The request's byte arrays are views of it.
 * @throws DecodeError when the payload is not what its opcode says. An unknown opcode is not an error but `unsupported`.
 */
export function decodeRequest(frame: Uint8Array): DecodedRequest {
  const reader = new ByteReader(frame);
  const opcode = reader.u8('opcode');
  const request = decodeBody(opcode, frame, reader);
  if (request.kind !== 'unsupported') reader.end(`a ${request.kind} request`);
  return request;
}

function decodeBody(opcode: number, frame: Uint8Array, reader: ByteReader): DecodedRequest {
  switch (opcode) {
    case OPCODE.hello:
      return { kind: 'hello', version: reader.u16('version') };
    case OPCODE.put: {
      const { credential, rangeEpoch } = readPrefixes(frame, reader);
      const keyBytes = reader.u32('key length');
      const valueBytes = reader.u32('value length');
      const key = reader.bytes(keyBytes, 'key');
      return { kind: 'put', key, value: reader.bytes(valueBytes, 'value'), credential, rangeEpoch };
    }
    case OPCODE.get: {
      const { credential, rangeEpoch } = readPrefixes(frame, reader);
      return { kind: 'get', key: readByteString(reader, 'key'), credential, rangeEpoch };
    }
    case OPCODE.delete: {
      const { credential, rangeEpoch } = readPrefixes(frame, reader);
      return { kind: 'delete', key: readByteString(reader, 'key'), credential, rangeEpoch };
    }
    case OPCODE.scan: {
      const { credential, rangeEpoch } = readPrefixes(frame, reader);
      return { kind: 'scan', prefix: readByteString(reader, 'prefix'), credential, rangeEpoch };
    }
    case OPCODE.health:
      return { kind: 'health' };
    case OPCODE.stats:
      return { kind: 'stats', credential: readClientCredential(frame, reader) };
    case OPCODE.addMember:
      return decodeAddMember(reader, readOperatorCredential(frame, reader, opcode));
    case OPCODE.removeMember: {
      const credential = readOperatorCredential(frame, reader, opcode);
      return { kind: 'remove-member', id: reader.u64('member id'), credential };
    }
    case OPCODE.transferLeader: {
      const credential = readOperatorCredential(frame, reader, opcode);
      const group = reader.u64('group');
      return { kind: 'transfer-leader', group, target: reader.u64('target'), credential };
    }
    case OPCODE.promoteLearner: {
      const credential = readOperatorCredential(frame, reader, opcode);
      return { kind: 'promote-learner', id: reader.u64('member id'), credential };
    }
    default:
      return { kind: 'unsupported', opcode };
  }
}

function decodeAddMember(reader: ByteReader, credential: Credential | undefined): AddMemberRequest {
  return {
    kind: 'add-member',
    id: reader.u64('member id'),
    raftAddress: readText(reader, 'raft address'),
    clientAddress: readText(reader, 'client address'),
    isLearner: reader.remaining > 0 && readFlag(reader, 'learner flag'),
    credential,
  };
}

interface Prefixes {
  readonly credential: Credential | undefined;
  readonly rangeEpoch: number | undefined;
}

function readPrefixes(frame: Uint8Array, reader: ByteReader): Prefixes {
  const credential = readClientCredential(frame, reader);
  const rangeEpoch = takePrefix(frame, reader, RANGE_EPOCH_PREFIX) ? reader.u64('range epoch') : undefined;
  return { credential, rangeEpoch };
}

function readClientCredential(frame: Uint8Array, reader: ByteReader): Credential | undefined {
  if (!takePrefix(frame, reader, CLIENT_PREFIX)) return undefined;
  return { kind: 'client', token: reader.bytes(reader.u16('token length'), 'token') };
}

function readOperatorCredential(frame: Uint8Array, reader: ByteReader, opcode: number): Credential | undefined {
  if (!takePrefix(frame, reader, ADMIN_PREFIX)) return undefined;
  const token = reader.bytes(reader.u16('token length'), 'token');
  const at = reader.offset;
  const repeated = reader.u8('repeated opcode');
  if (repeated !== opcode) {
    throw new DecodeError(`the ADMIN prefix repeats opcode ${repeated} in a frame of opcode ${opcode}`, at);
  }
  return { kind: 'operator', token };
}

function takePrefix(frame: Uint8Array, reader: ByteReader, prefix: Uint8Array): boolean {
  const at = reader.offset;
  // The first byte decides almost always, and costs no view of the frame.
  if (frame[at] !== prefix[0] || !startsWith(frame.subarray(at), prefix)) return false;
  reader.bytes(prefix.length, 'prefix');
  return true;
}

function readByteString(reader: ByteReader, what: string): Uint8Array {
  return reader.bytes(reader.u32(`${what} length`), what);
}

function readText(reader: ByteReader, what: string): string {
  const bytes = readByteString(reader, what);
  const text = decodeUtf8Strict(bytes);
  if (text === undefined) throw new DecodeError(`${what} is not UTF-8`, reader.offset - bytes.length);
  return text;
}

function readFlag(reader: ByteReader, what: string): boolean {
  const at = reader.offset;
  const value = reader.u8(what);
  if (value > 1) throw new DecodeError(`${what} is ${value}, not 0 or 1`, at);
  return value === 1;
}
