/** `raft-snapshot.bin` as bytes. Format: docs/format/raft-snapshot.md. */

import { ByteReader, ByteWriter, concatBytes, copyBytes, crc32c, DecodeError, readU32, writeU32 } from '@kayadb/codec';

import type { Snapshot } from '../core/types.ts';
import { RaftCorruptionError } from '../errors.ts';
import { readConfiguration, writeConfiguration } from './configuration-encoding.ts';
import { decodeFileHeader, encodeFileHeader, fileSeed, RAFT_HEADER_BYTES, SNAPSHOT_MAGIC } from './file-header.ts';
import { SNAPSHOT_FILE_NAME } from './file-names.ts';
import type { RaftIdentity } from './raft-identity.ts';
import { checkSnapshotData } from './storage-batch.ts';

export { SNAPSHOT_MAGIC } from './file-header.ts';
export { SNAPSHOT_FILE_NAME } from './file-names.ts';
export { MAX_SNAPSHOT_DATA_BYTES } from '../core/types.ts';

const CRC_BYTES = 4;

/** @throws RangeError when its data is over `MAX_SNAPSHOT_DATA_BYTES`. */
export function encodeSnapshot(snapshot: Snapshot, identity: RaftIdentity): Uint8Array {
  checkSnapshotData(snapshot);
  const { meta, data } = snapshot;
  const configuration = new ByteWriter();
  writeConfiguration(configuration, meta.configuration);
  const fields = new ByteWriter()
    .u64(meta.index)
    .u64(meta.term)
    .u32(configuration.length)
    .u32(data.length)
    .bytes(configuration.finish());
  const header = encodeFileHeader(SNAPSHOT_MAGIC, identity);
  const bytes = concatBytes([header, fields.finish(), data, new Uint8Array(CRC_BYTES)]);
  const end = bytes.length - CRC_BYTES;
  writeU32(bytes, end, crc32c(bytes, fileSeed(header), RAFT_HEADER_BYTES, end));
  return bytes;
}

/**
 * @returns The snapshot; its data is a copy.
 * @throws RaftCorruptionError. @throws RaftError KAYA_RAFT_FOREIGN, KAYA_RAFT_UNSUPPORTED.
 */
export function decodeSnapshot(bytes: Uint8Array, identity: RaftIdentity): Snapshot {
  const { seed } = decodeFileHeader(SNAPSHOT_FILE_NAME, bytes.subarray(0, RAFT_HEADER_BYTES), SNAPSHOT_MAGIC, identity);
  const end = bytes.length - CRC_BYTES;
  if (end < RAFT_HEADER_BYTES || crc32c(bytes, seed, RAFT_HEADER_BYTES, end) !== readU32(bytes, end)) {
    throw new RaftCorruptionError(SNAPSHOT_FILE_NAME, RAFT_HEADER_BYTES, 'its CRC does not match');
  }
  try {
    return readFields(new ByteReader(bytes.subarray(0, end), RAFT_HEADER_BYTES));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new RaftCorruptionError(SNAPSHOT_FILE_NAME, error.offset, error.message, { cause: error });
  }
}

function readFields(reader: ByteReader): Snapshot {
  const index = reader.u64('the index');
  const term = reader.u64('the term');
  const configurationBytes = reader.u32('the size of the configuration');
  const dataBytes = reader.u32('the size of the data');
  const inner = new ByteReader(reader.bytes(configurationBytes, 'the configuration'));
  const configuration = readConfiguration(inner);
  inner.end('the configuration');
  const data = copyBytes(reader.bytes(dataBytes, 'the data'));
  reader.end('the file');
  return { meta: { index, term, configuration }, data };
}
