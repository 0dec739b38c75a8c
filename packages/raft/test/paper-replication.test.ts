/** Claims of the Raft paper about replication and what is committed, one test for each. */

import { describe, expect, test } from 'vitest';

import type { Entry } from '../src/core/types.ts';
import { entriesOf, entryOf } from '../src/testing/entries.ts';
import { Network } from '../src/testing/network.ts';
import { appendRequest, appendResponse, bytesOf, ofKind, voteResponse } from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';
import { acknowledge, electLeader, settledLeader } from './elect.ts';

const voters = [1, 2, 3];

function votersOf(size: number): readonly number[] {
  return Array.from({ length: size }, (_, i) => i + 1);
}

describe('replication (paper section 5.3)', () => {
  test('LeaderStartReplication: what is proposed is appended, sent with the entry before it, and to be stored', () => {
    const leader = settledLeader({ id: 1, voters });

    leader.core.propose([bytesOf('some')]);
    const ready = leader.core.ready();

    const entry = entryOf(2, 1, 'some');
    const fields = { from: 1, term: 1, prevIndex: 1, prevTerm: 1, entries: [entry], commit: 1 };
    expect(ready.messages).toEqual([appendRequest({ ...fields, to: 2 }), appendRequest({ ...fields, to: 3 })]);
    expect(ready.entries).toEqual([entry]);
    expect(leader.status).toMatchObject({ lastIndex: 2, commit: 1 });
  });

  test('LeaderCommitEntry: what a majority has is committed, applied, and told to the others', () => {
    const leader = settledLeader({ id: 1, voters });
    leader.core.propose([bytesOf('some')]);
    leader.drain();

    const messages = acknowledge(leader, 2);

    const fields = { from: 1, term: 1, prevIndex: 2, prevTerm: 1, commit: 2 };
    expect(leader.status.commit).toBe(2);
    expect(leader.appliedTexts).toEqual(['some']);
    expect(messages).toEqual([appendRequest({ ...fields, to: 2 }), appendRequest({ ...fields, to: 3 })]);
  });

  test.each<[number, readonly number[], boolean]>([
    [1, [], true],
    [3, [], false],
    [3, [2], true],
    [3, [2, 3], true],
    [5, [], false],
    [5, [2], false],
    [5, [2, 3], true],
    [5, [2, 3, 4], true],
    [5, [2, 3, 4, 5], true],
  ])('LeaderAcknowledgeCommit: of %i nodes %j acknowledge, which commits: %j', (size, acknowledging, isCommitted) => {
    const leader = settledLeader({ id: 1, voters: votersOf(size) });
    leader.core.propose([bytesOf('some')]);
    leader.drain();

    for (const id of acknowledging) acknowledge(leader, id);

    expect(leader.status.commit).toBe(isCommitted ? 2 : 1);
  });

  test.each<readonly number[][]>([[[]], [[2]], [[1, 2]], [[1]]])(
    'LeaderCommitPrecedingEntries: an entry of the own term commits those of terms %j before it',
    (terms) => {
      const leader = electLeader(new TestNode({ id: 1, voters, terms, hardState: { term: 2 } }));
      leader.core.propose([bytesOf('some')]);
      leader.drain();

      acknowledge(leader, 2);

      const first = terms.length + 1;
      expect(leader.applied).toEqual([...entriesOf(1, ...terms, 3), entryOf(first + 1, 3, 'some')]);
    },
  );

  test.each<[readonly string[], number]>([
    [['some'], 1],
    [['some', 'more'], 2],
    [['more', 'some'], 2],
    [['some', 'more'], 1],
  ])(
    'FollowerCommitEntry: of %j a follower applies, in order, the %i that the leader has committed',
    (texts, commit) => {
      const follower = new TestNode({ id: 1, voters });
      const entries = texts.map((text, i) => entryOf(i + 1, 1, text));

      follower.receive(appendRequest({ from: 2, to: 1, term: 1, entries, commit }));

      expect(follower.status.commit).toBe(commit);
      expect(follower.appliedTexts).toEqual(texts.slice(0, commit));
    },
  );

  test.each([
    ['its beginning', 0, 0, { index: 1 }],
    ['a committed entry', 1, 1, { index: 1 }],
    ['an entry that is not committed', 2, 2, { index: 2 }],
    ['another term than the own one', 2, 1, { index: 2, isRejected: true, hintIndex: 1, hintTerm: 1 }],
    ['an entry that is not there', 3, 3, { index: 3, isRejected: true, hintIndex: 2, hintTerm: 2 }],
  ])('FollowerCheckMsgApp: an append behind %s is answered by whether the logs agree there', (...row) => {
    const [_what, prevIndex, prevTerm, answer] = row;
    const follower = new TestNode({ id: 1, voters, terms: [1, 2], hardState: { commit: 1 } });
    follower.drain();

    const answers = follower.receive(appendRequest({ from: 2, to: 1, term: 2, prevIndex, prevTerm }));

    expect(answers).toEqual([appendResponse({ from: 1, to: 2, term: 2, ...answer })]);
  });

  test.each<[string, number, number, readonly Entry[], readonly number[], readonly Entry[]]>([
    ['new entries are appended', 2, 2, entriesOf(3, 3), [1, 2, 3], entriesOf(3, 3)],
    ['those that differ replace what is there', 1, 1, entriesOf(2, 3, 4), [1, 3, 4], entriesOf(2, 3, 4)],
    ['equal ones stay, and what is behind them', 0, 0, entriesOf(1, 1), [1, 2], []],
    ['all may be replaced', 0, 0, entriesOf(1, 3), [3], entriesOf(1, 3)],
  ])('FollowerAppendEntries: %s', (_what, prevIndex, prevTerm, entries, terms, stored) => {
    const follower = new TestNode({ id: 1, voters, terms: [1, 2] });

    follower.step(appendRequest({ from: 2, to: 1, term: 4, prevIndex, prevTerm, entries }));
    const ready = follower.core.ready();
    follower.persist(ready);

    expect(ready.entries).toEqual(stored);
    expect(follower.logTerms).toEqual(terms);
  });

  test.each([
    ['(a), which lacks an entry', [1, 1, 1, 4, 4, 5, 5, 6, 6]],
    ['(b), which lacks many', [1, 1, 1, 4]],
    ['(c), with one more of a term', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ['(d), with a term more', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ['(e), with more of one term and none of later ones', [1, 1, 1, 4, 4, 4, 4]],
    ['(f), with terms that the leader has not', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ])('LeaderSyncFollowerLog: of figure 7, follower %s is made equal to the leader', (_what, terms) => {
    const leaderTerms = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    const leader = new TestNode({ id: 1, voters, terms: leaderTerms, hardState: { term: 8, commit: 10 } });
    const follower = new TestNode({ id: 2, voters, terms, hardState: { term: 7 } });
    const network = new Network([leader, follower]);

    network.campaign(1);
    // The vote of node 3, which is not in the network: the follower may have the longer log.
    network.send(voteResponse('vote-response', { from: 3, to: 1, term: 9 }));
    network.propose(1, 'some');

    expect(leader.status).toMatchObject({ role: 'leader', term: 9, commit: 12 });
    expect(follower.logTerms).toEqual([...leaderTerms, 9, 9]);
    expect(follower.storage.allEntries()).toEqual(leader.storage.allEntries());
    expect(follower.appliedTexts).toEqual(['some']);
  });
});

describe('entries of earlier terms (paper section 5.4.2)', () => {
  test.each([
    [1, 0],
    [2, 0],
    [3, 3],
  ])('LeaderOnlyCommitsLogFromCurrentTerm: a majority that has entry %i commits up to %i', (index, commit) => {
    const leader = electLeader(new TestNode({ id: 1, voters, terms: [1, 2] }));
    expect(leader.status.term).toBe(3);

    const messages = leader.receive(appendResponse({ from: 2, to: 1, term: 3, index }));

    expect(leader.status.commit).toBe(commit);
    expect(ofKind(messages, 'append').every((append) => append.commit === commit)).toBe(true);
  });
});
