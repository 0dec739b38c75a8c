import { describe, expect, test } from 'vitest';

import { median, quantile } from './quantile.ts';

describe('quantile', () => {
  test('is the element that so many do not exceed', () => {
    const sorted = Float64Array.from({ length: 1000 }, (_, index) => index + 1);

    expect(quantile(sorted, 0.5)).toBe(500);
    expect(quantile(sorted, 0.999)).toBe(999);
    expect(quantile(sorted, 1)).toBe(1000);
    expect(quantile(sorted, 0)).toBe(1);
    expect(quantile([7], 0.99)).toBe(7);
  });

  test('refuses an empty list', () => {
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });
});

describe('median', () => {
  test('is the middle, or the mean of the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([10, 1, 2, 3])).toBe(2.5);
    expect(median([5])).toBe(5);
  });

  test('leaves its argument as it is', () => {
    const numbers = [3, 1, 2];

    median(numbers);

    expect(numbers).toEqual([3, 1, 2]);
  });

  test('refuses an empty list', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});
