import { describe, expect, test } from 'vitest';

import { MAX_STORED_KEY_BYTES as MAX_KEY_BYTES } from '../limits.ts';
import type { KeyRange } from '../types.ts';
import { resolveKeySpan } from './key-span.ts';
import { spanHasKey } from './range-delete.ts';

const longest = Buffer.alloc(MAX_KEY_BYTES, 'm');
const last = Buffer.alloc(MAX_KEY_BYTES, 0xff);
const tooLong = Buffer.alloc(MAX_KEY_BYTES + 3, 'm');

/** The naive twin: what the bounds say, key by key. */
function isInside(range: KeyRange, key: Buffer): boolean {
  const bound = (value: string | Uint8Array): Buffer => Buffer.from(value as string);
  return (
    (range.gt === undefined || key.compare(bound(range.gt)) > 0) &&
    (range.gte === undefined || key.compare(bound(range.gte)) >= 0) &&
    (range.lt === undefined || key.compare(bound(range.lt)) < 0) &&
    (range.lte === undefined || key.compare(bound(range.lte)) <= 0) &&
    (range.prefix === undefined || key.subarray(0, bound(range.prefix).length).equals(bound(range.prefix)))
  );
}

const keys = [
  Buffer.of(0),
  Buffer.of(0, 0),
  Buffer.from('a'),
  Buffer.from('a\0'),
  Buffer.from('ab'),
  Buffer.from('b'),
  longest,
  Buffer.concat([longest.subarray(0, MAX_KEY_BYTES - 1), Buffer.from('n')]),
  last,
];

describe('resolveKeySpan', () => {
  test.each<[string, KeyRange]>([
    ['everything', {}],
    ['from a key on', { gte: 'a' }],
    ['behind a key', { gt: 'a' }],
    ['before a key', { lt: 'ab' }],
    ['up to a key', { lte: 'a' }],
    ['a prefix', { prefix: 'a' }],
    ['a prefix with a bound', { prefix: 'a', gt: 'a' }],
    ['behind the longest key', { gt: longest }],
    ['up to the longest key', { lte: longest }],
    ['behind the last key of all', { gt: last }],
    ['up to the last key of all', { lte: last }],
    ['from a bound that no key can have', { gte: tooLong }],
    ['up to a bound that no key can have', { lt: tooLong }],
    ['behind the empty key', { gt: '' }],
    ['before the empty key', { lt: '' }],
    ['up to the empty key', { lte: '' }],
    ['nothing', { gt: 'b', lt: 'a' }],
    ['one key', { gte: 'a', lte: 'a' }],
  ])('means the same keys as the bounds: %s', (_, range) => {
    const span = resolveKeySpan(range);

    const inside = keys.filter((key) => span !== undefined && spanHasKey(span, key));

    expect(inside).toEqual(keys.filter((key) => isInside(range, key)));
  });

  test('stays within what a key can have, so that it can be written down', () => {
    const spans = [resolveKeySpan({ gt: longest }), resolveKeySpan({ lte: longest }), resolveKeySpan({ lt: tooLong })];

    const lengths = spans.flatMap((span) => [span!.start.length, span!.end?.length ?? 0]);

    expect(Math.max(...lengths)).toBeLessThanOrEqual(MAX_KEY_BYTES);
  });

  test('refuses two bounds on one side', () => {
    expect(() => resolveKeySpan({ gt: 'a', gte: 'b' })).toThrow(TypeError);
  });
});
