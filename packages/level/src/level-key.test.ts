import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { fromEngineBytes, fromEngineText, toEngineKey } from './level-key.ts';

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const order = (a: Uint8Array, b: Uint8Array): number => Math.sign(Buffer.compare(a, b));

describe('toEngineKey', () => {
  test.each([
    ['', '\0'],
    ['\0', '\0\0'],
    ['\0\0', '\0\0\0'],
    ['\0a', '\0a'],
    ['\0\0a\0', '\0\0a\0'],
    ['a', 'a'],
    ['a\0', 'a\0'],
  ])('stores %j as %j, as text and as bytes', (key, stored) => {
    const asBytes = Buffer.from(key);

    expect(toEngineKey(key)).toBe(stored);
    expect(Buffer.from(toEngineKey(asBytes))).toEqual(Buffer.from(stored));
    expect(fromEngineText(stored)).toBe(key);
    expect(Buffer.from(fromEngineBytes(Buffer.from(stored)))).toEqual(asBytes);
  });

  test('hands on other keys without a copy', () => {
    const key = bytes(1, 0);

    expect(toEngineKey(key)).toBe(key);
    expect(fromEngineBytes(key)).toBe(key);
  });

  test('keeps the order of all keys, and loses none', () => {
    const random = seededRandom(testSeed());
    const randomKey = (): Uint8Array => Uint8Array.from({ length: random.int(5) }, () => random.int(3));

    for (let round = 0; round < 5000; round++) {
      const [a, b] = [randomKey(), randomKey()];
      const [storedA, storedB] = [toEngineKey(a) as Uint8Array, toEngineKey(b) as Uint8Array];
      const kept = {
        keys: `${a.join()} and ${b.join()}`,
        order: order(storedA, storedB),
        a: fromEngineBytes(storedA),
        empty: storedA.length === 0,
      };
      expect(kept).toEqual({ keys: kept.keys, order: order(a, b), a, empty: false });
    }
  });
});
