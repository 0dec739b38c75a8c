import { describe, expect, test } from 'vitest';

import type { Message } from '../core/message.ts';
import type { Entry, SnapshotMeta } from '../core/types.ts';
import { voteRequest } from '../testing/test-messages.ts';
import { findMessageFlaw } from './message-check.ts';

const RECEIVER = { id: 1, term: 5, role: 'leader', lastIndex: 20 } as const;
const NO_BYTES = new Uint8Array(0);
const GROUP = { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };

function append(entries: readonly (readonly [index: number, term: number])[], prevTerm = 4): Message {
  const full: readonly Entry[] = entries.map(([index, term]) => ({ index, term, kind: 'normal', data: NO_BYTES }));
  return { kind: 'append', from: 2, to: 1, term: 5, prevIndex: 10, prevTerm, entries: full, commit: 99 };
}

function snapshot(meta: Partial<SnapshotMeta>): Message {
  const full = { index: 30, term: 5, configuration: GROUP, ...meta };
  return { kind: 'snapshot', from: 2, to: 1, term: 5, snapshot: { meta: full, data: NO_BYTES } };
}

function heartbeat(commit: number, term = 5): Message {
  return { kind: 'heartbeat', from: 2, to: 1, term, commit, context: NO_BYTES };
}

function acknowledged(index: number, isRejected = false): Message {
  return { kind: 'append-response', from: 2, to: 1, term: 5, index, isRejected, hintIndex: 0, hintTerm: 0 };
}

describe('findMessageFlaw', () => {
  test.each([
    [
      'an append that follows',
      append([
        [11, 4],
        [12, 5],
      ]),
    ],
    ['a probe', append([])],
    ['a heartbeat of what is here', heartbeat(20)],
    ['a heartbeat of an earlier term, whatever it says', heartbeat(99, 4)],
    ['an acknowledgement', acknowledged(20)],
    ['a refusal of what was never here', acknowledged(99, true)],
    [
      'a refusal of a node that has seen no term yet',
      { kind: 'pre-vote-response', from: 2, to: 1, term: 0, isRejected: true, commit: 0, commitTerm: 0 },
    ],
    ['a snapshot', snapshot({})],
    [
      'a vote of a stranger, who may be a member that this node has not heard of',
      voteRequest('vote', { from: 8, to: 1, term: 9, lastIndex: 99, lastTerm: 8, commit: 98, commitTerm: 8 }),
    ],
  ] as const)('takes %s', (_name, message) => {
    expect(findMessageFlaw(message, RECEIVER)).toBeUndefined();
  });

  test.each([
    ['entries that leave a gap', append([[12, 5]])],
    [
      'entries that are doubled',
      append([
        [11, 5],
        [11, 5],
      ]),
    ],
    [
      'terms that go back',
      append([
        [11, 5],
        [12, 4],
      ]),
    ],
    ['an entry of a term that is not yet', append([[11, 6]])],
    ['a previous term that is not yet', append([], 6)],
    ['an index beyond reason', acknowledged(2 ** 53)],
    ['a negative index', acknowledged(-1)],
    ['a commit index that is no number', heartbeat(Number.NaN)],
    ['term 0', heartbeat(1, 0)],
    ['a sender that is a thread', { ...heartbeat(1), from: Number.MAX_SAFE_INTEGER }],
    ['nobody as a sender', { ...heartbeat(1), from: 0 }],
    ['a snapshot without voters', snapshot({ configuration: { ...GROUP, voters: [] } })],
    ['a snapshot with a doubled voter', snapshot({ configuration: { ...GROUP, voters: [1, 1] } })],
    ['a snapshot of a term that is not yet', snapshot({ term: 6 })],
    ['a snapshot of nothing', snapshot({ index: 0 })],
    ['a context that is too long', { ...heartbeat(1), context: new Uint8Array(257) }],
  ] as const)('finds %s absurd', (_name, message) => {
    expect(findMessageFlaw(message, RECEIVER)).toMatchObject({ refusal: 'absurd-field' });
  });

  test.each([
    ['a heartbeat', heartbeat(21)],
    ['an acknowledgement', acknowledged(21)],
  ])('tells %s that takes more to be here than is', (_name, message) => {
    expect(findMessageFlaw(message, RECEIVER)).toMatchObject({ refusal: 'beyond-log' });
  });

  test('takes an acknowledgement of what this node has sent, and lost when it started again', () => {
    expect(findMessageFlaw(acknowledged(21), { ...RECEIVER, role: 'follower' })).toBeUndefined();
  });
});
