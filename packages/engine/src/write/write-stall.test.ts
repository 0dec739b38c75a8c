import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { decideSlowdown, decideStall, findStrain, type SlowdownPressure, writeLimits } from './write-stall.ts';

const stallLimits = { maxFrozenMemtables: 2, maxLevel0Tables: 12 };
const limits = {
  memtables: { from: 2, to: 3 },
  level0Tables: { from: 8, to: 32 },
  debtBytes: { from: 1000, to: 9000 },
};
const calm: SlowdownPressure = { frozenMemtables: 0, activeShare: 0, level0Tables: 0, debtBytes: 0 };

/** The rule in its plainest words: the furthest signal wins, and the rate falls in a line from twice the drain to a quarter. */
function naiveRate(pressure: SlowdownPressure, drain: number): number | undefined {
  const memtables = pressure.frozenMemtables + pressure.activeShare - 2;
  const level0 = (pressure.level0Tables - 8) / 24;
  const debt = (pressure.debtBytes - 1000) / 8000;
  const worst = [memtables, level0, debt].toSorted((a, b) => b - a)[0]!;
  if (worst <= 0) return undefined;
  const rate = drain * (2 - 2 * worst);
  return rate < drain / 4 ? drain / 4 : rate;
}

describe('decideStall', () => {
  test.each([
    [0, 0, undefined],
    [1, 11, undefined],
    [2, 0, { job: 'flush', reason: '2 full memtables are waiting to be flushed' }],
    [0, 12, { job: 'compaction', reason: '12 level-0 tables are waiting to be compacted' }],
    [3, 20, { job: 'flush', reason: '3 full memtables are waiting to be flushed' }],
  ])('%i frozen memtables and %i level-0 tables: %j', (frozenMemtables, level0Tables, stall) => {
    expect(decideStall({ frozenMemtables, level0Tables }, stallLimits)).toEqual(stall);
  });
});

describe('findStrain', () => {
  test.each([
    [{}, undefined],
    [{ frozenMemtables: 1, activeShare: 1, level0Tables: 8, debtBytes: 1000 }, undefined],
    [
      { frozenMemtables: 2, activeShare: 0.25 },
      { share: 0.25, reason: '2 full memtables are waiting to be flushed' },
    ],
    [{ level0Tables: 20 }, { share: 0.5, reason: '20 level-0 tables are waiting to be compacted' }],
    [{ level0Tables: 99 }, { share: 1, reason: '99 level-0 tables are waiting to be compacted' }],
    [
      { debtBytes: 5000, level0Tables: 9 },
      { share: 0.5, reason: 'compaction has 0 MiB still to move' },
    ],
  ])('%j: %j', (change, strain) => {
    expect(findStrain({ ...calm, ...change }, limits)).toEqual(strain);
  });
});

describe('decideSlowdown', () => {
  test('agrees with its plain rule on random pressure', () => {
    const random = seededRandom(testSeed());

    for (let i = 0; i < 2000; i++) {
      const pressure = {
        frozenMemtables: random.int(4),
        activeShare: random.next(),
        level0Tables: random.int(40),
        debtBytes: random.int(10_000),
      };
      const drainBytesPerSecond = 1 + random.int(1_000_000);

      const slowdown = decideSlowdown(pressure, { ...limits, drainBytesPerSecond });

      const expected = naiveRate(pressure, drainBytesPerSecond);
      expect(slowdown === undefined).toBe(expected === undefined);
      expect(slowdown?.bytesPerSecond ?? 0).toBeCloseTo(expected ?? 0, 3);
    }
  });

  test('lets exactly what drains through in the middle of a band', () => {
    const slowdown = decideSlowdown({ ...calm, level0Tables: 20 }, { ...limits, drainBytesPerSecond: 1000 });

    expect(slowdown?.bytesPerSecond).toBe(1000);
  });
});

describe('writeLimits', () => {
  test('slow writers long before they stall, in what the options count', () => {
    const found = writeLimits({ level0Tables: 4, level1Bytes: 64 });

    expect(found.level0Tables).toEqual({ from: 8, to: 32 });
    expect([found.maxLevel0Tables, found.maxFrozenMemtables]).toEqual([32, 2]);
    expect(found.memtables).toEqual({ from: 2, to: 3 });
    expect(found.debtBytes).toEqual({ from: 1024, to: 8192 });
  });
});
