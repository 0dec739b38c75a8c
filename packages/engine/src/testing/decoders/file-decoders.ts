/** Readers of what every file begins with, and of the files that are text. Formats: docs/format/files.md, docs/format/backup.md. */

import { crc32c, decodeUtf8, encodeUtf8, writeU32 } from '@kayadb/codec';

import { type BackupList, encodeBackupList, parseBackupList } from '../../backup/backup-format.ts';
import { CorruptionError, EngineError } from '../../errors.ts';
import { type CurrentFile, encodeCurrent, parseCurrent } from '../../files/current-file.ts';
import {
  decodeFileHeader,
  encodeFileHeader,
  FILE_HEADER_BYTES,
  type FileHeader,
  MANIFEST_MAGIC,
  STORE_ID_BYTES,
  TABLE_MAGIC,
  WAL_MAGIC,
} from '../../files/file-header.ts';
import { manifestFileName, tableFileName, walFileName } from '../../files/file-names.ts';
import type { Decoder } from './decoder.ts';
import { sampleNumber } from './sample-values.ts';

const MAGICS = [WAL_MAGIC, TABLE_MAGIC, MANIFEST_MAGIC] as const;
const CRC_AT = FILE_HEADER_BYTES - 4;

const fileHeader: Decoder<FileHeader> = {
  name: 'file-header',
  refusals: ['KAYA_CORRUPTION', 'KAYA_UNSUPPORTED'],
  isCanonical: () => true,
  copies: true,
  decode(bytes) {
    // The kind that a reader expects is what its file's name says; here the file has none.
    const magic = MAGICS.find((known) => known.charCodeAt(5) === bytes[5]) ?? WAL_MAGIC;
    const result = decodeFileHeader(bytes.subarray(0, FILE_HEADER_BYTES), magic);
    if (result.kind !== 'valid') {
      throw result.kind === 'damaged'
        ? new CorruptionError('file', result.offset, result.reason)
        : new EngineError('KAYA_UNSUPPORTED', result.reason);
    }
    if (bytes.length > FILE_HEADER_BYTES)
      throw new CorruptionError('file', FILE_HEADER_BYTES, 'the sample is a header alone');
    return result.header;
  },
  encode: encodeFileHeader,
  sample: (random) =>
    encodeFileHeader({
      magic: MAGICS[random.int(MAGICS.length)]!,
      storeId: random.bytes(STORE_ID_BYTES),
      fileNumber: sampleNumber(random),
      startLsn: sampleNumber(random),
    }),
  reseal: resealFileHeader,
};

const current: Decoder<CurrentFile> = {
  name: 'current',
  refusals: ['KAYA_CORRUPTION', 'KAYA_UNSUPPORTED'],
  isCanonical: () => true,
  copies: true,
  decode: parseCurrent,
  encode: encodeCurrent,
  sample: (random) =>
    encodeCurrent({ storeId: random.bytes(STORE_ID_BYTES), manifestNumber: 1 + random.int(10_000_000) }),
  reseal: resealLastLine,
};

const backupList: Decoder<BackupList> = {
  name: 'backup-list',
  refusals: ['KAYA_CORRUPTION', 'KAYA_UNSUPPORTED'],
  isCanonical: () => true,
  copies: true,
  decode: parseBackupList,
  encode: encodeBackupList,
  sample(random) {
    const names = [tableFileName, walFileName, manifestFileName].map((nameOf) => nameOf(1 + random.int(1000)));
    const files = ['CURRENT', ...names]
      .toSorted()
      .map((name) => ({ name, bytes: sampleNumber(random), crc: random.int(2 ** 32) }));
    const info = {
      sequence: sampleNumber(random),
      durableIndex: random.chance(0.5) ? undefined : sampleNumber(random),
      tableCount: random.int(9),
      bytes: sampleNumber(random),
    };
    return encodeBackupList({ storeId: random.bytes(STORE_ID_BYTES), info, files });
  },
  reseal: resealLastLine,
};

export const fileDecoders: readonly Decoder[] = [fileHeader, current, backupList];

/** The header of any file, when there are bytes enough for one. */
export function resealFileHeader(bytes: Uint8Array): void {
  if (bytes.length >= FILE_HEADER_BYTES) writeU32(bytes, CRC_AT, crc32c(bytes, 0, 0, CRC_AT));
}

/** Text whose last line ends in the eight digits of a CRC over everything before them. */
function resealLastLine(bytes: Uint8Array): void {
  const digitsAt = bytes.length - 9;
  if (digitsAt < 0) return;
  const covered = encodeUtf8(decodeUtf8(bytes.subarray(0, digitsAt)));
  bytes.set(encodeUtf8(`${crc32c(covered).toString(16).padStart(8, '0')}\n`), digitsAt);
}
