import { describe, expect, test } from 'vitest';

import type { Unit } from '../metrics.ts';
import { formatRatio, formatValue } from './format-number.ts';

describe('formatValue', () => {
  test.each<[number, Unit, string]>([
    [1_234_567, 'ops/s', '1.23 M/s'],
    [45_678, 'rows/s', '45.7 k/s'],
    [120, 'entries/s', '120 /s'],
    [64 * 1024 * 1024, 'bytes', '64.0 MiB'],
    [5000 * 1024 * 1024, 'bytes', '5000 MiB'],
    [0.7891, 'ms', '0.789 ms'],
    [1.4, 'us', '1.40 µs'],
    [12.345, 'ratio', '12.3'],
  ])('writes %d %s as %s', (value, unit, text) => {
    expect(formatValue(value, unit)).toBe(text);
  });
});

describe('formatRatio', () => {
  test.each([
    [0.876, '0.88x'],
    [1, '1.00x'],
    [15.55, '15.6x'],
    [123.4, '123x'],
  ])('writes %d as %s', (ratio, text) => {
    expect(formatRatio(ratio)).toBe(text);
  });
});
