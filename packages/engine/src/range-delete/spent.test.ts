import { describe, expect, test } from 'vitest';

import type { TableMeta } from '../version/table-meta.ts';
import { pickSpent } from './spent.ts';

function table(keys: string, sequences: readonly [number, number], rangeDeletesApplied?: number): TableMeta {
  return {
    fileNumber: 1,
    fileBytes: 1,
    entryCount: 1,
    deleteCount: 0,
    smallestSequence: sequences[0],
    largestSequence: sequences[1],
    smallestKey: Buffer.from(keys.slice(0, 1)),
    largestKey: Buffer.from(keys.slice(-1)),
    ...(rangeDeletesApplied !== undefined && { rangeDeletesApplied }),
  };
}

describe('pickSpent', () => {
  test.each<[string, TableMeta[], boolean]>([
    ['there are no tables', [], true],
    ['an older table has keys in its range', [table('ac', [1, 9])], false],
    ['a table with older and newer entries has keys in its range', [table('cz', [9, 11])], false],
    ['tables lie before its start and at its end', [table('aa', [1, 9]), table('ez', [1, 9])], true],
    ['only newer tables have keys in its range', [table('ae', [11, 20])], true],
    ['it was applied to the table', [table('ae', [1, 9], 10)], true],
    ['a newer one was applied to the table', [table('ae', [1, 9], 15)], true],
    ['only an older one was applied to the table', [table('ae', [1, 9], 9)], false],
  ])('when %s: %s', (_, tables, isSpent) => {
    const deletes = [{ start: Buffer.from('b'), end: Buffer.from('e'), sequence: 10 }];

    const spent = pickSpent(deletes, [[], tables]);

    expect(spent).toEqual(isSpent ? [10] : []);
  });
});
