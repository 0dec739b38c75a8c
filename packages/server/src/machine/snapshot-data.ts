/** The data of a snapshot: which files it takes. Format: docs/format/node.md, "Snapshots". */

import { ByteReader, ByteWriter, DecodeError, decodeUtf8Strict, encodeUtf8 } from '@kayadb/codec';
import type { SnapshotFile } from '@kayadb/raft';

export const SNAPSHOT_DATA_VERSION = 1;
export const MAX_SNAPSHOT_FILES = 65_536;

const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** @param files - Ascending by name. @throws RangeError for more than `MAX_SNAPSHOT_FILES`. */
export function encodeSnapshotData(files: readonly SnapshotFile[]): Uint8Array {
  if (files.length > MAX_SNAPSHOT_FILES) {
    throw new RangeError(`a snapshot has ${files.length} files; it may have ${MAX_SNAPSHOT_FILES}`);
  }
  const writer = new ByteWriter(32 + 32 * files.length).u8(SNAPSHOT_DATA_VERSION).varint(files.length);
  for (const { name, bytes, crc } of files) {
    const text = encodeUtf8(name);
    writer.u8(text.length).bytes(text).varint(bytes).u32(crc);
  }
  return writer.finish();
}

/** @throws DecodeError */
export function decodeSnapshotData(data: Uint8Array): readonly SnapshotFile[] {
  const reader = new ByteReader(data);
  const version = reader.u8('version');
  if (version !== SNAPSHOT_DATA_VERSION) throw new DecodeError(`snapshot data of version ${version}`, 0);
  const count = reader.varint('count of files');
  if (count > MAX_SNAPSHOT_FILES) throw new DecodeError(`a snapshot of ${count} files`, 1);
  const files: SnapshotFile[] = [];
  for (let i = 0; i < count; i++) {
    const at = reader.offset;
    const name = decodeUtf8Strict(reader.bytes(reader.u8('length of a name'), 'a name'));
    if (name === undefined || !FILE_NAME.test(name)) throw new DecodeError('a name that no file of a snapshot has', at);
    const before = files.at(-1);
    if (before !== undefined && before.name >= name) throw new DecodeError('names do not ascend', at);
    files.push({ name, bytes: reader.varint('size of a file'), crc: reader.u32('CRC of a file') });
  }
  reader.end("a snapshot's data");
  return files;
}
