import { describe, expect, test } from 'vitest';

import { decideStall } from './write-stall.ts';

const limits = { maxFrozenMemtables: 2, maxLevel0Tables: 12 };

describe('decideStall', () => {
  test.each([
    [0, 0, undefined],
    [1, 11, undefined],
    [2, 0, { job: 'flush', reason: '2 full memtables are waiting to be flushed' }],
    [0, 12, { job: 'compaction', reason: '12 level-0 tables are waiting to be compacted' }],
    [3, 20, { job: 'flush', reason: '3 full memtables are waiting to be flushed' }],
  ])('%i frozen memtables and %i level-0 tables: %j', (frozenMemtables, level0Tables, stall) => {
    expect(decideStall({ frozenMemtables, level0Tables }, limits)).toEqual(stall);
  });
});
