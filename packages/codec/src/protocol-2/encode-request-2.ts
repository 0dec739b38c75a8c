/** Requests of protocol 2 to frames, each in one allocation. Format: docs/format/wire-2.md, "Requests". */

import { assertNever } from '../assert.ts';
import { MAX_TOKEN_BYTES } from '../protocol/wire-format.ts';
import type { ByteSink } from './byte-sink.ts';
import { writeByteString, writeKey, writeNumber, writeText } from './fields.ts';
import { encodeFrame2 } from './frame-2.ts';
import { writeFreshness, writeRange } from './read-parts.ts';
import type { Request2, RequestEnvelope2, RequestKind2, ScanRequest2 } from './request.ts';
import {
  MAX_ADDRESS_BYTES,
  MAX_GET_MANY_KEYS,
  MAX_PAGE_BYTES,
  MAX_PAGE_ROWS,
  OPCODE_2,
  type Opcode2,
} from './wire-format-2.ts';
import { writeWrite } from './write-payload.ts';

const OPCODE_OF_KIND = {
  auth: OPCODE_2.auth,
  cancel: OPCODE_2.cancel,
  health: OPCODE_2.health,
  get: OPCODE_2.get,
  'get-many': OPCODE_2.getMany,
  write: OPCODE_2.write,
  scan: OPCODE_2.scan,
  more: OPCODE_2.more,
  'end-scan': OPCODE_2.endScan,
  'open-session': OPCODE_2.openSession,
  'touch-session': OPCODE_2.touchSession,
  'close-session': OPCODE_2.closeSession,
  status: OPCODE_2.status,
  members: OPCODE_2.members,
  'add-member': OPCODE_2.addMember,
  'promote-member': OPCODE_2.promoteMember,
  'remove-member': OPCODE_2.removeMember,
  'transfer-leader': OPCODE_2.transferLeader,
} as const satisfies Record<RequestKind2, Opcode2>;

/**
 * A whole frame, length field included.
 *
 * @param request - Byte arrays are copied.
 * @throws ProtocolError KAYA_FRAME_TOO_LARGE; RangeError for what a decoder would refuse: a key, a value, a list or a number out of its bounds.
 */
export function encodeRequest2(envelope: RequestEnvelope2, request: Request2): Uint8Array {
  return encodeFrame2(`a ${request.kind} request`, (sink) => {
    sink.u32(envelope.id).u8(OPCODE_OF_KIND[request.kind]).u32(envelope.deadlineMs);
    writePayload(sink, request);
  });
}

function writePayload(sink: ByteSink, request: Request2): void {
  switch (request.kind) {
    case 'auth':
      sink.u8(request.role === 'operator' ? 1 : 0);
      return writeByteString(sink, request.token, 'token', MAX_TOKEN_BYTES);
    case 'cancel':
      return void sink.u32(request.target);
    case 'health':
    case 'status':
    case 'members':
      return;
    case 'get':
      writeFreshness(sink, request.freshness);
      return writeKey(sink, request.key);
    case 'get-many':
      writeFreshness(sink, request.freshness);
      return writeKeys(sink, request.keys);
    case 'write':
      return writeWrite(sink, request.write);
    case 'scan':
      return writeScan(sink, request);
    case 'more':
    case 'end-scan':
      return void sink.u32(request.scan);
    case 'open-session':
      return void sink.varint(request.expiryMs);
    case 'touch-session':
    case 'close-session':
      return writeNumber(sink, request.session, 'session', 1);
    case 'add-member':
    case 'promote-member':
    case 'remove-member':
    case 'transfer-leader':
      return writeMembership(sink, request);
    default:
      return assertNever(request, 'request');
  }
}

type MembershipRequest2 = Extract<
  Request2,
  { readonly kind: 'add-member' | 'promote-member' | 'remove-member' | 'transfer-leader' }
>;

function writeMembership(sink: ByteSink, request: MembershipRequest2): void {
  if (request.kind === 'transfer-leader') return void sink.varint(request.node);
  const staysLearner = request.kind === 'add-member' && request.staysLearner;
  sink.u8((request.isDryRun ? 1 : 0) + (staysLearner ? 2 : 0));
  writeNumber(sink, request.node, 'node', 1);
  if (request.kind !== 'add-member') return;
  writeText(sink, request.peerAddress, 'address for nodes', MAX_ADDRESS_BYTES);
  writeText(sink, request.clientAddress, 'address for clients', MAX_ADDRESS_BYTES);
}

function writeKeys(sink: ByteSink, keys: readonly Uint8Array[]): void {
  writeNumber(sink, keys.length, 'count of keys', 0, MAX_GET_MANY_KEYS);
  for (const key of keys) writeKey(sink, key);
}

function writeScan(sink: ByteSink, request: ScanRequest2): void {
  writeFreshness(sink, request.freshness);
  writeRange(sink, request.range);
  sink.u8((request.isDescending ? 1 : 0) + (request.isWithoutValues ? 2 : 0));
  sink.varint(request.limit);
  writeNumber(sink, request.pageBytes, 'page size', 0, MAX_PAGE_BYTES);
  writeNumber(sink, request.pageRows, 'page row count', 0, MAX_PAGE_ROWS);
}
