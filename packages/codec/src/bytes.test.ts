import { testSeed } from '@kayadb/testkit';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  compareBytes,
  concatBytes,
  decodeUtf8,
  decodeUtf8Strict,
  encodeUtf8,
  equalBytes,
  prefixEnd,
  startsWith,
  toBytes,
} from './bytes.ts';

/** Strings of few different bytes, so that long common prefixes and equal ones occur. */
const someBytes = fc
  .array(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), { maxLength: 120 })
  .map((bytes) => Uint8Array.from(bytes));
const prefixed = fc
  .tuple(fc.integer({ min: 0, max: 100 }), someBytes)
  .map(([length, tail]) => concatBytes([new Uint8Array(length).fill(7), tail]));

function naiveCompare(a: Uint8Array, b: Uint8Array): number {
  return Math.sign(Buffer.compare(a, b));
}

describe('compareBytes', () => {
  test('agrees with Buffer.compare on short and long strings', () => {
    const property = fc.property(prefixed, prefixed, (a, b) => {
      expect(Math.sign(compareBytes(a, b))).toBe(naiveCompare(a, b));
      expect(equalBytes(a, b)).toBe(naiveCompare(a, b) === 0);
    });

    fc.assert(property, { seed: testSeed(), numRuns: 2000 });
  });

  test('sorts bytes as unsigned and a prefix first', () => {
    const sorted = [[], [0], [0, 0], [0x7f], [0x80], [0xff], [0xff, 0]].map((each) => Uint8Array.from(each));

    const shuffled = sorted.toReversed().toSorted(compareBytes);

    expect(shuffled).toEqual(sorted);
  });

  test.each([47, 48, 49, 200])('tells strings apart that first differ at byte %i', (at) => {
    const a = new Uint8Array(300);
    const b = a.slice();
    b[at] = 0x80;

    expect(compareBytes(a, b)).toBeLessThan(0);
    expect(compareBytes(b, a)).toBeGreaterThan(0);
  });
});

describe('prefixEnd', () => {
  test('leaves a Buffer as it was, whose slice() would be a view of the same memory', () => {
    const prefix = Buffer.from('ab');

    const end = prefixEnd(prefix);

    expect(Buffer.from(end!).toString()).toBe('ac');
    expect(prefix.toString()).toBe('ab');
  });

  test('bounds exactly the strings that start with the prefix', () => {
    const property = fc.property(someBytes, someBytes, (prefix, other) => {
      const end = prefixEnd(prefix);
      const isInRange = compareBytes(other, prefix) >= 0 && (end === undefined || compareBytes(other, end) < 0);
      expect(isInRange).toBe(startsWith(other, prefix));
    });

    fc.assert(property, { seed: testSeed(), numRuns: 2000 });
  });

  test('does not exist for nothing and for 0xff bytes only', () => {
    expect(prefixEnd(new Uint8Array(0))).toBeUndefined();
    expect(prefixEnd(Uint8Array.of(0xff, 0xff))).toBeUndefined();
  });

  test('leaves its argument alone', () => {
    const prefix = Uint8Array.of(1, 0xff);

    const end = prefixEnd(prefix);

    expect(end).toEqual(Uint8Array.of(2));
    expect(prefix).toEqual(Uint8Array.of(1, 0xff));
  });
});

describe('UTF-8', () => {
  test('survives the round trip, a byte order mark included', () => {
    const property = fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(decodeUtf8(encodeUtf8(text))).toBe(text);
      expect(decodeUtf8Strict(toBytes(text))).toBe(text);
    });

    fc.assert(property, { seed: testSeed() });
    expect(decodeUtf8(encodeUtf8('\uFEFFa'))).toBe('\uFEFFa');
  });

  test('is replaced or refused where the bytes are not UTF-8', () => {
    const bytes = Uint8Array.of(0x61, 0xff);

    expect(decodeUtf8(bytes)).toBe('a\uFFFD');
    expect(decodeUtf8Strict(bytes)).toBeUndefined();
  });
});
