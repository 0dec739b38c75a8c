import { describe, expect, test } from 'vitest';

import { type MemberView, planChange } from './plan-change.ts';

/** `1 2! 3? 4l`: voters 1, 2 and 3, of which 3 does not answer; learner 4. */
function members(text: string): readonly MemberView[] {
  return text.split(' ').map((word) => ({
    node: Number.parseInt(word, 10),
    isVoter: !word.includes('l'),
    isAnswering: !word.includes('?'),
  }));
}

describe('planChange', () => {
  test.each([
    ['removing one of three that answer', '1 2 3', 'remove', 3],
    ['removing the one of three that does not', '1 2 3?', 'remove', 3],
    ['removing one of four, three of which answer', '1 2 3 4?', 'remove', 4],
    ['removing a learner, whoever answers', '1 2? 3? 4l', 'remove', 4],
    ['promoting a learner that answers', '1 2 3? 4l', 'promote', 4],
    ['promoting the second voter', '1 2l', 'promote', 2],
    ['adding a learner, whoever answers', '1 2? 3?', 'add', 4],
  ] as const)('allows %s', (_case, text, kind, node) => {
    expect(planChange(members(text), { kind, node }).refusal).toBeUndefined();
  });

  test.each([
    [
      'removing one of two that answer, of three',
      '1 2 3?',
      'remove',
      2,
      'the group would lose its quorum: of 2 voters 2 must answer, and 1 would; node 3 does not answer: bring it back, or remove it first',
    ],
    [
      'removing one of three that answer, of five',
      '1 2 3 4? 5?',
      'remove',
      3,
      'the group would lose its quorum: of 4 voters 3 must answer, and 2 would; nodes 4, 5 do not answer: bring it back, or remove it first',
    ],
    [
      'promoting a learner that does not answer',
      '1 2l?',
      'promote',
      2,
      'the group would lose its quorum: of 2 voters 2 must answer, and 1 would; node 2 does not answer: bring it back, or remove it first',
    ],
    ['removing the only voter', '1 2l', 'remove', 1, 'node 1 is the only voter; a group without one can do nothing'],
    ['removing nobody', '1 2', 'remove', 7, 'node 7 is no member; the members are 1, 2'],
    ['promoting nobody', '1 2', 'promote', 7, 'node 7 is no member; the members are 1, 2'],
    ['promoting a voter', '1 2', 'promote', 2, 'node 2 is a voter already'],
    ['adding a voter', '1 2', 'add', 2, 'node 2 is a voter already; choose another id, or remove it first'],
    ['adding a learner', '1 2l', 'add', 2, 'node 2 is a learner already; choose another id, or remove it first'],
  ] as const)('refuses %s, with the arithmetic', (_case, text, kind, node, refusal) => {
    expect(planChange(members(text), { kind, node }).refusal).toBe(refusal);
  });

  test('says what the group can bear before and after', () => {
    const { before, after, notes } = planChange(members('1 2 3'), { kind: 'remove', node: 2 });

    expect(before).toEqual({ voters: [1, 2, 3], quorum: 2, tolerates: 1, answering: [1, 2, 3] });
    expect(after).toEqual({ voters: [1, 3], quorum: 2, tolerates: 0, answering: [1, 3] });
    expect(notes).toEqual([
      '2 voters tolerate 0 failures, no more than 1 would',
      'the group will tolerate 0 failures instead of 1',
    ]);
  });

  test('tells when nobody may fail any more though the number of voters says otherwise', () => {
    const { after, notes } = planChange(members('1 2 3? 4l 5'), { kind: 'promote', node: 4 });

    expect(after).toEqual({ voters: [1, 2, 3, 4, 5], quorum: 3, tolerates: 2, answering: [1, 2, 4, 5] });
    expect(notes).toEqual([]);
    expect(planChange(members('1 2 3? 4l'), { kind: 'promote', node: 4 }).notes).toEqual([
      '4 voters tolerate 1 failure, no more than 3 would',
      'every voter that answers now is needed: the next failure stops the group',
    ]);
  });

  test('an allowed change always leaves a majority of the new voters answering', () => {
    for (let bits = 0; bits < 4 ** 5; bits++) {
      const group = [0, 1, 2, 3, 4].map((at) => {
        const two = (bits >> (2 * at)) & 3;
        return { node: at + 1, isVoter: (two & 1) === 1, isAnswering: (two & 2) === 2 };
      });
      for (const kind of ['promote', 'remove'] as const) {
        for (const { node, isVoter } of group) {
          const { after, refusal } = planChange(group, { kind, node });
          if (refusal !== undefined || (kind === 'remove' && !isVoter)) continue;
          expect(after.answering.length, `${kind} ${node} of ${JSON.stringify(group)}`).toBeGreaterThan(
            after.voters.length / 2,
          );
        }
      }
    }
  });
});
