/** Requests to frames, each in one allocation. Format: docs/format/wire.md, "Requests". */

import { assert, assertNever } from '../assert.ts';
import { ByteWriter } from '../byte-writer.ts';
import { encodeUtf8 } from '../bytes.ts';
import { ProtocolError } from './protocol-error.ts';
import type { Credential, Request, RequestKind } from './request.ts';
import {
  ADMIN_PREFIX,
  CLIENT_PREFIX,
  FRAME_HEADER_BYTES,
  MAX_FRAME_BYTES,
  MAX_TOKEN_BYTES,
  OPCODE,
  type Opcode,
  RANGE_EPOCH_PREFIX,
} from './wire-format.ts';

const OPCODE_OF_KIND = {
  hello: OPCODE.hello,
  put: OPCODE.put,
  get: OPCODE.get,
  delete: OPCODE.delete,
  scan: OPCODE.scan,
  health: OPCODE.health,
  stats: OPCODE.stats,
  'add-member': OPCODE.addMember,
  'remove-member': OPCODE.removeMember,
  'transfer-leader': OPCODE.transferLeader,
  'promote-learner': OPCODE.promoteLearner,
} as const satisfies Record<RequestKind, Opcode>;

/** Those that carry an operator's credential. */
const OPERATOR_OPCODES: ReadonlySet<Opcode> = new Set([
  OPCODE.addMember,
  OPCODE.removeMember,
  OPCODE.transferLeader,
  OPCODE.promoteLearner,
]);

const TOKEN_LENGTH_BYTES = 2;
const EPOCH_BYTES = 8;
const ID_BYTES = 8;

/** A request body: how long it is, and what writes it once the frame is allocated. */
interface Body {
  readonly bytes: number;
  write(writer: ByteWriter): void;
}

/**
 * A whole frame, length field included.
 *
 * @param request - Byte arrays are copied. A credential has the kind that its opcode carries.
 * @throws ProtocolError KAYA_FRAME_TOO_LARGE; RangeError for a token over 65,535 bytes.
 */
export function encodeRequest(request: Request): Uint8Array {
  const opcode = OPCODE_OF_KIND[request.kind];
  const credential = 'credential' in request ? request.credential : undefined;
  const epoch = 'rangeEpoch' in request ? request.rangeEpoch : undefined;
  const body = bodyOf(request);
  const epochBytes = epoch === undefined ? 0 : RANGE_EPOCH_PREFIX.length + EPOCH_BYTES;
  const length = 1 + credentialBytes(credential) + epochBytes + body.bytes;
  if (length > MAX_FRAME_BYTES) {
    const message = `a ${request.kind} request of ${length} bytes is over the frame limit of ${MAX_FRAME_BYTES} bytes`;
    throw new ProtocolError('KAYA_FRAME_TOO_LARGE', message);
  }
  const writer = new ByteWriter(FRAME_HEADER_BYTES + length).u32(length).u8(opcode);
  if (credential !== undefined) writeCredential(writer, credential, opcode);
  if (epoch !== undefined) writer.bytes(RANGE_EPOCH_PREFIX).u64(epoch);
  body.write(writer);
  assert(writer.length === FRAME_HEADER_BYTES + length, `a ${request.kind} request was measured wrong`);
  return writer.finish();
}

function credentialBytes(credential: Credential | undefined): number {
  if (credential === undefined) return 0;
  const { length } = credential.token;
  if (length > MAX_TOKEN_BYTES)
    throw new RangeError(`a token has at most ${MAX_TOKEN_BYTES} bytes, this one ${length}`);
  const prefix = credential.kind === 'client' ? CLIENT_PREFIX.length : ADMIN_PREFIX.length + 1;
  return prefix + TOKEN_LENGTH_BYTES + length;
}

function writeCredential(writer: ByteWriter, credential: Credential, opcode: Opcode): void {
  const isOperation = OPERATOR_OPCODES.has(opcode);
  assert((credential.kind === 'operator') === isOperation, `opcode ${opcode} carries no ${credential.kind} credential`);
  writer.bytes(isOperation ? ADMIN_PREFIX : CLIENT_PREFIX);
  writer.u16(credential.token.length).bytes(credential.token);
  if (isOperation) writer.u8(opcode);
}

function bodyOf(request: Request): Body {
  switch (request.kind) {
    case 'hello':
      return { bytes: 2, write: (writer) => void writer.u16(request.version) };
    case 'put':
      return putBody(request.key, request.value);
    case 'get':
    case 'delete':
      return byteStringBody(request.key);
    case 'scan':
      return byteStringBody(request.prefix);
    case 'health':
    case 'stats':
      return { bytes: 0, write: () => {} };
    case 'add-member':
      return addMemberBody(request.id, request.raftAddress, request.clientAddress, request.isLearner);
    case 'transfer-leader':
      return { bytes: 2 * ID_BYTES, write: (writer) => void writer.u64(request.group).u64(request.target) };
    case 'remove-member':
    case 'promote-learner':
      return { bytes: ID_BYTES, write: (writer) => void writer.u64(request.id) };
    default:
      return assertNever(request, 'request');
  }
}

function putBody(key: Uint8Array, value: Uint8Array): Body {
  return {
    bytes: 8 + key.length + value.length,
    write: (writer) => void writer.u32(key.length).u32(value.length).bytes(key).bytes(value),
  };
}

function byteStringBody(bytes: Uint8Array): Body {
  return { bytes: 4 + bytes.length, write: (writer) => void writer.u32(bytes.length).bytes(bytes) };
}

/** The learner byte is optional on the wire: it is left out for a voter, as the original's clients do. */
function addMemberBody(id: number, raftAddress: string, clientAddress: string, isLearner: boolean): Body {
  const raft = encodeUtf8(raftAddress);
  const client = encodeUtf8(clientAddress);
  return {
    bytes: ID_BYTES + 4 + raft.length + 4 + client.length + (isLearner ? 1 : 0),
    write: (writer) => {
      writer.u64(id).u32(raft.length).bytes(raft).u32(client.length).bytes(client);
      if (isLearner) writer.u8(1);
    },
  };
}
