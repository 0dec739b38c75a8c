/** What the header of a file says, also when it is damaged: which seeds the rest of the file may have been written with. */

import { crc32c, decodeUtf8, equalBytes, readU16, readU32, readU64 } from '@kayadb/codec';
import type { FileHandle } from '@kayadb/vfs';

import {
  decodeFileHeader,
  FILE_HEADER_BYTES,
  type FileMagic,
  MANIFEST_MAGIC,
  TABLE_MAGIC,
  WAL_MAGIC,
} from '../files/file-header.ts';

export type NumberedKind = 'manifest' | 'wal' | 'table';

export const MAGIC_OF: Readonly<Record<NumberedKind, FileMagic>> = {
  manifest: MANIFEST_MAGIC,
  wal: WAL_MAGIC,
  table: TABLE_MAGIC,
};

/** Where the header keeps its version, the start LSN and its CRC: these stay where they are in every version. */
const VERSION_AT = 8;
const START_LSN_AT = 40;
const CRC_AT = 60;

export interface HeaderEvidence {
  readonly state: 'valid' | 'damaged' | 'unsupported';
  /** Offset and words of what is wrong; empty words for a valid header. */
  readonly offset: number;
  readonly reason: string;
  readonly formatVersion: number | null;
  /** 16 bytes; only from a header that verifies. */
  readonly storeId: Uint8Array | undefined;
  readonly fileNumber: number | undefined;
  /** As it stands; 0 when it cannot be. */
  readonly startLsn: number;
  /** In the order of likelihood: with one wrong byte in the header, one of them is right. Empty without a whole header. */
  readonly seeds: readonly number[];
  /** The kind whose magic opens the file, right or not. */
  readonly opensAs: NumberedKind | undefined;
}

export async function readHeaderEvidence(handle: FileHandle, kind: NumberedKind): Promise<HeaderEvidence> {
  const buffer = new Uint8Array(FILE_HEADER_BYTES);
  const bytes = buffer.subarray(0, await handle.read(buffer, 0));
  const decoded = decodeFileHeader(bytes, MAGIC_OF[kind]);
  const text = decodeUtf8(bytes.subarray(0, VERSION_AT));
  const opensAs = (Object.keys(MAGIC_OF) as NumberedKind[]).find((each) => MAGIC_OF[each] === text);
  if (bytes.length < FILE_HEADER_BYTES) return { ...damaged(decoded), opensAs, startLsn: 0, seeds: [] };

  const storedCrc = readU32(bytes, CRC_AT);
  const computedCrc = crc32c(bytes, 0, 0, CRC_AT);
  const startLsn = readU64(bytes, START_LSN_AT);
  const evidence = {
    opensAs,
    startLsn: Number.isSafeInteger(startLsn) ? startLsn : 0,
    seeds: storedCrc === computedCrc ? [storedCrc] : [storedCrc, computedCrc],
  };
  if (decoded.kind !== 'valid') {
    const formatVersion = storedCrc === computedCrc ? readU16(bytes, VERSION_AT) : null;
    return { ...evidence, ...damaged(decoded), formatVersion };
  }
  const { storeId, fileNumber } = decoded.header;
  const formatVersion = readU16(bytes, VERSION_AT);
  return { ...evidence, state: 'valid', offset: 0, reason: '', formatVersion, storeId, fileNumber };
}

/** What the header should say, as far as that is known. */
export interface ExpectedHeader {
  readonly storeId: Uint8Array | undefined;
  readonly fileNumber: number;
}

/** @returns Why a header that verifies belongs to another file, or `undefined` when it does not. */
export function describeStranger(header: HeaderEvidence, expected: ExpectedHeader): string | undefined {
  if (header.state !== 'valid') return undefined;
  if (expected.storeId !== undefined && !equalBytes(header.storeId!, expected.storeId)) {
    return 'the file belongs to another store';
  }
  if (header.fileNumber !== expected.fileNumber) return `the file was written as number ${header.fileNumber}`;
  return undefined;
}

function damaged(
  decoded: ReturnType<typeof decodeFileHeader>,
): Pick<HeaderEvidence, 'state' | 'offset' | 'reason' | 'formatVersion' | 'storeId' | 'fileNumber'> {
  const { offset, reason } = decoded.kind === 'valid' ? { offset: 0, reason: '' } : decoded;
  const state = decoded.kind === 'unsupported' ? 'unsupported' : 'damaged';
  return { state, offset, reason, formatVersion: null, storeId: undefined, fileNumber: undefined };
}
