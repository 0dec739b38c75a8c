/** The configuration in force, and what is counted in it. */

import { describe, expect, test } from 'vitest';

import { restoreMembership } from './membership.ts';
import { ProgressTracker } from './progress-tracker.ts';
import { type Configuration, EMPTY_CONFIGURATION } from './types.ts';

function trackerOf(configuration: Partial<Configuration>, lastIndex = 5): ProgressTracker {
  const tracker = new ProgressTracker({ maxMessages: 10, maxBytes: Infinity });
  const change = restoreMembership({ ...EMPTY_CONFIGURATION, ...configuration });
  if (change.kind === 'refused') throw new Error(change.reason);
  tracker.apply(change, lastIndex);
  return tracker;
}

describe('ProgressTracker', () => {
  test('visits members in ascending order, however they were added', () => {
    const tracker = trackerOf({ voters: [3, 10], votersOutgoing: [2, 3], learners: [1, 7] });

    const visited: number[] = [];
    tracker.visit((id) => visited.push(id));

    expect(visited).toEqual([1, 2, 3, 7, 10]);
    expect(tracker.voterNodes).toEqual([2, 3, 10]);
    expect(tracker.learnerNodes).toEqual([1, 7]);
  });

  test('commits what both halves have', () => {
    const tracker = trackerOf({ voters: [1, 2, 3], votersOutgoing: [3, 4, 5] });

    for (const [id, match] of [
      [1, 8],
      [2, 8],
      [3, 6],
      [4, 7],
    ] as const)
      tracker.progress.get(id)!.maybeUpdate(match);

    expect(tracker.committed).toBe(6);
  });

  test('keeps the progress of members that stay, and starts anew for members that were removed and added again', () => {
    const tracker = trackerOf({ voters: [1, 2, 3] });
    for (const id of [1, 2, 3]) tracker.progress.get(id)!.maybeUpdate(9);

    tracker.apply(
      { kind: 'changed', configuration: { ...EMPTY_CONFIGURATION, voters: [1, 2], learners: [3] }, fresh: [2] },
      12,
    );

    expect(tracker.progress.get(1)).toMatchObject({ match: 9, isLearner: false });
    expect(tracker.progress.get(2)).toMatchObject({ match: 0, next: 12, isRecentlyActive: true });
    expect(tracker.progress.get(3)).toMatchObject({ match: 9, isLearner: true });
  });

  test('knows nothing when a term begins, but its own log', () => {
    const tracker = trackerOf({ voters: [1, 2], learners: [3] });

    tracker.resetProgress(2, 20);

    expect(tracker.progress.get(1)).toMatchObject({ match: 0, next: 21, isRecentlyActive: false });
    expect(tracker.progress.get(2)).toMatchObject({ match: 20, next: 21 });
    expect(tracker.progress.get(3)).toMatchObject({ match: 0, isLearner: true });
  });

  test('counts the first vote of each voter, and nobody else', () => {
    const tracker = trackerOf({ voters: [1, 2, 3], learners: [4] });

    tracker.recordVote(1, true);
    tracker.recordVote(2, false);
    tracker.recordVote(2, true);
    tracker.recordVote(4, true);
    tracker.recordVote(9, true);

    expect(tracker.tallyVotes()).toEqual({ granted: 1, rejected: 1, result: 'pending' });
    tracker.resetVotes();
    expect(tracker.tallyVotes()).toEqual({ granted: 0, rejected: 0, result: 'pending' });
  });

  test('is active while a quorum of both halves was heard', () => {
    const tracker = trackerOf({ voters: [1, 2, 3], votersOutgoing: [4, 5], learners: [6] });
    for (const progress of tracker.progress.values()) progress.isRecentlyActive = false;

    for (const id of [1, 2, 4]) tracker.progress.get(id)!.isRecentlyActive = true;
    expect(tracker.isQuorumActive).toBe(false);
    tracker.progress.get(5)!.isRecentlyActive = true;

    expect(tracker.isQuorumActive).toBe(true);
  });

  test('is a singleton with one voter that is not to be replaced', () => {
    expect(trackerOf({ voters: [1], learners: [2] }).isSingleton).toBe(true);
    expect(trackerOf({ voters: [1], votersOutgoing: [1] }).isSingleton).toBe(false);
    expect(trackerOf({ voters: [1, 2] }).isSingleton).toBe(false);
  });
});
