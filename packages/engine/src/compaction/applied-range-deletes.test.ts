import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { tableMeta } from '../../test/support/entries.ts';
import type { RangeDelete } from '../range-delete/range-delete.ts';
import { withoutCovered, withRangeDeletesApplied } from './applied-range-deletes.ts';

function rangeDelete(start: string, end: string | undefined, sequence: number): RangeDelete {
  return { start: encodeUtf8(start), end: end === undefined ? undefined : encodeUtf8(end), sequence };
}

describe('withRangeDeletesApplied', () => {
  const table = tableMeta(5, 'a', 'z');
  const known = [rangeDelete('b', 'c', 7)];

  test.each([
    ['up to what the job knew', known, [], 20],
    ['up to the oldest snapshot, for which hidden entries stay', known, [12, 18], 12],
    ['nothing where there was nothing to apply', [], [], undefined],
  ])('says %s', (_case, applied, snapshots, expected) => {
    expect(withRangeDeletesApplied([table], applied, 20, snapshots)[0]!.rangeDeletesApplied).toBe(expected);
  });
});

describe('withoutCovered', () => {
  test('leaves out what a newer one covers wholly', () => {
    const deletes = [
      rangeDelete('b', 'd', 1),
      rangeDelete('a', 'c', 2),
      rangeDelete('b', 'e', 3),
      rangeDelete('c', undefined, 4),
    ];

    expect(withoutCovered(deletes, []).map(({ sequence }) => sequence)).toEqual([2, 3, 4]);
  });

  test('keeps what a snapshot sees without the newer one', () => {
    const deletes = [rangeDelete('b', 'c', 3), rangeDelete('a', 'z', 6)];

    expect([2, 3, 5, 6].map((snapshot) => withoutCovered(deletes, [snapshot]).length)).toEqual([1, 2, 2, 1]);
  });
});
