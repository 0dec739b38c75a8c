import { compareBytes } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { tableMeta } from '../../test/support/entries.ts';
import { randomKey } from '../../test/support/random-entries.ts';
import { describeBytes } from '../testing/lsm-notation.ts';
import { SortedRun } from './sorted-run.ts';
import type { TableMeta } from './table-meta.ts';
import { findTable, Version } from './version.ts';

/** Tables between random keys, now and then of one key only. */
function randomLevel(keys: readonly Uint8Array[], random: { chance(probability: number): boolean }): TableMeta[] {
  const sorted = [...new Map(keys.map((key) => [describeBytes(key), key])).values()].toSorted(compareBytes);
  const tables: TableMeta[] = [];
  for (let i = 0; i < sorted.length;) {
    const end = random.chance(0.3) ? i : Math.min(i + 1, sorted.length - 1);
    tables.push({ ...tableMeta(tables.length + 1, 'a', 'b'), smallestKey: sorted[i]!, largestKey: sorted[end]! });
    i = end + 1;
  }
  return tables;
}

describe('SortedRun', () => {
  test('finds the table that a search by whole keys finds', () => {
    const random = seededRandom(testSeed());
    for (let round = 0; round < 200; round++) {
      const prefix = random.pick([[], [1, 2, 3], Array.from({ length: 20 }, () => 0xff)]);
      const keyOf = (): Uint8Array => Uint8Array.from([...prefix, ...randomKey(random)]);
      const level = randomLevel(Array.from({ length: 1 + random.int(60) }, keyOf), random);
      const run = new SortedRun(level);

      const asked = [
        ...level.flatMap(({ smallestKey, largestKey }) => [smallestKey, largestKey, smallestKey.subarray(0, -1)]),
        ...level.map(({ largestKey }) => Uint8Array.from([...largestKey, 0])),
        ...Array.from({ length: 100 }, () => (random.chance(0.8) ? keyOf() : randomKey(random))),
      ].filter((key) => key.length > 0);
      const wrong = asked.filter((key) => run.find(key) !== findTable(level, key));

      expect(wrong.map(describeBytes)).toEqual([]);
    }
  });

  test('is one for each table of level 0, newest first, and one for each deeper level that has tables', () => {
    const table = (fileNumber: number): TableMeta => tableMeta(fileNumber, 'a', 'c');
    const version = new Version([[table(9), table(7)], [], [table(4)], [], [], [], []], () => undefined);

    const found = version.runs.map((run) => run.find(Uint8Array.of(0x62))?.fileNumber);

    expect(found).toEqual([9, 7, 4]);
    expect(version.runs).toBe(version.runs);
  });
});
