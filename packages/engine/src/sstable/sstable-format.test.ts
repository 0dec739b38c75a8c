import { DecodeError, writeU64 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { readConstantValues } from '../../test/support/format-page.ts';
import * as format from './sstable-format.ts';

const footer: format.Footer = {
  filter: { offset: 100, storedBytes: 80, rawBytes: 80 },
  properties: { offset: 188, storedBytes: 30, rawBytes: 30 },
  index: { offset: 226, storedBytes: 50, rawBytes: 90 },
};

describe('the sorted table format', () => {
  test('has the constants that the format page names, and no others', () => {
    const exported = Object.entries(format).filter(([name]) => /^[A-Z_]+$/.test(name));

    expect(Object.fromEntries(exported)).toEqual(readConstantValues('sstable.md'));
  });

  test('reads back a footer only with the seed of its file', () => {
    const bytes = format.encodeFooter(footer, 0x1234);

    expect(bytes.length).toBe(format.FOOTER_BYTES);
    expect(format.decodeFooter(bytes, 0x1234)).toEqual(footer);
    expect(() => format.decodeFooter(bytes, 0x1235)).toThrow(/checksum/);
  });

  test('refuses a footer with any byte changed or missing', () => {
    const bytes = format.encodeFooter(footer, 1);
    for (let i = 0; i < bytes.length; i++) {
      const damaged = bytes.slice();
      damaged[i]! ^= 1;
      expect(() => format.decodeFooter(damaged, 1)).toThrow(DecodeError);
      expect(() => format.decodeFooter(bytes.subarray(0, i), 1)).toThrow(DecodeError);
    }
  });

  test.each([
    ['an offset of 2^53', 2 ** 53, 1, 1, /2\^53/],
    ['more stored than raw bytes', 64, 2, 1, /grew/],
    ['more raw bytes than a block may have', 64, 1, format.MAX_BLOCK_BYTES + 1, /larger than any/],
  ])('refuses a handle with %s', (_name, offset, storedBytes, rawBytes, message) => {
    const bytes = new Uint8Array(format.BLOCK_HANDLE_BYTES);
    format.encodeBlockHandle({ offset: 0, storedBytes, rawBytes }, bytes, 0);
    writeU64(bytes, 0, offset);

    expect(() => format.decodeBlockHandle(bytes, 0)).toThrow(message);
  });
});
