/**
 * The envelope of everything that nodes send each other: length, checksum, version, kind, group, sender and addressee.
 * Invariant: a frame is opened only if its checksum, version and group are right. Format: docs/format/raft-messages.md, "Frames".
 */

import { assert, ByteReader, ByteWriter, crc32c, DecodeError, writeU32 } from '@kayadb/codec';

import { isLocalThread, type NodeId } from '../core/types.ts';
import { RaftError } from '../errors.ts';
import {
  FRAME_KIND,
  type FrameKind,
  MAX_PEER_FRAME_BYTES,
  PEER_FRAME_HEADER_BYTES,
  PEER_GROUP,
  PEER_PROTOCOL_VERSION,
} from './frame-format.ts';

const LENGTH_BYTES = 4;
const CRC_AT = 4;
const CRC_END = 8;

const KIND_OF_CODE: ReadonlyMap<number, FrameKind> = new Map(
  (Object.keys(FRAME_KIND) as FrameKind[]).map((kind) => [FRAME_KIND[kind], kind]),
);

/** The fields of a kind: how many bytes they take, and what writes them once the frame is allocated. */
export interface FrameBody {
  readonly bytes: number;
  write(writer: ByteWriter): void;
}

interface Addressed {
  readonly kind: FrameKind;
  readonly from: NodeId;
  readonly to: NodeId;
}

/** A frame whose envelope is sound; `reader` stands at the fields of its kind. */
export interface OpenedFrame extends Addressed {
  readonly reader: ByteReader;
}

/** A whole frame in one allocation, length field included. @throws RangeError when it would be longer than a frame may be. */
export function sealFrame({ kind, from, to }: Addressed, body: FrameBody): Uint8Array {
  const total = PEER_FRAME_HEADER_BYTES + body.bytes;
  const length = total - LENGTH_BYTES;
  if (length > MAX_PEER_FRAME_BYTES) {
    throw new RangeError(`a ${kind} frame of ${length} bytes is over the limit of ${MAX_PEER_FRAME_BYTES} bytes`);
  }
  const writer = new ByteWriter(total).u32(length).u32(0).u8(PEER_PROTOCOL_VERSION).u8(FRAME_KIND[kind]).u16(0);
  body.write(writer.u64(PEER_GROUP).u64(from).u64(to));
  assert(writer.length === total, `a ${kind} frame was measured wrong`);
  const frame = writer.finish();
  writeU32(frame, CRC_AT, crc32c(frame, 0, CRC_END));
  return frame;
}

/**
 * @param frame - Without its length field, as `FrameDecoder` hands it out.
 * @throws DecodeError for bytes that are no frame; RaftError KAYA_RAFT_UNSUPPORTED for a sound frame of another version, group or kind.
 */
export function openFrame(frame: Uint8Array): OpenedFrame {
  const reader = new ByteReader(frame);
  const crc = reader.u32('checksum');
  if (crc !== crc32c(frame, 0, CRC_END - LENGTH_BYTES)) throw new DecodeError('the checksum does not match', 0);
  const version = reader.u8('version');
  if (version !== PEER_PROTOCOL_VERSION) throw unsupported(`version ${version} of the protocol`);
  const code = reader.u8('kind');
  const kind = KIND_OF_CODE.get(code);
  if (kind === undefined) throw unsupported(`a message of kind ${code}`);
  if (reader.u16('reserved bytes') !== 0) throw new DecodeError('reserved bytes are not zero', reader.offset - 2);
  const group = reader.u64('group');
  if (group !== PEER_GROUP) throw unsupported(`a message for group ${group}`);
  return { kind, from: readNodeId(reader, 'sender'), to: readNodeId(reader, 'addressee'), reader };
}

/** @throws DecodeError for a number that no node has. */
export function readNodeId(reader: ByteReader, what: string): NodeId {
  const id = reader.u64(what);
  if (id === 0 || isLocalThread(id)) throw new DecodeError(`${what} ${id} is no node`, reader.offset - 8);
  return id;
}

/** @throws DecodeError unless the byte is 0 or 1. */
export function readFlag(reader: ByteReader, what: string): boolean {
  const value = reader.u8(what);
  if (value > 1) throw new DecodeError(`${what} is ${value}, not 0 or 1`, reader.offset - 1);
  return value === 1;
}

/** Runs a decoder. @throws RaftError KAYA_RAFT_MALFORMED in the place of a DecodeError. */
export function refusingMalformed<Value>(decode: () => Value): Value {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const message = `bytes from a peer are no message: ${error.message}; close the connection`;
    throw new RaftError('KAYA_RAFT_MALFORMED', message, { cause: error });
  }
}

function unsupported(what: string): RaftError {
  return new RaftError(
    'KAYA_RAFT_UNSUPPORTED',
    `a peer sent ${what}, which this version does not know; run the same version on all nodes`,
  );
}
