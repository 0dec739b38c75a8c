/** What a leader notes about each follower, and what it sends because of that (scenarios 61 to 68). */

import { describe, expect, test } from 'vitest';

import { votersOf } from '../src/testing/entries.ts';
import { appendResponse, bytesOf, heartbeat, heartbeatResponse, ofKind } from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';
import { acknowledge, electLeader, nodeAs } from './elect.ts';
import { restoredStorage } from './restored-storage.ts';

describe('scenarios: leader bookkeeping', () => {
  /** Leads in term 2, its first entry at 3; follower 2 is probed behind entry 2, follower 3 has up to there. */
  function leaderOfTermTwo(): TestNode {
    const leader = electLeader(new TestNode({ id: 1, voters: [1, 2, 3], terms: [1, 1] }));
    acknowledge(leader, 3, 2);
    return leader;
  }

  test.each([
    { answer: 'a stale refusal changes nothing', index: 3, isRejected: true, match: 0, next: 3, prevs: [] },
    { answer: 'a refusal makes it probe further back', index: 2, isRejected: true, match: 0, next: 2, prevs: [1] },
    { answer: 'entries of older terms are not committed', index: 2, isRejected: false, match: 2, next: 4, prevs: [2] },
    { answer: 'a quorum for its own entry commits', index: 3, isRejected: false, match: 3, next: 4, prevs: [3] },
    { answer: 'an answer to a probe ends it', index: 0, isRejected: false, match: 0, next: 4, prevs: [0] },
  ])(
    'LeaderAppResp: match, next and what is sent follow from the answer: $answer (paper section 5.3)',
    ({ index, isRejected, match, next, prevs }) => {
      const leader = leaderOfTermTwo();
      const isCommitted = index === 3 && !isRejected;

      const sent = leader.receive(appendResponse({ from: 2, to: 1, term: 2, index, isRejected, hintIndex: index }));

      expect(leader.progressOf(2)).toMatchObject({ match, next });
      expect(leader.status.commit).toBe(isCommitted ? 3 : 0);
      expect(
        ofKind(sent, 'append')
          .filter(({ to }) => to === 2)
          .map(({ prevIndex }) => prevIndex),
      ).toEqual(prevs);
      expect(sent.filter(({ to }) => to === 3)).toMatchObject(isCommitted ? [{ prevIndex: 3, commit: 3 }] : []);
      expect(sent.filter(({ kind }) => kind !== 'append')).toEqual([]);
    },
  );

  test('a follower that refuses what was sent ahead is probed from what it is known to have (thesis section 10.2.1)', () => {
    const leader = electLeader(new TestNode({ id: 1, voters: [1, 2] }));
    acknowledge(leader, 2);
    leader.core.propose([bytesOf('a')]);
    leader.core.propose([bytesOf('b')]);
    leader.drain();
    const refusal = appendResponse({ from: 2, to: 1, term: 1, index: 2, isRejected: true, hintIndex: 1, hintTerm: 1 });

    const sent = leader.receive(refusal);
    leader.core.propose([bytesOf('c')]);

    expect(sent).toMatchObject([{ kind: 'append', prevIndex: 1, entries: [{ index: 2 }, { index: 3 }] }]);
    expect(leader.progressOf(2)).toMatchObject({ state: 'probe', match: 1, next: 2, isPaused: true, inflightCount: 0 });
    expect(leader.drain()).toEqual([]);
  });

  test('BcastBeat: a heartbeat carries the commit index as far as the follower is known to have it, and nothing else (thesis section 3.5)', () => {
    const storage = restoredStorage(1000, 1, votersOf(1, 2, 3));
    const leader = electLeader(new TestNode({ id: 1, storage }));
    leader.core.propose(Array.from({ length: 10 }, () => bytesOf('some')));
    leader.drain();
    acknowledge(leader, 2, 1005);
    acknowledge(leader, 3);

    const sent = leader.tickAndDrain();

    expect(leader.status.commit).toBe(1011);
    expect(sent).toEqual([
      heartbeat({ from: 1, to: 2, term: 2, commit: 1005 }),
      heartbeat({ from: 1, to: 3, term: 2, commit: 1011 }),
    ]);
  });

  test('RecvMsgBeat: only a leader sends heartbeats when their time has come (paper section 5.2)', () => {
    const roles = ['follower', 'candidate', 'pre-candidate', 'leader'] as const;
    const nodes = roles.map((role) => nodeAs(role, { id: 1, voters: [1, 2, 3] }));

    const sent = nodes.map((node) => node.tickAndDrain().map(({ kind, to }) => `${kind} ${to}`));

    expect(nodes.map(({ status }) => status.role)).toEqual(roles);
    expect(sent).toEqual([[], [], [], ['heartbeat 2', 'heartbeat 3']]);
  });

  test('LeaderIncreaseNext: what goes to a replicating follower counts as sent at once, what is probed with does not (thesis section 10.2.1)', () => {
    const leader = electLeader(new TestNode({ id: 1, voters: [1, 2, 3], terms: [1, 1, 1] }));
    acknowledge(leader, 2);

    leader.core.propose([bytesOf('a'), bytesOf('b')]);
    leader.drain();

    expect(leader.progressOf(2)).toMatchObject({ state: 'replicate', match: 4, next: 7 });
    expect(leader.progressOf(3)).toMatchObject({ state: 'probe', match: 0, next: 4 });
  });

  test('SendAppendForProgressProbe: a probed follower gets one append for each heartbeat that it answers (thesis section 10.2.1)', () => {
    const leader = electLeader(new TestNode({ id: 1, voters: [1, 2] }));

    for (let round = 0; round < 3; round++) {
      const proposing = Array.from({ length: 10 }, () => {
        leader.core.propose([bytesOf('some')]);
        return leader.drain();
      }).flat();
      const beating = leader.tickAndDrain();

      expect(proposing).toEqual([]);
      expect(beating.map(({ kind }) => kind)).toEqual(['heartbeat']);
      expect(leader.progressOf(2)).toMatchObject({ state: 'probe', isPaused: true });

      const resumed = leader.receive(heartbeatResponse({ from: 2, to: 1, term: 1 }));

      expect(resumed).toMatchObject([{ kind: 'append', prevIndex: 0, to: 2 }]);
      expect(ofKind(resumed, 'append')[0]?.entries).toHaveLength(1 + 10 * (round + 1));
      expect(leader.progressOf(2)).toMatchObject({ state: 'probe', isPaused: true, next: 1 });
    }
  });

  test('SendAppendForProgressReplicate: a replicating follower gets each proposal without waiting (thesis section 10.2.1)', () => {
    const leader = electLeader(new TestNode({ id: 1, voters: [1, 2] }));
    acknowledge(leader, 2);

    const sent = Array.from({ length: 10 }, () => {
      leader.core.propose([bytesOf('some')]);
      return leader.drain();
    });

    const appends = sent.map((messages) => ofKind(messages, 'append').map(({ prevIndex }) => prevIndex));
    expect(appends).toEqual(Array.from({ length: 10 }, (_, i) => [1 + i]));
  });

  test('SendAppendForProgressSnapshot: a follower that a snapshot is on its way to gets no append (paper section 7)', () => {
    const storage = restoredStorage(10, 1, votersOf(1, 2));
    const leader = electLeader(new TestNode({ id: 1, storage }));
    leader.receive(appendResponse({ from: 2, to: 1, term: 2, index: 10, isRejected: true }));

    const sent = Array.from({ length: 10 }, () => {
      leader.core.propose([bytesOf('some')]);
      return [...leader.drain(), ...leader.receive(heartbeatResponse({ from: 2, to: 1, term: 2 }))];
    });

    expect(leader.progressOf(2)).toMatchObject({ state: 'snapshot', pendingSnapshot: 10, isPaused: true });
    expect(sent.flat()).toEqual([]);
  });

  test('RecvMsgUnreachable: of an unreachable follower everything that is not acknowledged counts as lost (thesis section 10.2.1)', () => {
    const leader = electLeader(new TestNode({ id: 1, voters: [1, 2], terms: [1, 1, 1] }));
    acknowledge(leader, 2);
    leader.core.propose([bytesOf('a'), bytesOf('b')]);
    leader.drain();

    leader.core.reportUnreachable(2);

    expect(leader.progressOf(2)).toMatchObject({ state: 'probe', match: 4, next: 5, inflightCount: 0 });
    expect(leader.drain()).toEqual([]);
    expect(leader.receive(heartbeatResponse({ from: 2, to: 1, term: 2 }))).toMatchObject([
      { kind: 'append', prevIndex: 4, entries: [{ index: 5 }, { index: 6 }] },
    ]);
  });
});
