import { describe, expect, test } from 'vitest';

import { AppliedBytes } from './applied-bytes.ts';
import { type CompactionState, pickCompaction, shouldSnapshot } from './snapshot-policy.ts';

const POLICY = { snapshotBytes: 1000, keepBytes: 100, keepForSlowBytes: 500 };
const DUE = { appliedIndex: 50, snapshotIndex: 10, bytesSince: 1000, isDemanded: false, isBusy: false };

/** A log of ten bytes an entry, applied up to 200. */
const LOG: CompactionState = {
  snapshotIndex: 200,
  durableIndex: 200,
  indexKeeping: (bytes) => 200 - bytes / 10,
  others: [],
  logWorthBytes: 0,
};

function member(match: number, isAlive = true, pendingSnapshot = 0): CompactionState['others'][number] {
  return { match, isAlive, pendingSnapshot };
}

describe('shouldSnapshot', () => {
  test.each([
    ['enough was applied', {}, true],
    ['too little was applied', { bytesSince: 999 }, false],
    ['too little was applied, and somebody needs one', { bytesSince: 0, isDemanded: true }, true],
    ['one is being made', { isBusy: true, isDemanded: true }, false],
    ['nothing is new', { appliedIndex: 10, isDemanded: true }, false],
  ])('when %s', (_name, change, expected) => {
    expect(shouldSnapshot(POLICY, { ...DUE, ...change })).toBe(expected);
  });
});

describe('pickCompaction', () => {
  test.each([
    ['keeps a little for whoever is a little behind', {}, 190],
    ['keeps what the slowest member needs', { others: [member(180), member(160)] }, 160],
    ['keeps no more than so much for it', { others: [member(180), member(20)] }, 150],
    ['does not wait for the dead', { others: [member(180), member(160, false)] }, 180],
    ['keeps what follows a snapshot on its way', { others: [member(0, true, 170)] }, 170],
    ['keeps that also for whom it has not heard of in the meantime', { others: [member(0, false, 170)] }, 170],
    ['keeps as much for the slowest as a snapshot in its place', { others: [member(20)], logWorthBytes: 1500 }, 50],
    ['keeps no more for a small snapshot', { others: [member(20)], logWorthBytes: 400 }, 150],
    ['keeps nothing of that for nobody', { others: [member(200)], logWorthBytes: 1500 }, 190],
    ['stops at the snapshot', { snapshotIndex: 120 }, 120],
    ['stops at what the state machine has durable', { durableIndex: 110 }, 110],
    ['is not driven on by members that have everything', { others: [member(200), member(200)] }, 190],
  ])('%s', (_name, change, expected) => {
    expect(pickCompaction(POLICY, { ...LOG, ...change })).toBe(expected);
  });
});

describe('AppliedBytes', () => {
  test('finds an index behind which there are at most so many bytes, and not many fewer', () => {
    const bytes = new AppliedBytes(10, 50);
    for (let index = 11; index <= 110; index++) bytes.advance(index, 10);

    for (const keep of [0, 75, 500, 999]) {
      const kept = (110 - bytes.indexKeeping(keep)) * 10;
      expect(kept).toBeLessThanOrEqual(keep);
      expect(kept).toBeGreaterThan(keep - 100);
    }
    expect(bytes.indexKeeping(5000)).toBe(10);
  });

  test('keeps few marks, however much is applied', () => {
    const bytes = new AppliedBytes(0, 1);
    for (let index = 1; index <= 100_000; index++) bytes.advance(index, 1);

    const kept = 100_000 - bytes.indexKeeping(50_000);

    expect(kept).toBeLessThanOrEqual(50_000);
    expect(kept).toBeGreaterThan(49_000);
  });
});
