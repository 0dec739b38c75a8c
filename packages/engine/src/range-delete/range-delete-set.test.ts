import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { NO_RANGE_DELETES, RangeDeleteSet } from './range-delete-set.ts';
import { type RangeDelete, spanHasKey } from './range-delete.ts';

function key(text: string): Uint8Array {
  return Buffer.from(text);
}

function rangeDelete(start: string, end: string | undefined, sequence: number): RangeDelete {
  return { start: key(start), end: end === undefined ? undefined : key(end), sequence };
}

/** The naive twin: asks every range delete. */
function newestCovering(deletes: readonly RangeDelete[], wanted: Uint8Array, maxSequence: number): number {
  const covering = deletes.filter((one) => one.sequence <= maxSequence && spanHasKey(one, wanted));
  return Math.max(0, ...covering.map(({ sequence }) => sequence));
}

describe('RangeDeleteSet', () => {
  test('covers nothing when it is empty', () => {
    expect(NO_RANGE_DELETES.isEmpty).toBe(true);
    expect(NO_RANGE_DELETES.newestCovering(key('a'), 100)).toBe(0);
    expect(NO_RANGE_DELETES.hiddenSpanAt(key('a'), 100)).toBeUndefined();
  });

  test('covers its start and not its end', () => {
    const set = new RangeDeleteSet([rangeDelete('b', 'd', 5)]);

    const covered = ['a', 'b', 'c', 'czzz', 'd'].filter((text) => set.newestCovering(key(text), 9) === 5);

    expect(covered).toEqual(['b', 'c', 'czzz']);
  });

  test('covers everything behind its start when it has no end', () => {
    const set = new RangeDeleteSet([rangeDelete('b', undefined, 5), rangeDelete('c', undefined, 7)]);

    expect(set.newestCovering(Buffer.alloc(4096, 0xff), 9)).toBe(7);
    expect(set.hiddenSpanAt(key('b'), 9)).toEqual({ start: key('b'), end: key('c'), sequence: 5 });
    expect(set.hiddenSpanAt(key('x'), 9)).toEqual({ start: key('c'), end: undefined, sequence: 7 });
  });

  test('answers as of a sequence number', () => {
    const set = new RangeDeleteSet([rangeDelete('a', 'z', 3), rangeDelete('c', 'f', 8)]);

    expect([2, 3, 7, 8].map((sequence) => set.newestCovering(key('d'), sequence))).toEqual([0, 3, 3, 8]);
    expect(set.hiddenSpanAt(key('d'), 2)).toBeUndefined();
  });

  test('agrees with asking every range delete, for random ones', () => {
    const random = seededRandom(testSeed());
    const letter = (): string => 'abcdefgh'[random.int(8)]!;
    for (let round = 0; round < 300; round++) {
      const deletes = Array.from({ length: 1 + random.int(9) }, (_, i) => {
        const [start, end] = [letter() + letter(), letter() + letter()].toSorted();
        return rangeDelete(start!, random.int(6) === 0 || start === end ? undefined : end, i + 1);
      });
      const set = new RangeDeleteSet(deletes);

      for (let probe = 0; probe < 40; probe++) {
        const wanted = key(letter() + letter().repeat(random.int(3)));
        const sequence = random.int(11);
        const newest = newestCovering(deletes, wanted, sequence);

        expect(set.newestCovering(wanted, sequence)).toBe(newest);
        const span = set.hiddenSpanAt(wanted, sequence);
        expect(span?.sequence ?? 0).toBe(newest);
        expect(span === undefined || spanHasKey(span, wanted)).toBe(true);
      }
    }
  });
});
