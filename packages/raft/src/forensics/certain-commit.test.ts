import { describe, expect, test } from 'vitest';

import { type Configuration, EMPTY_CONFIGURATION } from '../core/types.ts';
import { certainCommit, type ConfigurationStep } from './certain-commit.ts';

const OWN = 1;
const LAST = 20;

const of = (...voters: readonly number[]): Configuration => ({ ...EMPTY_CONFIGURATION, voters });
const joint = (voters: readonly number[], votersOutgoing: readonly number[]): Configuration => ({
  ...EMPTY_CONFIGURATION,
  voters,
  votersOutgoing,
});

describe('certainCommit', () => {
  test.each<[string, readonly [number, Configuration | undefined][], number, number]>([
    ['the whole log of the only voter', [[1, of(1)]], 5, 20],
    ['nothing more of one of several voters', [[1, of(1, 2)]], 5, 5],
    ['nothing more where another node is the only voter', [[1, of(2)]], 5, 5],
    ['nothing more in a group without voters', [[0, EMPTY_CONFIGURATION]], 0, 0],
    ['nothing more in a joint configuration, though one half is this node alone', [[1, joint([1], [1, 2])]], 5, 5],
    [
      'all up to and with the change that adds a voter',
      [
        [1, of(1)],
        [9, of(1, 2)],
      ],
      5,
      9,
    ],
    [
      'nothing behind a change that adds a voter',
      [
        [1, of(1)],
        [9, of(1, 2)],
      ],
      9,
      9,
    ],
    [
      'the whole log where a change adds a learner',
      [
        [1, of(1)],
        [9, { ...of(1), learners: [2] }],
      ],
      5,
      20,
    ],
    [
      'the whole log behind the change that left this node alone',
      [
        [1, of(1, 2)],
        [9, of(1)],
      ],
      9,
      20,
    ],
    [
      'nothing more while that change is not known to be committed',
      [
        [1, of(1, 2)],
        [9, of(1)],
      ],
      8,
      8,
    ],
    [
      'all up to and with a change that cannot be read',
      [
        [1, of(1)],
        [9, undefined],
      ],
      5,
      9,
    ],
    [
      'nothing behind a change that cannot be read',
      [
        [1, of(1)],
        [9, undefined],
      ],
      12,
      12,
    ],
    ['no more than the log has', [[1, of(1, 2)]], 25, 20],
  ])('is %s', (_what, changes, known, expected) => {
    const steps = changes.map(([index, configuration]): ConfigurationStep => ({ index, configuration }));

    const commit = certainCommit({ node: OWN, lastIndex: LAST, steps }, known);

    expect(commit).toBe(expected);
  });
});
