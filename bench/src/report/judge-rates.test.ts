import { describe, expect, test } from 'vitest';

import { judgeRates } from './judge-rates.ts';
import { summariseValues } from './statistics.ts';

describe('judgeRates', () => {
  test('compares medians and says whether the target is met', () => {
    const summaries = new Map([
      [
        'fillseq',
        new Map([
          ['kayadb', summariseValues([160, 1, 9000])],
          ['classic-level', summariseValues([100])],
          ['lmdb', summariseValues([150])],
          ['better-sqlite3', summariseValues([40])],
        ] as const),
      ],
    ]);

    const judged = judgeRates(summaries);

    expect(judged).toEqual([
      { metric: 'fillseq', peer: 'classic-level', ratio: 1.6, target: 1.6, verdict: 'met' },
      { metric: 'fillseq', peer: 'lmdb', ratio: 160 / 150, target: 1.1, verdict: 'missed' },
      { metric: 'fillseq', peer: 'better-sqlite3', ratio: 4, target: undefined, verdict: undefined },
    ]);
  });

  test('says nothing where ours gave no figure', () => {
    expect(judgeRates(new Map([['fillseq', new Map([['lmdb', summariseValues([1])]])]]))).toEqual([]);
  });
});
