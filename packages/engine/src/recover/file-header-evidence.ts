/** What the header of a file says, also when it is damaged: which seeds the rest of the file may have been written with. */

import { crc32c, decodeUtf8, EMPTY_BYTES, equalBytes, readU16, readU32, readU64 } from '@kayadb/codec';
import type { FileHandle } from '@kayadb/vfs';

import {
  decodeFileHeader,
  encodeFileHeader,
  FILE_HEADER_BYTES,
  type FileMagic,
  fileSeed,
  MANIFEST_MAGIC,
  STORE_ID_BYTES,
  TABLE_MAGIC,
  WAL_MAGIC,
} from '../files/file-header.ts';

export type NumberedKind = 'manifest' | 'wal' | 'table';

export const MAGIC_OF: Readonly<Record<NumberedKind, FileMagic>> = {
  manifest: MANIFEST_MAGIC,
  wal: WAL_MAGIC,
  table: TABLE_MAGIC,
};

/** Where the header keeps what is read of it though it is damaged: these fields stay where they are in every version. */
const VERSION_AT = 8;
const STORE_ID_AT = 16;
const FILE_NUMBER_AT = 32;
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
  /** Of which store and under which number it says it was written, right or not; empty and 0 without a whole header. */
  readonly claim: { readonly storeId: Uint8Array; readonly fileNumber: number };
  /** In the order of likelihood: with one wrong byte in the header, one of them is right. Empty without a whole header. */
  readonly seeds: readonly number[];
  /** The kind whose magic opens the file, right or not. */
  readonly opensAs: NumberedKind | undefined;
}

export async function readHeaderEvidence(
  handle: Pick<FileHandle, 'read'>,
  kind: NumberedKind,
): Promise<HeaderEvidence> {
  const buffer = new Uint8Array(FILE_HEADER_BYTES);
  const bytes = buffer.subarray(0, await handle.read(buffer, 0));
  const decoded = decodeFileHeader(bytes, MAGIC_OF[kind]);
  const text = decodeUtf8(bytes.subarray(0, VERSION_AT));
  const opensAs = (Object.keys(MAGIC_OF) as NumberedKind[]).find((each) => MAGIC_OF[each] === text);
  if (bytes.length < FILE_HEADER_BYTES) {
    const claim = { storeId: EMPTY_BYTES, fileNumber: 0 };
    return { ...damaged(decoded), opensAs, startLsn: 0, claim, seeds: [] };
  }

  const storedCrc = readU32(bytes, CRC_AT);
  const computedCrc = crc32c(bytes, 0, 0, CRC_AT);
  const startLsn = readU64(bytes, START_LSN_AT);
  const evidence = {
    opensAs,
    startLsn: Number.isSafeInteger(startLsn) ? startLsn : 0,
    claim: {
      storeId: bytes.slice(STORE_ID_AT, STORE_ID_AT + STORE_ID_BYTES),
      fileNumber: readU64(bytes, FILE_NUMBER_AT),
    },
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

/**
 * The seeds that the rest of a file may have been written with that is what its name says. Of a damaged header only those that nobody
 * else's file has: otherwise one more wrong byte would turn a stranger into a file of the store.
 */
export function ownSeeds(
  kind: NumberedKind,
  header: HeaderEvidence,
  { storeId, fileNumber }: ExpectedHeader,
): readonly number[] {
  if (header.state === 'valid' || storeId === undefined) return header.seeds;
  const { claim, startLsn, seeds } = header;
  const rebuilt = fileSeed(
    encodeFileHeader({ magic: MAGIC_OF[kind], storeId, fileNumber, startLsn: kind === 'wal' ? startLsn : 0 }),
  );
  // Where a segment starts is known from nowhere else, so there the rest of the header has to speak for the file.
  const isOurs = kind === 'wal' && claim.fileNumber === fileNumber && equalBytes(claim.storeId, storeId);
  return isOurs ? [...new Set([...seeds, rebuilt])] : [rebuilt];
}

function damaged(
  decoded: ReturnType<typeof decodeFileHeader>,
): Pick<HeaderEvidence, 'state' | 'offset' | 'reason' | 'formatVersion' | 'storeId' | 'fileNumber'> {
  const { offset, reason } = decoded.kind === 'valid' ? { offset: 0, reason: '' } : decoded;
  const state = decoded.kind === 'unsupported' ? 'unsupported' : 'damaged';
  return { state, offset, reason, formatVersion: null, storeId: undefined, fileNumber: undefined };
}
