/**
 * The 96 bytes that open every file of a Raft directory. Their CRC is the seed of every other CRC in the file.
 * Format: docs/format/raft-log.md, "File header".
 */

import {
  crc32c,
  decodeUtf8,
  encodeUtf8,
  equalBytes,
  readU16,
  readU32,
  readU64,
  writeU16,
  writeU32,
  writeU64,
} from '@kayadb/codec';

import type { LogIndex, Term } from '../core/types.ts';
import { RaftCorruptionError, RaftError } from '../errors.ts';
import { CLUSTER_ID_BYTES, type RaftIdentity } from './raft-identity.ts';

export const RAFT_HEADER_BYTES = 96;
export const RAFT_FORMAT_VERSION = 1;
export const SEGMENT_MAGIC = 'KAYARLOG';
export const STATE_MAGIC = 'KAYARSTA';
export const SNAPSHOT_MAGIC = 'KAYARSNP';
export const TRANSFER_MAGIC = 'KAYARTRF';
export const PROGRESS_MAGIC = 'KAYARPRG';

export type RaftFileMagic =
  | typeof SEGMENT_MAGIC
  | typeof STATE_MAGIC
  | typeof SNAPSHOT_MAGIC
  | typeof TRANSFER_MAGIC
  | typeof PROGRESS_MAGIC;

const MAGIC_BYTES = 8;
const VERSION_AT = 8;
const CIPHER_AT = 10;
const KEY_AT = 12;
const CLUSTER_AT = 16;
const NODE_AT = 32;
const INCARNATION_AT = 40;
const SEGMENT_AT = 48;
const START_LSN_AT = 56;
const FIRST_INDEX_AT = 64;
const PREVIOUS_TERM_AT = 72;
const RESERVED_AT = 80;
const CRC_AT = 92;

/** Where a segment of the log begins; all 0 in other files. */
export interface SegmentStart {
  readonly segment: number;
  readonly startLsn: number;
  /** The index after the last of the log when the segment began. */
  readonly firstIndex: LogIndex;
  /** The term of the entry before `firstIndex`. */
  readonly previousTerm: Term;
}

export interface DecodedHeader extends SegmentStart {
  /** Starts every further CRC of the file. */
  readonly seed: number;
}

const NO_SEGMENT: SegmentStart = { segment: 0, startLsn: 0, firstIndex: 0, previousTerm: 0 };

/** A new array of `RAFT_HEADER_BYTES`. */
export function encodeFileHeader(magic: RaftFileMagic, identity: RaftIdentity, start = NO_SEGMENT): Uint8Array {
  const bytes = new Uint8Array(RAFT_HEADER_BYTES);
  bytes.set(encodeUtf8(magic));
  writeU16(bytes, VERSION_AT, RAFT_FORMAT_VERSION);
  bytes.set(identity.clusterId, CLUSTER_AT);
  writeU64(bytes, NODE_AT, identity.nodeId);
  writeU64(bytes, INCARNATION_AT, identity.incarnation);
  writeU64(bytes, SEGMENT_AT, start.segment);
  writeU64(bytes, START_LSN_AT, start.startLsn);
  writeU64(bytes, FIRST_INDEX_AT, start.firstIndex);
  writeU64(bytes, PREVIOUS_TERM_AT, start.previousTerm);
  writeU32(bytes, CRC_AT, crc32c(bytes, 0, 0, CRC_AT));
  return bytes;
}

/** The seed of a file that opens with `encodedHeader`. Requires: a header that verifies. */
export function fileSeed(encodedHeader: Uint8Array): number {
  return readU32(encodedHeader, CRC_AT);
}

/**
 * Reads the header of `file`. The CRC is tested before everything that it covers: a flipped bit must pass neither for a newer version nor for
 * somebody else's file.
 *
 * @param bytes - The start of the file; fewer than `RAFT_HEADER_BYTES` if the file is shorter.
 * @throws RaftCorruptionError when it does not verify, or has fields of a segment in a file that is none.
 * @throws RaftError KAYA_RAFT_UNSUPPORTED for a version that knows more, KAYA_RAFT_FOREIGN when it is not `identity`'s.
 */
export function decodeFileHeader(
  file: string,
  bytes: Uint8Array,
  magic: RaftFileMagic,
  identity: RaftIdentity,
): DecodedHeader {
  if (bytes.length < RAFT_HEADER_BYTES) {
    throw new RaftCorruptionError(file, 0, `its header needs ${RAFT_HEADER_BYTES} bytes, ${bytes.length} are there`);
  }
  if (decodeUtf8(bytes.subarray(0, MAGIC_BYTES)) !== magic) {
    throw new RaftCorruptionError(file, 0, `it does not open with ${magic}`);
  }
  if (crc32c(bytes, 0, 0, CRC_AT) !== readU32(bytes, CRC_AT)) {
    throw new RaftCorruptionError(file, 0, 'the CRC of its header does not match');
  }
  refuseUnknown(file, bytes);
  refuseForeign(file, bytes, identity);
  const start = {
    segment: readU64(bytes, SEGMENT_AT),
    startLsn: readU64(bytes, START_LSN_AT),
    firstIndex: readU64(bytes, FIRST_INDEX_AT),
    previousTerm: readU64(bytes, PREVIOUS_TERM_AT),
  };
  if (!Object.values(start).every(Number.isSafeInteger)) {
    throw new RaftCorruptionError(file, SEGMENT_AT, 'a number in its header is not below 2^53');
  }
  if (magic !== SEGMENT_MAGIC && Object.values(start).some((field) => field !== 0)) {
    throw new RaftCorruptionError(file, SEGMENT_AT, 'its header has fields of a segment');
  }
  return { ...start, seed: fileSeed(bytes) };
}

/** Whom a header names. Requires: `RAFT_HEADER_BYTES`; what does not verify names anybody. */
export function identityInHeader(bytes: Uint8Array): RaftIdentity {
  return {
    clusterId: bytes.slice(CLUSTER_AT, CLUSTER_AT + CLUSTER_ID_BYTES),
    nodeId: readU64(bytes, NODE_AT),
    incarnation: readU64(bytes, INCARNATION_AT),
  };
}

function refuseUnknown(file: string, bytes: Uint8Array): void {
  const version = readU16(bytes, VERSION_AT);
  if (version !== RAFT_FORMAT_VERSION) throw unsupported(file, `format version ${version}`);
  if (readU16(bytes, CIPHER_AT) !== 0) throw unsupported(file, `cipher ${readU16(bytes, CIPHER_AT)}`);
  if (readU32(bytes, KEY_AT) !== 0) throw unsupported(file, `encryption key ${readU32(bytes, KEY_AT)}`);
  for (let at = RESERVED_AT; at < CRC_AT; at++) {
    if (bytes[at] !== 0) throw unsupported(file, 'a reserved header byte that is not zero');
  }
}

function refuseForeign(file: string, bytes: Uint8Array, { clusterId, nodeId, incarnation }: RaftIdentity): void {
  if (!equalBytes(bytes.subarray(CLUSTER_AT, CLUSTER_AT + CLUSTER_ID_BYTES), clusterId)) {
    throw foreign(file, 'another cluster');
  }
  if (readU64(bytes, NODE_AT) !== nodeId) throw foreign(file, `node ${readU64(bytes, NODE_AT)}, not to ${nodeId}`);
  if (readU64(bytes, INCARNATION_AT) !== incarnation) throw foreign(file, 'another incarnation of this node');
}

function foreign(file: string, whom: string): RaftError {
  return new RaftError('KAYA_RAFT_FOREIGN', `${file} belongs to ${whom}; start this node with its own directory`);
}

/** What `file` says is not known here. */
export function unsupported(file: string, what: string): RaftError {
  return new RaftError(
    'KAYA_RAFT_UNSUPPORTED',
    `${file} cannot be read: ${what} is not known here; open it with the version that wrote it`,
  );
}
