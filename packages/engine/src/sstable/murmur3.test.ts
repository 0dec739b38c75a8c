import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { murmur3 } from './murmur3.ts';

describe('murmur3', () => {
  test.each([
    ['', 0],
    ['a', 0x3c2569b2],
    ['hello', 0x248bfa47],
    ['hello, world', 0x149bbb7f],
    ['19 Jan 2038 at 3:14:07 AM', 0xe31e8a70],
    ['The quick brown fox jumps over the lazy dog.', 0xd5c48bfc],
  ])('gives the published value for "%s"', (text, expected) => {
    expect(murmur3(encodeUtf8(text))).toBe(expected);
  });

  test('takes every byte as unsigned', () => {
    expect(murmur3(Uint8Array.of(0xff, 0xff, 0xff, 0xff))).toBe(0x76293b50);
    expect(murmur3(Uint8Array.of(0x21, 0x43, 0x65, 0x87))).toBe(0xf55b516b);
    expect(murmur3(Uint8Array.of(0x21, 0x43, 0x65))).toBe(0x7e4a8634);
    expect(murmur3(Uint8Array.of(0x21, 0x43))).toBe(0xa0f7b07a);
  });
});
