import { describe, expect, test } from 'vitest';

import { durationText, rateText, sizeText } from './short-text.ts';

describe('short texts', () => {
  test.each([
    [0, '0B'],
    [999, '999B'],
    [1000, '1.0K'],
    [1_258_291, '1.2M'],
    [10 * 1024 ** 2, '10M'],
    [999 * 1024 ** 2, '999M'],
    [1000 * 1024 ** 2, '1.0G'],
    [5 * 1024 ** 6, '5120P'],
  ])('of %d bytes is %s', (bytes, text) => {
    expect(sizeText(bytes)).toBe(text);
  });

  test.each([
    [999, '0s'],
    [59_999, '59s'],
    [200_000, '3m20s'],
    [3_600_000, '1h0m'],
    [187_200_000, '2d4h'],
  ])('of %d ms is %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  test.each([
    [0, '0'],
    [0.5, '0.5'],
    [9.96, '10'],
    [999, '999'],
    [999.6, '1k'],
    [1_234, '1.2k'],
    [34_000, '34k'],
    [1_200_000, '1.2m'],
  ])('of a rate of %d is %s', (rate, text) => {
    expect(rateText(rate)).toBe(text);
  });
});
