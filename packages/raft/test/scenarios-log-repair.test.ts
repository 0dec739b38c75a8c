/** How a leader finds where a follower's log agrees with its own (paper section 5.3; scenarios 117 and 118). */

import { describe, expect, test } from 'vitest';

import type { AppendRequest, AppendResponse, Message } from '../src/core/message.ts';
import type { LogIndex, Term } from '../src/core/types.ts';
import { votersOf } from '../src/testing/entries.ts';
import { networkOf } from '../src/testing/network.ts';
import { bytesOf, ofKind, voteResponse } from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';
import { restoredStorage } from './restored-storage.ts';

interface EntryId {
  readonly index: LogIndex;
  readonly term: Term;
}

interface LogPair {
  readonly what: string;
  readonly leader: readonly Term[];
  readonly follower: readonly Term[];
  /** Of the follower's log, committed. */
  readonly compacted?: LogIndex;
  /** What the follower says to the first append. */
  readonly hint: EntryId;
  /** What the leader's next append comes behind. */
  readonly probe: EntryId;
  /** How many appends are refused in all. */
  readonly refusals?: number;
}

const pairs: readonly LogPair[] = [
  {
    what: 'the follower has a long tail of a term between two of the leader’s',
    leader: [1, 2, 2, 4, 4, 4, 4],
    follower: [1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3],
    hint: { index: 7, term: 3 },
    probe: { index: 3, term: 2 },
  },
  {
    what: 'the tail’s term is one that the leader has entries of',
    leader: [1, 2, 2, 3, 4, 4, 4, 5],
    follower: [1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3],
    hint: { index: 8, term: 3 },
    probe: { index: 4, term: 3 },
  },
  {
    what: 'all that differs in the follower is of later terms than the leader’s',
    leader: [1, 1, 1, 1],
    follower: [1, 2, 2, 4],
    hint: { index: 1, term: 1 },
    probe: { index: 1, term: 1 },
  },
  {
    what: 'so it is, and the follower’s log is shorter',
    leader: [1, 1, 1, 1, 1, 1],
    follower: [1, 2, 2, 4],
    hint: { index: 1, term: 1 },
    probe: { index: 1, term: 1 },
  },
  {
    what: 'so it is, and the follower’s log is longer',
    leader: [1, 1, 1, 1],
    follower: [1, 2, 2, 4, 4, 4],
    hint: { index: 1, term: 1 },
    probe: { index: 1, term: 1 },
  },
  {
    what: 'the follower only lacks entries',
    leader: [1, 1, 1, 4, 5],
    follower: [1, 1, 1, 4],
    hint: { index: 4, term: 4 },
    probe: { index: 4, term: 4 },
  },
  {
    what: 'figure 7 (f) of the paper',
    leader: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6],
    follower: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    hint: { index: 10, term: 3 },
    probe: { index: 3, term: 1 },
  },
  {
    what: 'figure 7 (e) of the paper',
    leader: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6],
    follower: [1, 1, 1, 4, 4, 4, 4],
    hint: { index: 7, term: 4 },
    probe: { index: 5, term: 4 },
  },
  {
    what: 'the follower’s log is compacted up to where they agree',
    leader: [1, 1, 1, 1, 1, 2, 2, 2],
    follower: [1, 1, 1, 1, 1, 3, 3, 3],
    compacted: 5,
    hint: { index: 5, term: 1 },
    probe: { index: 5, term: 1 },
  },
  {
    what: 'two terms of the leader’s are unknown to the follower',
    leader: [1, 1, 2, 2, 2, 4, 4],
    follower: [1, 1, 1, 1, 3, 3, 3],
    hint: { index: 7, term: 3 },
    probe: { index: 5, term: 2 },
    refusals: 2,
  },
];

/** The last message of `messages`, which is the only one. */
function single<M extends Message>(messages: readonly M[]): M {
  expect(messages).toHaveLength(1);
  return messages[0] as M;
}

function openPair({ leader: ownTerms, follower: otherTerms, compacted = 0 }: LogPair): readonly [TestNode, TestNode] {
  const voters = [1, 2, 3];
  const term = Math.max(...ownTerms, ...otherTerms);
  const leader = new TestNode({ id: 1, voters, terms: ownTerms, hardState: { term, commit: compacted } });
  if (compacted === 0) return [leader, new TestNode({ id: 2, voters, terms: otherTerms })];
  const storage = restoredStorage(
    compacted,
    otherTerms[compacted - 1] ?? 0,
    votersOf(...voters),
    otherTerms.slice(compacted),
  );
  return [leader, new TestNode({ id: 2, storage })];
}

/** The first append of a leader that everybody but node 2 has elected. */
function firstAppend(leader: TestNode): AppendRequest {
  leader.core.campaign();
  leader.drain();
  const { term } = leader.status;
  const sent = leader.receive(voteResponse('vote-response', { from: 3, to: 1, term }));
  return single(ofKind(sent, 'append').filter(({ to }) => to === 2));
}

describe('scenarios: log repair', () => {
  test.each(pairs)('FastLogRejection: $what (paper section 5.3, thesis section 10.2.1)', (pair) => {
    const [leader, follower] = openPair(pair);

    let append = firstAppend(leader);
    const refusals: AppendResponse[] = [];
    const probes: EntryId[] = [];
    for (;;) {
      const answer = single(ofKind(follower.receive(append), 'append-response'));
      if (!answer.isRejected) break;
      refusals.push(answer);
      append = single(ofKind(leader.receive(answer), 'append'));
      probes.push({ index: append.prevIndex, term: append.prevTerm });
    }

    expect(refusals[0]).toMatchObject({
      index: pair.leader.length,
      hintIndex: pair.hint.index,
      hintTerm: pair.hint.term,
    });
    expect(probes[0]).toEqual(pair.probe);
    expect(refusals).toHaveLength(pair.refusals ?? 1);
    const kept = pair.compacted ?? 0;
    expect(follower.logTerms).toEqual(leader.logTerms.slice(kept));
  });

  test('LogReplicationWithReorderedMessage: of two appends that are swapped the late refusal does not move what is known to match (paper section 5.3)', () => {
    const network = networkOf(2);
    network.campaign(1);
    const [leader, follower] = [network.node(1), network.node(2)];
    leader.core.propose([bytesOf('foo')]);
    const foo = single(ofKind(leader.drain(), 'append'));
    leader.core.propose([bytesOf('bar')]);
    const bar = single(ofKind(leader.drain(), 'append'));

    const refusal = single(ofKind(follower.receive(bar), 'append-response'));
    const answer = single(ofKind(follower.receive(foo), 'append-response'));
    leader.receive(answer);
    leader.core.reportUnreachable(2);
    const sent = leader.receive(refusal);

    expect(refusal).toMatchObject({ isRejected: true, index: 2, hintIndex: 1 });
    expect(answer).toMatchObject({ isRejected: false, index: 2 });
    expect(leader.progressOf(2)).toMatchObject({ state: 'probe', match: 2, next: 3 });
    expect(single(ofKind(sent, 'append'))).toMatchObject({ prevIndex: 2, entries: [{ index: 3 }] });
  });
});
