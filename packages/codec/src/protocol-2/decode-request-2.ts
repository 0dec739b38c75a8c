/**
 * Frames of protocol 2 to requests. Invariant: any bytes give a request or a DecodeError, what is accepted encodes to
 * the same bytes, and no copy of a payload is made. Format: docs/format/wire-2.md, "Requests".
 */

import { ByteReader } from '../byte-reader.ts';
import { MAX_TOKEN_BYTES } from '../protocol/wire-format.ts';
import { readByteString, readCount, readKey, readNumber, readOneOf, readText } from './fields.ts';
import { readRequestHeader } from './frame-2.ts';
import { readFreshness, readRange } from './read-parts.ts';
import type { DecodedRequest2, Request2, ScanRequest2 } from './request.ts';
import { MAX_ADDRESS_BYTES, MAX_GET_MANY_KEYS, MAX_PAGE_BYTES, MAX_PAGE_ROWS, OPCODE_2 } from './wire-format-2.ts';
import { readWrite } from './write-payload.ts';

const LEAST_KEY_BYTES = 2;

/**
 * @param frame - One frame of `FrameDecoder`, with its header: `decodeRequestHeader2` gives that. The request's byte arrays are views of the frame.
 * @throws DecodeError when the payload is not what its opcode says. An unknown opcode is not an error but `unsupported`.
 */
export function decodeRequest2(frame: Uint8Array): DecodedRequest2 {
  const reader = new ByteReader(frame);
  const { opcode } = readRequestHeader(reader);
  const request = readPayload(reader, opcode);
  if (request === undefined) return { kind: 'unsupported', opcode };
  reader.end(`a ${request.kind} request`);
  return request;
}

function readPayload(reader: ByteReader, opcode: number): Request2 | undefined {
  switch (opcode) {
    case OPCODE_2.auth: {
      const role = readOneOf(reader, 'kind of credential', 1) === 1 ? 'operator' : 'client';
      return { kind: 'auth', role, token: readByteString(reader, 'token', MAX_TOKEN_BYTES) };
    }
    case OPCODE_2.cancel:
      return { kind: 'cancel', target: reader.u32('request to cancel') };
    case OPCODE_2.health:
      return { kind: 'health' };
    case OPCODE_2.get: {
      const freshness = readFreshness(reader);
      return { kind: 'get', freshness, key: readKey(reader) };
    }
    case OPCODE_2.getMany: {
      const freshness = readFreshness(reader);
      return { kind: 'get-many', freshness, keys: readKeys(reader) };
    }
    case OPCODE_2.write:
      return { kind: 'write', write: readWrite(reader) };
    case OPCODE_2.scan:
      return readScan(reader);
    case OPCODE_2.more:
      return { kind: 'more', scan: reader.u32('id of the scan') };
    case OPCODE_2.endScan:
      return { kind: 'end-scan', scan: reader.u32('id of the scan') };
    case OPCODE_2.openSession:
      return { kind: 'open-session', expiryMs: reader.varint('expiry') };
    case OPCODE_2.touchSession:
      return { kind: 'touch-session', session: readNumber(reader, 'session', 1) };
    case OPCODE_2.closeSession:
      return { kind: 'close-session', session: readNumber(reader, 'session', 1) };
    case OPCODE_2.status:
      return { kind: 'status' };
    case OPCODE_2.members:
      return { kind: 'members' };
    default:
      return readMembership(reader, opcode);
  }
}

function readMembership(reader: ByteReader, opcode: number): Request2 | undefined {
  switch (opcode) {
    case OPCODE_2.addMember: {
      const flags = readOneOf(reader, 'flag byte', 3);
      return {
        kind: 'add-member',
        node: readNumber(reader, 'node', 1),
        peerAddress: readText(reader, 'address for nodes', MAX_ADDRESS_BYTES),
        clientAddress: readText(reader, 'address for clients', MAX_ADDRESS_BYTES),
        isDryRun: (flags & 1) !== 0,
        staysLearner: (flags & 2) !== 0,
      };
    }
    case OPCODE_2.promoteMember: {
      const isDryRun = readOneOf(reader, 'flag byte', 1) === 1;
      return { kind: 'promote-member', node: readNumber(reader, 'node', 1), isDryRun };
    }
    case OPCODE_2.removeMember: {
      const isDryRun = readOneOf(reader, 'flag byte', 1) === 1;
      return { kind: 'remove-member', node: readNumber(reader, 'node', 1), isDryRun };
    }
    case OPCODE_2.transferLeader:
      return { kind: 'transfer-leader', node: reader.varint('node') };
    default:
      return undefined;
  }
}

function readKeys(reader: ByteReader): readonly Uint8Array[] {
  const count = readCount(reader, 'keys', MAX_GET_MANY_KEYS, LEAST_KEY_BYTES);
  const keys: Uint8Array[] = [];
  for (let i = 0; i < count; i++) keys.push(readKey(reader));
  return keys;
}

function readScan(reader: ByteReader): ScanRequest2 {
  const freshness = readFreshness(reader);
  const range = readRange(reader);
  const flags = readOneOf(reader, 'flag byte', 3);
  return {
    kind: 'scan',
    freshness,
    range,
    isDescending: (flags & 1) !== 0,
    isWithoutValues: (flags & 2) !== 0,
    limit: reader.varint('limit'),
    pageBytes: readNumber(reader, 'page size', 0, MAX_PAGE_BYTES),
    pageRows: readNumber(reader, 'page row count', 0, MAX_PAGE_ROWS),
  };
}
