import { describe, expect, test } from 'vitest';

import { CatchUp } from './catch-up.ts';
import { MAX_PROMOTION_LAG } from './check-promotion.ts';

/** What is said tick by tick; `undefined` stands for a learner that does not answer. */
function observe(steps: readonly (readonly [match: number, lastIndex: number] | undefined)[]): readonly boolean[] {
  const catchUp = new CatchUp(3);
  return steps.map((step, tick) =>
    catchUp.observe(tick, { match: step?.[0] ?? 0, lastIndex: step?.[1] ?? 0, isAnswering: step !== undefined }),
  );
}

describe('CatchUp', () => {
  test('takes a whole round, however little there is to get', () => {
    expect(
      observe([
        [5, 5],
        [5, 5],
      ]),
    ).toEqual([false, true]);
  });

  test('asks for what was there when the round began, and not for more', () => {
    expect(
      observe([
        [0, 9],
        [8, 20],
        [9, 30],
      ]),
    ).toEqual([false, false, true]);
  });

  test('does not count a round that took longer than an election timeout; the next may', () => {
    expect(
      observe([
        [0, 9],
        [1, 9],
        [2, 9],
        [3, 9],
        [9, 9],
        [9, 9],
      ]),
    ).toEqual([false, false, false, false, false, true]);
  });

  test('does not count a round in which the learner was far behind', () => {
    const far = MAX_PROMOTION_LAG + 1;

    expect(
      observe([
        [0, far],
        [far, far],
        [far, far],
      ]),
    ).toEqual([false, false, true]);
    expect(
      observe([
        [0, 9],
        [8, 9 + far],
        [9 + far, 9 + far],
        [9 + far, 9 + far],
      ]),
    ).toEqual([false, false, false, true]);
  });

  test('begins anew when the learner has stopped answering', () => {
    expect(observe([[5, 5], undefined, [5, 5], [5, 5]])).toEqual([false, false, false, true]);
  });
});
