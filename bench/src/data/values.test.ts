import { deflateRawSync } from 'node:zlib';

import { describe, expect, test } from 'vitest';

import { ValuePool } from './values.ts';

describe('ValuePool', () => {
  test('gives values of the length asked for, one behind the other', () => {
    const pool = new ValuePool(1);

    const values = [pool.next(100), pool.next(1024), pool.next(100)];

    expect(values.map(({ length }) => length)).toEqual([100, 1024, 100]);
    expect(values[0]).not.toEqual(values[2]);
  });

  test('starts over when the pool is used up', () => {
    const pool = new ValuePool(1);
    const first = pool.next(1000).toString();

    const later = Array.from({ length: 2000 }, () => pool.next(1000).toString());

    expect(later).toContain(first);
  });

  test('halves under compression', () => {
    const bytes = new ValuePool(1).next(100_000);

    const compressed = deflateRawSync(bytes).length;

    expect(compressed / bytes.length).toBeGreaterThan(0.35);
    expect(compressed / bytes.length).toBeLessThan(0.6);
  });
});
