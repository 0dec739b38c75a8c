import { crc32c, writeU16, writeU32 } from '@kayadb/codec';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  createStoreId,
  decodeFileHeader,
  encodeFileHeader,
  FILE_HEADER_BYTES,
  type FileHeader,
  fileSeed,
  MANIFEST_MAGIC,
  TABLE_MAGIC,
  WAL_MAGIC,
} from './file-header.ts';

const header: FileHeader = {
  magic: WAL_MAGIC,
  storeId: Uint8Array.from({ length: 16 }, (_, i) => i + 1),
  fileNumber: 12,
  startLsn: 2 ** 40 + 3,
};

/** A header with a change that its CRC covers. */
function sealed(change: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = encodeFileHeader(header);
  change(bytes);
  writeU32(bytes, 60, crc32c(bytes, 0, 0, 60));
  return bytes;
}

describe('file header', () => {
  test('has the documented layout', () => {
    const bytes = encodeFileHeader(header);

    const hex = Buffer.from(bytes.subarray(0, 60)).toString('hex');

    expect(hex).toBe(
      '4b4159412d57414c' + // magic
        '0100' + // format version
        '0000' + // cipher
        '00000000' + // key
        '0102030405060708090a0b0c0d0e0f10' + // store id
        '0c00000000000000' + // file number
        '0300000000010000' + // start LSN
        '000000000000000000000000', // reserved
    );
    expect(bytes).toHaveLength(FILE_HEADER_BYTES);
  });

  test('decodes what was encoded, and gives its CRC as the seed', () => {
    const bytes = encodeFileHeader(header);

    const result = decodeFileHeader(bytes, WAL_MAGIC);

    expect(result).toEqual({ kind: 'valid', header, seed: crc32c(bytes, 0, 0, 60) });
    expect(fileSeed(bytes)).toBe(crc32c(bytes, 0, 0, 60));
  });

  test('finds every flipped bit', () => {
    const bytes = encodeFileHeader(header);

    for (let bit = 0; bit < FILE_HEADER_BYTES * 8; bit++) {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >>> 3]! ^= 1 << (bit & 7);
      expect(decodeFileHeader(flipped, WAL_MAGIC), `bit ${bit}`).toMatchObject({ kind: 'damaged' });
    }
  });

  test('is damaged when cut anywhere', () => {
    const bytes = encodeFileHeader(header);

    const results = Array.from({ length: FILE_HEADER_BYTES }, (_, length) =>
      decodeFileHeader(bytes.subarray(0, length), WAL_MAGIC),
    );

    expect(results.every((result) => result.kind === 'damaged' && result.offset === 0)).toBe(true);
  });

  test('of another kind of file is damaged at the magic', () => {
    const bytes = encodeFileHeader({ ...header, magic: TABLE_MAGIC });

    const result = decodeFileHeader(bytes, MANIFEST_MAGIC);

    expect(result).toMatchObject({ kind: 'damaged', offset: 0 });
  });

  test.each([
    ['version', 8, sealed((bytes) => writeU16(bytes, 8, 2))],
    ['cipher', 10, sealed((bytes) => writeU16(bytes, 10, 1))],
    ['key', 12, sealed((bytes) => writeU32(bytes, 12, 1))],
    ['reserved byte', 59, sealed((bytes) => bytes.fill(1, 59, 60))],
  ])('with an unknown %s and a matching CRC comes from a newer version', (_, offset, bytes) => {
    const result = decodeFileHeader(bytes, WAL_MAGIC);

    expect(result).toMatchObject({ kind: 'unsupported', offset });
  });

  test.each([
    ['file number', 32],
    ['start LSN', 40],
  ])('with a %s of 2^53 or more is damaged there', (_, offset) => {
    const bytes = sealed((target) => writeU32(target, offset + 4, 0x20_0000));

    const result = decodeFileHeader(bytes, WAL_MAGIC);

    expect(result).toMatchObject({ kind: 'damaged', offset });
  });

  test('decodes any bytes without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(decodeFileHeader(bytes, WAL_MAGIC).kind).toBe('damaged');
      }),
    );
  });
});

describe('createStoreId', () => {
  test('takes its bytes from the source it is given', () => {
    const id = createStoreId((length) => new Uint8Array(length).fill(7));

    expect(id).toEqual(new Uint8Array(16).fill(7));
  });
});
