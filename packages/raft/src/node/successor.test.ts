import { describe, expect, test } from 'vitest';

import type { ProgressView } from '../core/status.ts';
import { pickSuccessor } from './successor.ts';

function view(match: number, change: Partial<ProgressView> = {}): ProgressView {
  return {
    state: 'replicate',
    match,
    next: match + 1,
    isLearner: false,
    isPaused: false,
    pendingSnapshot: 0,
    isRecentlyActive: true,
    answerCount: 0,
    inflightCount: 0,
    isInflightFull: false,
    ...change,
  };
}

const GROUP = { voters: [1, 2, 3, 4], votersOutgoing: [], learners: [5], learnersNext: [], autoLeave: false };

describe('pickSuccessor', () => {
  test.each([
    [
      'the one whose log is most complete',
      [
        [2, view(5)],
        [3, view(9)],
        [4, view(8)],
      ],
      3,
    ],
    [
      'the smallest id among equals',
      [
        [2, view(9)],
        [3, view(9)],
      ],
      2,
    ],
    [
      'nobody who is silent',
      [
        [2, view(5)],
        [3, view(9, { isRecentlyActive: false })],
      ],
      2,
    ],
    [
      'no learner',
      [
        [2, view(5)],
        [5, view(9)],
      ],
      2,
    ],
    ['nobody when there is nobody', [], 0],
  ] as const)('is %s', (_name, others, expected) => {
    const progress = new Map<number, ProgressView>([[1, view(20)], ...others]);

    expect(pickSuccessor({ id: 1, progress, configuration: GROUP })).toBe(expected);
  });
});
