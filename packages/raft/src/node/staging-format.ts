/**
 * The two small files of a staging folder: TRANSFER says which snapshot is being received, PROGRESS how much of it is durable.
 * Format: docs/format/raft-snapshot-transfer.md, "The staging folder".
 */

import { ByteReader, ByteWriter, crc32c, DecodeError, readU32 } from '@kayadb/codec';

import type { Snapshot } from '../core/types.ts';
import { RaftCorruptionError } from '../errors.ts';
import {
  decodeFileHeader,
  encodeFileHeader,
  fileSeed,
  PROGRESS_MAGIC,
  RAFT_HEADER_BYTES,
  type RaftFileMagic,
  TRANSFER_MAGIC,
} from '../storage/file-header.ts';
import type { RaftIdentity } from '../storage/raft-identity.ts';
import { readFileList } from '../wire/decode-transfer-message.ts';
import { fileListBytes, writeFileList } from '../wire/encode-transfer-message.ts';
import { readSnapshot, snapshotBytes, writeSnapshot } from '../wire/snapshot-fields.ts';
import type { SnapshotFile, TransferPosition } from '../wire/transfer-message.ts';

export const STAGING_FOLDER = 'snapshot.partial';
export const STAGED_FILES_FOLDER = 'files';
export const TRANSFER_FILE = 'TRANSFER';
export const PROGRESS_FILE = 'PROGRESS';

const CRC_BYTES = 4;
const PROGRESS_BODY_BYTES = 20;

/** What a staging folder is for. */
export interface StagedSnapshot {
  readonly snapshot: Snapshot;
  readonly files: readonly SnapshotFile[];
}

/** Everything before it is on disk, under durable names. */
export interface StagingProgress extends TransferPosition {
  /** CRC-32C of the first `offset` bytes of the file. */
  readonly crc: number;
}

/** @returns The content of TRANSFER. Two transfers are of the same snapshot exactly if theirs are equal. */
export function encodeStagedSnapshot({ snapshot, files }: StagedSnapshot, identity: RaftIdentity): Uint8Array {
  const body = new ByteWriter(snapshotBytes(snapshot) + fileListBytes(files));
  writeSnapshot(body, snapshot);
  writeFileList(body, files);
  return sealFile(TRANSFER_MAGIC, identity, body.finish());
}

/** @throws RaftCorruptionError; RaftError KAYA_RAFT_UNSUPPORTED or KAYA_RAFT_FOREIGN. */
export function decodeStagedSnapshot(bytes: Uint8Array, identity: RaftIdentity): StagedSnapshot {
  return readSealed(TRANSFER_FILE, TRANSFER_MAGIC, bytes, identity, (reader) => ({
    snapshot: readSnapshot(reader),
    files: readFileList(reader),
  }));
}

/** @param transfer - The content of the TRANSFER that it belongs to. */
export function encodeProgress(
  { file, offset, crc }: StagingProgress,
  transfer: Uint8Array,
  identity: RaftIdentity,
): Uint8Array {
  const body = new ByteWriter(PROGRESS_BODY_BYTES).u32(sealOf(transfer)).u32(file).u64(offset).u32(crc);
  return sealFile(PROGRESS_MAGIC, identity, body.finish());
}

/**
 * @param transfer - The content of the TRANSFER that it must belong to.
 * @throws RaftCorruptionError; RaftError KAYA_RAFT_UNSUPPORTED or KAYA_RAFT_FOREIGN.
 */
export function decodeProgress(bytes: Uint8Array, transfer: Uint8Array, identity: RaftIdentity): StagingProgress {
  return readSealed(PROGRESS_FILE, PROGRESS_MAGIC, bytes, identity, (reader) => {
    if (reader.u32('seal') !== sealOf(transfer)) throw new DecodeError('it belongs to another transfer', 0);
    return { file: reader.u32('file'), offset: reader.u64('offset'), crc: reader.u32('checksum') };
  });
}

/** As `decodeProgress`, whatever transfer it belongs to. */
export function decodeAnyProgress(bytes: Uint8Array, identity: RaftIdentity): StagingProgress {
  return readSealed(PROGRESS_FILE, PROGRESS_MAGIC, bytes, identity, (reader) => {
    reader.u32('seal');
    return { file: reader.u32('file'), offset: reader.u64('offset'), crc: reader.u32('checksum') };
  });
}

/** The CRC that ends a file. */
function sealOf(bytes: Uint8Array): number {
  return readU32(bytes, bytes.length - CRC_BYTES);
}

function sealFile(magic: RaftFileMagic, identity: RaftIdentity, body: Uint8Array): Uint8Array {
  const header = encodeFileHeader(magic, identity);
  const writer = new ByteWriter(header.length + body.length + CRC_BYTES).bytes(header).bytes(body);
  return writer.u32(crc32c(body, fileSeed(header))).finish();
}

function readSealed<Value>(
  file: string,
  magic: RaftFileMagic,
  bytes: Uint8Array,
  identity: RaftIdentity,
  read: (reader: ByteReader) => Value,
): Value {
  const { seed } = decodeFileHeader(file, bytes, magic, identity);
  const end = bytes.length - CRC_BYTES;
  if (end < RAFT_HEADER_BYTES || crc32c(bytes, seed, RAFT_HEADER_BYTES, end) !== sealOf(bytes)) {
    throw new RaftCorruptionError(file, RAFT_HEADER_BYTES, 'its CRC does not match');
  }
  const reader = new ByteReader(bytes.subarray(0, end), RAFT_HEADER_BYTES);
  try {
    const value = read(reader);
    reader.end(file);
    return value;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new RaftCorruptionError(file, error.offset, error.message, { cause: error });
  }
}
