import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { encodeUtf8 } from './bytes.ts';
import { crc32cByTable } from './crc32c-table.ts';
import { crc32c, isNativeCrc32c } from './crc32c.ts';

/** Bit by bit from the definition. */
function naiveCrc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

describe('crc32c', () => {
  test.each([
    ['', 0],
    ['123456789', 0xe3069283],
    ['The quick brown fox jumps over the lazy dog', 0x22620404],
  ])('of "%s" is the published value', (text, expected) => {
    expect(crc32c(encodeUtf8(text))).toBe(expected);
    expect(crc32cByTable(encodeUtf8(text), 0, 0, text.length)).toBe(expected);
  });

  test.each([
    ['32 bytes of zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['32 rising bytes', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['32 falling bytes', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ])('of %s is the value of RFC 3720 B.4', (_name, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  test('agrees with the definition at every length around both implementations and their border', () => {
    const bytes = seededRandom(testSeed()).bytes(600);

    for (let length = 0; length <= 600; length++) {
      const expected = naiveCrc32c(bytes.subarray(0, length));
      expect([length, crc32c(bytes, 0, 0, length)]).toEqual([length, expected]);
      expect([length, crc32cByTable(bytes, 0, 0, length)]).toEqual([length, expected]);
    }
  });

  test('of a range, and continued in two steps, is that of the bytes in one', () => {
    const random = seededRandom(testSeed());
    const bytes = random.bytes(2000);

    for (let i = 0; i < 500; i++) {
      const start = random.int(1000);
      const end = start + random.int(1000);
      const cut = start + random.int(end - start + 1);
      const whole = crc32c(bytes.slice(start, end));
      const first = crc32c(bytes, 0, start, cut);
      expect([start, cut, end, crc32c(bytes, first, cut, end)]).toEqual([start, cut, end, whole]);
    }
  });

  test('uses the native addon, which is built wherever this repository is installed', () => {
    expect(isNativeCrc32c()).toBe(true);
  });
});
