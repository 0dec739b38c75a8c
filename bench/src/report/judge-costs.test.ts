import { describe, expect, test } from 'vitest';

import { judgeCosts } from './judge-costs.ts';
import { summariseValues } from './statistics.ts';

describe('judgeCosts', () => {
  test("holds ours against classic-level's, against its own idle figure, and against fixed limits", () => {
    const summaries = new Map([
      ['disk-bytes', engines(106, 100)],
      ['write-amplification', engines(3, 3)],
      ['get-p99-idle', engines(2, 5)],
      ['get-p99-compacting', engines(4.1, 5)],
      ['open', engines(99, 500)],
      ['load-pause', engines(101, 1)],
    ]);

    const judged = judgeCosts(summaries);

    expect(judged.map(({ metric, most, verdict }) => [metric, most, verdict])).toEqual([
      ['disk-bytes', 105, 'missed'],
      ['write-amplification', 3, 'met'],
      ['get-p99-compacting', 4, 'missed'],
      ['open', 100, 'met'],
      ['load-pause', 100, 'missed'],
    ]);
  });

  test('gives no verdict when the peer was not measured', () => {
    const judged = judgeCosts(new Map([['disk-bytes', new Map([['kayadb', summariseValues([1])]] as const)]]));

    expect(judged).toMatchObject([{ metric: 'disk-bytes', most: undefined, verdict: undefined }]);
  });
});

function engines(
  ours: number,
  classicLevel: number,
): ReadonlyMap<'kayadb' | 'classic-level', ReturnType<typeof summariseValues>> {
  return new Map([
    ['kayadb', summariseValues([ours])],
    ['classic-level', summariseValues([classicLevel])],
  ]);
}
