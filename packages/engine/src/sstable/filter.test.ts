import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { FilterBuilder } from './filter-builder.ts';
import { Filter, hashKey } from './filter.ts';

function buildFilter(keys: readonly Uint8Array[], bitsPerKey = 10): Uint8Array {
  const builder = new FilterBuilder(bitsPerKey);
  for (const key of keys) builder.add(key);
  return builder.finish();
}

describe('Filter', () => {
  test('never says no to a key it was built with', () => {
    const random = seededRandom(testSeed());
    const keys = Array.from({ length: 20_000 }, () => random.bytes(1 + random.int(40)));

    const filter = new Filter(buildFilter(keys));

    expect(keys.filter((key) => !filter.mayContain(hashKey(key)))).toEqual([]);
  });

  test('says yes to about one in a hundred other keys at 10 bits per key', () => {
    const random = seededRandom(testSeed());
    const filter = new Filter(buildFilter(Array.from({ length: 50_000 }, () => random.bytes(16))));

    const strangers = 100_000;
    let yes = 0;
    for (let i = 0; i < strangers; i++) if (filter.mayContain(hashKey(random.bytes(16)))) yes++;

    expect(yes / strangers).toBeGreaterThan(0.007);
    expect(yes / strangers).toBeLessThan(0.014);
  });

  test('spreads keys that count up as well as random ones', () => {
    const encoder = new TextEncoder();
    const name = (i: number): Uint8Array => encoder.encode(`user:${String(i).padStart(10, '0')}`);
    const filter = new Filter(buildFilter(Array.from({ length: 50_000 }, (_, i) => name(2 * i))));

    let yes = 0;
    for (let i = 0; i < 50_000; i++) if (filter.mayContain(hashKey(name(2 * i + 1)))) yes++;

    expect(yes / 50_000).toBeLessThan(0.014);
  });

  test('sets the bits that the format page computes', () => {
    // By the page: h = murmur3('hello') = 0x248bfa47, one line; g = fmix32(h xor 0x9e3779b9), a = g mod 512, b odd.
    const h = 0x248bfa47;
    let g = (h ^ 0x9e3779b9) >>> 0;
    g = Number(((BigInt(g ^ (g >>> 16)) & 0xffffffffn) * 0x85ebca6bn) & 0xffffffffn);
    g = Number((BigInt((g ^ (g >>> 13)) >>> 0) * 0xc2b2ae35n) & 0xffffffffn);
    g = (g ^ (g >>> 16)) >>> 0;
    const a = g % 512;
    const b = (Math.floor(g / 512) % 512) | 1;
    const expected = new Set(Array.from({ length: 6 }, (_, i) => (a + i * b) % 512));

    const block = buildFilter([new TextEncoder().encode('hello')]);

    const set = new Set(Array.from({ length: 512 }, (_, k) => k).filter((k) => (block[16 + (k >> 3)]! >> (k & 7)) & 1));
    expect(set).toEqual(expected);
    expect([...block.subarray(0, 16)]).toEqual([1, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('is refused when it is not one', () => {
    const block = buildFilter([Uint8Array.of(1)]);
    const damage = (at: number, byte: number): Uint8Array => {
      const copy = block.slice();
      copy[at] = byte;
      return copy;
    };

    expect(() => new Filter(damage(0, 2))).toThrow(/unknown kind/);
    expect(() => new Filter(damage(4, 7))).toThrow(/number of probes/);
    expect(() => new Filter(damage(8, 0))).toThrow(/cannot have 0 lines/);
    expect(() => new Filter(damage(8, 2))).toThrow(/cannot have 2 lines/);
    expect(() => new Filter(damage(12, 1))).toThrow(/reserved/);
    expect(() => new Filter(block.subarray(0, 15))).toThrow(/cut short/);
  });
});
