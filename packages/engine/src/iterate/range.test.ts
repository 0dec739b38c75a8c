import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { normaliseBounds } from './range.ts';
import { spanOf } from './scan-span.ts';

const bytes = encodeUtf8;

describe('normaliseBounds', () => {
  test('joins a prefix with narrower bounds', () => {
    const p = { key: bytes('p'), inclusive: true };
    const q = { key: bytes('q'), inclusive: false };

    expect(normaliseBounds({ prefix: 'p' })).toEqual({ lower: p, upper: q });
    expect(normaliseBounds({ prefix: 'p', gt: 'p' })).toEqual({ lower: { ...p, inclusive: false }, upper: q });
    expect(normaliseBounds({ prefix: 'p', lt: 'p2' })).toEqual({
      lower: p,
      upper: { key: bytes('p2'), inclusive: false },
    });
    expect(normaliseBounds({ prefix: 'p', gte: 'a', lte: 'z' })).toEqual({ lower: p, upper: q });
    expect(normaliseBounds({ prefix: Uint8Array.of(0xff) })).toEqual({
      lower: { key: Uint8Array.of(0xff), inclusive: true },
    });
  });

  test('copies the bounds', () => {
    const key = bytes('a');
    const bounds = normaliseBounds({ gte: key });

    key[0] = 0;

    expect(bounds).toEqual({ lower: { key: bytes('a'), inclusive: true } });
  });

  test('refuses two bounds on one side, and what is no bytes', () => {
    expect(() => normaliseBounds({ gt: 'a', gte: 'b' })).toThrow(TypeError);
    expect(() => normaliseBounds({ lt: 'a', lte: 'b' })).toThrow(TypeError);
    expect(() => normaliseBounds({ gte: 7 as unknown as string })).toThrow('gte must be a Uint8Array or a string');
  });
});

describe('spanOf', () => {
  test('makes bounds half-open by the smallest possible step', () => {
    expect(spanOf({})).toEqual({ start: undefined, end: undefined });
    expect(spanOf(normaliseBounds({ gte: 'a', lt: 'b' }))).toEqual({ start: bytes('a'), end: bytes('b') });
    expect(spanOf(normaliseBounds({ gt: 'a', lte: 'b' }))).toEqual({ start: bytes('a\0'), end: bytes('b\0') });
  });
});
