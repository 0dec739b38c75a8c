import { describe, expect, test } from 'vitest';

import { type Summaries, summariseValues } from './statistics.ts';
import { costTable, rateTable } from './table-rows.ts';

const summaries: Summaries = new Map<string, NonNullable<ReturnType<Summaries['get']>>>([
  [
    'fillseq',
    new Map([
      ['kayadb', summariseValues([1_500_000, 1_800_000, 1_600_000])],
      ['classic-level', summariseValues([900_000, 800_000, 850_000])],
      ['lmdb', summariseValues([2_000_000])],
    ]),
  ],
  ['scan-for-await', new Map([['better-sqlite3', summariseValues([1000])]])],
  ['open', new Map([['kayadb', summariseValues([12.34])]])],
]);

describe('rateTable', () => {
  test('shows medians, spread, ratios and targets, and a dash where there is no figure', () => {
    const { head, rows } = rateTable(summaries, ['kayadb', 'classic-level', 'lmdb']);

    expect(head).toEqual(['workload', 'kayadb', 'classic-level', 'lmdb']);
    expect(rows).toEqual([
      [
        'fillseq, batches of 1000, no fsync',
        '1.60 M/s\n1.50 M/s - 1.80 M/s',
        '850 k/s\n800 k/s - 900 k/s\nours 1.88x (>= 1.6: met)',
        '2.00 M/s\nours 0.80x (>= 1.1: missed)',
      ],
      ['full scan, for await', '-', '-', '-'],
    ]);
  });
});

describe('costTable', () => {
  test('shows the limit of ours', () => {
    const { head, rows } = costTable(summaries, ['kayadb', 'lmdb']);

    expect(head).toEqual(['figure', 'kayadb', 'lmdb', 'limit for ours']);
    expect(rows).toEqual([['opening after a clean close', '12.3 ms', '-', '<= 100 ms\nmet']]);
  });
});
