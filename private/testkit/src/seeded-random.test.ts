import { describe, expect, test } from 'vitest';

import { seededRandom } from './seeded-random.ts';

describe('seededRandom', () => {
  test('gives the same values for the same seed, on every machine', () => {
    const random = seededRandom(42);

    const drawn = [random.int(1000), random.int(1000), random.int(1000), random.int(1000)];

    expect(drawn).toEqual([153, 850, 18, 211]);
    expect(random.seed).toBe(42);
  });

  test('gives other values for another seed', () => {
    const a = seededRandom(1).bytes(16);

    const b = seededRandom(2).bytes(16);

    expect(a).not.toEqual(b);
  });

  test('follows xoshiro128** as published: the low bits of next() are as even as the high ones', () => {
    const random = seededRandom(7);
    const buckets = Array.from({ length: 16 }, () => 0);

    for (let i = 0; i < 16_000; i++) {
      const bucket = Math.floor(random.next() * 0x1_0000_0000) & 15;
      buckets[bucket] = buckets[bucket]! + 1;
    }

    expect(Math.min(...buckets)).toBeGreaterThan(850);
    expect(Math.max(...buckets)).toBeLessThan(1150);
  });

  test('keeps int within [0, n) and reaches every value', () => {
    const random = seededRandom(3);

    const seen = new Set(Array.from({ length: 300 }, () => random.int(6)));

    expect([...seen].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 33])('refuses int(%s)', (n) => {
    const random = seededRandom(1);

    const draw = (): number => random.int(n);

    expect(draw).toThrow(RangeError);
  });

  test('shuffles without losing an item and leaves its argument alone', () => {
    const items = [1, 2, 3, 4, 5, 6, 7, 8];

    const shuffled = seededRandom(9).shuffle(items);

    expect(shuffled).not.toEqual(items);
    expect(shuffled.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(items).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('picks an item, and refuses an empty list', () => {
    const random = seededRandom(5);

    const picked = random.pick(['a', 'b']);

    expect(['a', 'b']).toContain(picked);
    expect(() => random.pick([])).toThrow(RangeError);
  });

  test('takes chance 0 as never and chance 1 as always', () => {
    const random = seededRandom(5);

    const answers = Array.from({ length: 100 }, () => [random.chance(0), random.chance(1)]);

    expect(answers.every(([never, always]) => never === false && always === true)).toBe(true);
  });

  test('forks by label, whatever was drawn before', () => {
    const fresh = seededRandom(11);
    const used = seededRandom(11);
    used.bytes(100);

    const a = fresh.fork('disk').bytes(8);

    expect(used.fork('disk').bytes(8)).toEqual(a);
    expect(fresh.fork('network').bytes(8)).not.toEqual(a);
  });
});
