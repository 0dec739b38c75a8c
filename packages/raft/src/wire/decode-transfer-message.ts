/**
 * Frames to messages of a snapshot's transfer. Invariant: any bytes give a message or a RaftError; a message has one encoding.
 * Format: docs/format/raft-snapshot-transfer.md, "Messages".
 */

import { assertNever, type ByteReader, decodeUtf8, DecodeError } from '@kayadb/codec';

import { readTerm } from './decode-peer-message.ts';
import { isTransferKind, MAX_CHUNK_BYTES, MAX_SNAPSHOT_FILES, REFUSAL_REASON } from './frame-format.ts';
import { openFrame, type OpenedFrame, readFlag, refusingMalformed } from './peer-frame.ts';
import { readSnapshot } from './snapshot-fields.ts';
import {
  isSnapshotFileName,
  type RefusalReason,
  type SnapshotChunk,
  type SnapshotFile,
  type SnapshotOffer,
  type TransferMessage,
  type TransferPosition,
} from './transfer-message.ts';

const REASONS = Object.keys(REFUSAL_REASON) as RefusalReason[];

type InRound = Pick<SnapshotChunk, 'from' | 'to' | 'transfer' | 'round'>;

/**
 * @param frame - Without its length field. It belongs to the message from now on: the data of chunks and of snapshots are views of it.
 * @throws RaftError KAYA_RAFT_MALFORMED or KAYA_RAFT_UNSUPPORTED, as `decodePeerMessage`.
 */
export function decodeTransferMessage(frame: Uint8Array): TransferMessage {
  return refusingMalformed(() => readTransferMessage(openFrame(frame)));
}

/** @throws DecodeError, also for a frame with a message of the core. */
export function readTransferMessage({ kind, from, to, reader }: OpenedFrame): TransferMessage {
  if (!isTransferKind(kind)) throw new DecodeError(`a ${kind} frame is no message of a snapshot's transfer`, 0);
  const message = readBody(kind, from, to, reader);
  reader.end(`a ${kind} frame`);
  return message;
}

function readBody(kind: TransferMessage['kind'], from: number, to: number, reader: ByteReader): TransferMessage {
  switch (kind) {
    case 'snapshot-offer':
      return readOffer(readRound(from, to, reader), reader);
    case 'snapshot-chunk':
      return readChunk(readRound(from, to, reader), reader);
    case 'snapshot-position': {
      const inRound = readRound(from, to, reader);
      const position = readPosition(reader);
      const windowBytes = reader.u32('window');
      return { kind, ...inRound, ...position, windowBytes, isRewind: readFlag(reader, 'rewind flag') };
    }
    case 'snapshot-refusal':
      return { kind, ...readRound(from, to, reader), reason: readReason(reader) };
    case 'snapshot-done':
      return { kind, from, to, transfer: reader.u64('transfer') };
    default:
      return assertNever(kind, 'kind');
  }
}

function readRound(from: number, to: number, reader: ByteReader): InRound {
  const transfer = reader.u64('transfer');
  const round = reader.u32('round');
  if (round === 0) throw new DecodeError('rounds begin with 1', reader.offset - 4);
  return { from, to, transfer, round };
}

function readOffer(inRound: InRound, reader: ByteReader): SnapshotOffer {
  const term = readTerm(reader);
  const snapshot = readSnapshot(reader);
  if (snapshot.meta.term > term) throw new DecodeError(`a leader of term ${term} has a newer snapshot`, 0);
  return { kind: 'snapshot-offer', ...inRound, term, snapshot, files: readFileList(reader) };
}

function readChunk(inRound: InRound, reader: ByteReader): SnapshotChunk {
  const position = readPosition(reader);
  const crc = reader.u32('checksum of a chunk');
  const length = reader.u32('length of a chunk');
  if (length === 0 || length > MAX_CHUNK_BYTES) {
    throw new DecodeError(`a chunk of ${length} bytes`, reader.offset - 4);
  }
  return { kind: 'snapshot-chunk', ...inRound, ...position, crc, data: reader.bytes(length, 'chunk') };
}

function readPosition(reader: ByteReader): TransferPosition {
  const file = reader.u32('file');
  if (file > MAX_SNAPSHOT_FILES) throw new DecodeError(`there is no file ${file}`, reader.offset - 4);
  return { file, offset: reader.u64('offset') };
}

function readReason(reader: ByteReader): RefusalReason {
  const code = reader.u8('reason');
  const reason = REASONS.find((known) => REFUSAL_REASON[known] === code);
  if (reason === undefined) throw new DecodeError(`there is no reason ${code}`, reader.offset - 1);
  return reason;
}

/** A list of files with safe names in ascending order, whose sizes together are below 2^53. */
export function readFileList(reader: ByteReader): readonly SnapshotFile[] {
  const count = reader.u32('file count');
  if (count > MAX_SNAPSHOT_FILES) throw new DecodeError(`a snapshot of ${count} files`, reader.offset - 4);
  const files: SnapshotFile[] = [];
  let total = 0;
  for (let i = 0; i < count; i++) {
    const at = reader.offset;
    const name = decodeUtf8(reader.bytes(reader.u8('length of a name'), 'name'));
    if (!isSnapshotFileName(name)) throw new DecodeError('a name is not fit for a file', at);
    if (name <= (files.at(-1)?.name ?? '')) throw new DecodeError('names do not ascend', at);
    const bytes = reader.u64('size of a file');
    total += bytes;
    if (!Number.isSafeInteger(total)) throw new DecodeError('the files together are not below 2^53 bytes', at);
    const crc = reader.u32('checksum of a file');
    if (bytes === 0 && crc !== 0) throw new DecodeError('a file without bytes has a checksum', at);
    files.push({ name, bytes, crc });
  }
  return files;
}
