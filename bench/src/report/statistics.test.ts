import { describe, expect, test } from 'vitest';

import type { Figure } from '../run/job.ts';
import { summarise } from './statistics.ts';

describe('summarise', () => {
  test('gives median, least and most of each engine in each workload', () => {
    const figure = (engine: Figure['engine'], metric: string, round: number, value: number): Figure => ({
      engine,
      metric,
      round,
      value,
    });

    const summaries = summarise([
      figure('kayadb', 'fillseq', 1, 30),
      figure('lmdb', 'fillseq', 1, 5),
      figure('kayadb', 'fillseq', 2, 10),
      figure('kayadb', 'overwrite', 1, 7),
      figure('kayadb', 'fillseq', 3, 20),
    ]);

    expect(summaries.get('fillseq')?.get('kayadb')).toEqual({ median: 20, min: 10, max: 30, values: [30, 10, 20] });
    expect(summaries.get('fillseq')?.get('lmdb')).toEqual({ median: 5, min: 5, max: 5, values: [5] });
    expect(summaries.get('overwrite')?.get('kayadb')?.median).toBe(7);
    expect(summaries.get('overwrite')?.get('lmdb')).toBeUndefined();
  });
});
