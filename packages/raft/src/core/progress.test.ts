/** What the leader knows about a follower, and when it sends (thesis section 10.2.1). */

import { describe, expect, test } from 'vitest';

import { describeProgress } from './describe-configuration.ts';
import { Progress, type ProgressState } from './progress.ts';
import { viewProgress } from './status.ts';

const inflightLimits = { maxMessages: 256, maxBytes: Infinity };

function progressIn(state: ProgressState, match: number, next: number, maxMessages = 256): Progress {
  const progress = new Progress({ match, next, inflightLimits: { maxMessages, maxBytes: Infinity } });
  if (state === 'replicate') {
    progress.becomeReplicate();
    while (progress.next < next) progress.sentEntries(1, 0);
  }
  if (state === 'snapshot') progress.becomeSnapshot(next - 1);
  return progress;
}

describe('Progress', () => {
  test('is described by what is special about it', () => {
    const progress = new Progress({
      match: 2,
      next: 3,
      isLearner: true,
      inflightLimits: { ...inflightLimits, maxMessages: 1 },
    });
    progress.becomeReplicate();
    progress.sentEntries(1, 10);
    const waiting = progressIn('snapshot', 1, 124);
    waiting.isRecentlyActive = true;

    expect(describeProgress(viewProgress(progress))).toBe(
      'StateReplicate match=2 next=4 learner paused inactive inflight=1[full]',
    );
    expect(describeProgress(viewProgress(waiting))).toBe('StateSnapshot match=1 next=124 paused pendingSnap=123');
  });

  test.each<[ProgressState, boolean, boolean]>([
    ['probe', false, false],
    ['probe', true, true],
    ['replicate', false, false],
    ['replicate', true, true],
    ['snapshot', false, true],
    ['snapshot', true, true],
  ])('in state %s with its flow paused %s is paused %s', (state, isFlowPaused, isPaused) => {
    const progress = progressIn(state, 0, 5);

    progress.isFlowPaused = isFlowPaused;

    expect(progress.isPaused).toBe(isPaused);
  });

  test('resumes by a refusal of its probe and by news', () => {
    const refused = progressIn('probe', 0, 2);
    refused.isFlowPaused = true;
    const answered = progressIn('probe', 0, 2);
    answered.isFlowPaused = true;

    refused.maybeDecrease(1, 1);
    answered.maybeUpdate(2);

    expect(refused.isPaused).toBe(false);
    expect(answered.isPaused).toBe(false);
  });

  test.each<[string, Progress, number]>([
    ['what matched, after replication', progressIn('replicate', 1, 5), 2],
    ['a snapshot that was sent', progressIn('snapshot', 1, 11), 11],
    ['what matched, when that is more than the snapshot', progressIn('snapshot', 20, 21), 21],
  ])('probes behind %s', (_what, progress, next) => {
    progress.becomeProbe();

    expect(progress).toMatchObject({ state: 'probe', next, pendingSnapshot: 0 });
    expect(progress.inflights.count).toBe(0);
  });

  test('probes behind what matched when a snapshot has failed', () => {
    const progress = progressIn('snapshot', 1, 11);

    progress.failSnapshot();

    expect(progress).toMatchObject({ state: 'probe', match: 1, next: 2, sentCommit: 1 });
  });

  test('replicates behind what matched', () => {
    const progress = progressIn('probe', 1, 5);

    progress.becomeReplicate();

    expect(progress).toMatchObject({ state: 'replicate', match: 1, next: 2 });
  });

  test('notes the snapshot that it waits for', () => {
    const progress = progressIn('replicate', 1, 5);

    progress.becomeSnapshot(10);

    expect(progress).toMatchObject({ state: 'snapshot', match: 1, next: 11, pendingSnapshot: 10, sentCommit: 10 });
  });

  test.each([
    ['an older index', 2, 3, 5, false],
    ['the same index', 3, 3, 5, false],
    ['one more', 4, 4, 5, true],
    ['more than was sent', 6, 6, 7, true],
  ])('acknowledged up to %s', (_what, index, match, next, isNews) => {
    const progress = progressIn('probe', 3, 5);

    const result = progress.maybeUpdate(index);

    expect(result).toBe(isNews);
    expect(progress).toMatchObject({ match, next });
  });

  test.each<[string, ProgressState, number, number, number, number, boolean, number]>([
    ['replicating, before the match', 'replicate', 5, 10, 5, 5, false, 10],
    ['replicating, late', 'replicate', 5, 10, 4, 4, false, 10],
    ['replicating, in earnest', 'replicate', 5, 10, 9, 9, true, 6],
    ['probing, not of this probe', 'probe', 0, 10, 5, 5, false, 10],
    ['probing, without a hint', 'probe', 0, 10, 9, 9, true, 9],
    ['probing, with a hint', 'probe', 0, 10, 9, 2, true, 3],
    ['probing at the beginning', 'probe', 0, 1, 0, 0, true, 1],
    ['probing, with a hint below the match', 'probe', 5, 10, 9, 2, true, 6],
  ])('takes a refusal when %s', (_what, state, match, next, rejected, hint, isNews, expectedNext) => {
    const progress = progressIn(state, match, next);

    const result = progress.maybeDecrease(rejected, hint);

    expect(result).toBe(isNews);
    expect(progress).toMatchObject({ match, next: expectedNext });
  });

  test('is paused by one append with entries while probing, by a full window while replicating', () => {
    const probing = progressIn('probe', 0, 1);
    const replicating = progressIn('replicate', 0, 1, 2);

    probing.sentEntries(0, 0);
    expect(probing.isPaused).toBe(false);
    probing.sentEntries(1, 10);
    replicating.sentEntries(3, 10);
    expect(replicating.isPaused).toBe(false);
    replicating.sentEntries(1, 10);

    expect(probing).toMatchObject({ isPaused: true, next: 1 });
    expect(replicating).toMatchObject({ isPaused: true, next: 5 });
  });

  test('is told a commit index once, and only one that its log can reach', () => {
    const progress = progressIn('replicate', 5, 8);

    expect(progress.canBumpCommit(6)).toBe(true);
    progress.markCommitSent(6);
    expect(progress.canBumpCommit(6)).toBe(false);
    expect(progress.canBumpCommit(9)).toBe(true);
    progress.markCommitSent(9);
    expect(progress.canBumpCommit(12)).toBe(false);
    progress.becomeProbe();

    expect(progress.sentCommit).toBe(5);
  });

  test.each<['becomeProbe' | 'becomeReplicate']>([['becomeProbe'], ['becomeReplicate']])(
    'waits for no answer after %s',
    (become) => {
      const progress = progressIn('replicate', 1, 3, 1);
      expect(progress.isPaused).toBe(true);

      progress[become]();

      expect(progress).toMatchObject({ isPaused: false, next: 2 });
      expect(progress.inflights.count).toBe(0);
    },
  );
});
