import { describe, expect, test } from 'vitest';

import { Permutation } from './permutation.ts';

describe('Permutation', () => {
  test.each([1, 2, 3, 5, 64, 1000, 4097])('gives each of %i numbers exactly once', (count) => {
    const permutation = new Permutation(count, 7);

    const numbers = Array.from({ length: count }, (_, position) => permutation.at(position));

    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
  });

  test('gives another order for another seed, and the same for the same', () => {
    const order = (seed: number): number[] => {
      const permutation = new Permutation(100, seed);
      return Array.from({ length: 100 }, (_, position) => permutation.at(position));
    };

    expect(order(1)).toEqual(order(1));
    expect(order(1)).not.toEqual(order(2));
  });

  test('spreads neighbours over the whole range', () => {
    const permutation = new Permutation(100_000, 3);

    const means = [0, 1, 2].map((part) => {
      let sum = 0;
      for (let position = 0; position < 1000; position++) sum += permutation.at(part * 1000 + position);
      return sum / 1000;
    });

    for (const mean of means) expect(Math.abs(mean - 50_000)).toBeLessThan(5000);
  });

  test.each([0, 1.5, 2 ** 31])('refuses %d numbers', (count) => {
    expect(() => new Permutation(count, 1)).toThrow(RangeError);
  });
});
