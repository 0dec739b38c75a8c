/**
 * Messages that should not have come: of strangers, of nodes that were removed, with numbers that cannot be.
 * What a node's host lets through (node/message-check.ts) never ends in an exception. What it does not let through ends, if the core gets it all the
 * same, in one of the assertions of our own that `RaftCore.step` names, or in nothing.
 */

import { AssertionError } from '@kayadb/codec';
import { type SeededRandom, seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { LocalMessage, Message, PeerMessage } from '../src/core/message.ts';
import type { Role } from '../src/core/ready.ts';
import type { Configuration, NodeId } from '../src/core/types.ts';
import { findMessageFlaw } from '../src/node/message-check.ts';
import { entriesOf, entryOf, snapshotOf, votersOf } from '../src/testing/entries.ts';
import { networkOf } from '../src/testing/network.ts';
import {
  appendRequest,
  appendResponse,
  bytesOf,
  configurationOf,
  heartbeat,
  heartbeatResponse,
  snapshotRequest,
  voteRequest,
  voteResponse,
} from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';
import { acknowledge, nodeAs } from './elect.ts';

const HUGE = Number.MAX_SAFE_INTEGER;
const STRANGER: NodeId = 9;
const voters = [1, 2, 3];
const roles: readonly Role[] = ['follower', 'pre-candidate', 'candidate', 'leader'];

/** In `role`, with two entries of an earlier term behind it. */
function nodeIn(role: Role): TestNode {
  return nodeAs(role, { id: 1, voters, terms: [1, 1] });
}

describe('bad input: strangers', () => {
  test.each(roles)('a %s takes no answer of a node that is not in the configuration', (role) => {
    const node = nodeIn(role);
    const before = node.status;
    const { term } = before;
    const between = { from: STRANGER, to: 1, term: term + 5 };

    const outcomes = [
      node.step(appendResponse({ ...between, index: 3 })),
      node.step(appendResponse({ ...between, index: 3, isRejected: true })),
      node.step(heartbeatResponse(between)),
      node.step(voteResponse('vote-response', between)),
      node.step(voteResponse('pre-vote-response', between)),
      node.step({ kind: 'read-index-response', ...between, index: 1, context: bytesOf('read') }),
    ];

    expect(outcomes).toEqual(outcomes.map(() => ({ kind: 'unknown-peer' })));
    expect(node.status).toEqual(before);
    expect(node.core.hasReady).toBe(false);
  });

  test.each(roles)('a %s takes nothing from a peer that only its own host and threads may say', (role) => {
    const node = nodeIn(role);
    const before = node.status;
    const between = { from: 2, to: 1 };
    const responses: readonly Message[] = [];
    const local: readonly LocalMessage[] = [
      { kind: 'hup', ...between },
      { kind: 'beat', ...between },
      { kind: 'check-quorum', ...between },
      { kind: 'unreachable', ...between },
      { kind: 'snapshot-status', ...between, isRejected: true },
      { kind: 'storage-append', ...between, entries: [], hardState: undefined, snapshot: undefined, responses },
      { kind: 'storage-append-response', ...between, term: 9, index: HUGE, logTerm: 9, snapshot: undefined },
      { kind: 'storage-apply', ...between, entries: [], responses },
      { kind: 'storage-apply-response', ...between, entries: entriesOf(1, 1, 1) },
    ];

    const outcomes = local.map((message) => node.step(message));

    expect(outcomes).toEqual(local.map(() => ({ kind: 'foreign-local-message' })));
    expect(node.status).toEqual(before);
  });

  test('a leader passes over what a stranger asks of it, and says so', () => {
    const leader = nodeIn('leader');
    const before = leader.status;

    leader.step({ kind: 'transfer-leader', from: STRANGER, to: 1, term: 2 });
    leader.step(voteRequest('vote', { from: STRANGER, to: 1, term: 1 }));

    expect(leader.status).toEqual(before);
    expect(leader.eventsOf('progress-missing')).toMatchObject([{ from: STRANGER }]);
    expect(leader.eventsOf('lower-term-ignored')).toMatchObject([{ from: STRANGER, message: 'vote' }]);
  });

  test('a vote is refused to a stranger while a leader is heard of, whatever its term (thesis section 4.2.3)', () => {
    const node = nodeAs('follower', { id: 1, voters, checkQuorum: true });
    const before = node.status;

    const sent = [
      ...node.receive(voteRequest('vote', { from: STRANGER, to: 1, term: HUGE, lastIndex: HUGE, lastTerm: HUGE - 1 })),
      ...node.receive(voteRequest('pre-vote', { from: STRANGER, to: 1, term: HUGE })),
    ];

    expect(sent).toEqual([]);
    expect(node.status).toEqual(before);
    expect(node.eventsOf('vote-ignored-in-lease')).toHaveLength(2);
  });
});

describe('bad input: nodes that were removed', () => {
  test.each([
    { what: 'with pre-vote', preVote: true },
    { what: 'without it', preVote: false },
  ])(
    'one that does not know it, and campaigns on and on, does not disturb the group: $what (thesis section 4.2.3)',
    ({ preVote }) => {
      const network = networkOf(4, {
        preVote: true,
        checkQuorum: true,
        of: { 4: { preVote, checkQuorum: true, voters: [1, 2, 3, 4] } },
      });
      network.campaign(1);
      network.isolate(4);
      network.node(1).core.proposeConfigChange({
        transition: 'auto',
        steps: [{ kind: 'remove', node: 4 }],
        context: new Uint8Array(0),
      });
      network.settle();
      network.recover();

      for (let i = 0; i < 20; i++) {
        network.campaign(4);
        network.tick(1);
        network.propose(1, `write ${i}`);
      }

      expect(network.status(1)).toMatchObject({ role: 'leader', term: 1, configuration: { voters: [1, 2, 3] } });
      expect(network.node(3).appliedTexts).toHaveLength(20);
      expect(network.status(4)).toMatchObject({ lastIndex: 1, term: preVote ? 1 : 21 });
    },
  );

  test('its late answers are not counted any more (thesis section 4.2.2)', () => {
    const leader = nodeAs('leader', { id: 1, voters });
    leader.core.applyConfigChange({
      transition: 'auto',
      steps: [{ kind: 'remove', node: 3 }],
      context: new Uint8Array(0),
    });

    const outcome = leader.step(appendResponse({ from: 3, to: 1, term: 1, index: 1 }));

    expect(outcome).toEqual({ kind: 'unknown-peer' });
    expect(leader.status).toMatchObject({ commit: 0, configuration: { voters: [1, 2] } });
    acknowledge(leader, 2);
    expect(leader.status.commit).toBe(1);
  });
});

describe('bad input: numbers that cannot be', () => {
  test('an append far behind the end is refused with the end of the log as the hint', () => {
    const node = nodeIn('follower');

    const sent = node.receive(
      appendRequest({
        from: 2,
        to: 1,
        term: 1,
        prevIndex: HUGE,
        prevTerm: 1,
        entries: [entryOf(HUGE, 1)],
        commit: HUGE,
      }),
    );

    expect(sent).toEqual([
      appendResponse({ from: 1, to: 2, term: 1, index: HUGE, isRejected: true, hintIndex: 2, hintTerm: 1 }),
    ]);
    expect(node.status).toMatchObject({ lastIndex: 2, commit: 0 });
  });

  test('a commit index beyond what an append reaches commits as far as that reaches (paper figure 2)', () => {
    const node = nodeIn('follower');

    node.receive(appendRequest({ from: 2, to: 1, term: 1, prevIndex: 1, prevTerm: 1, commit: HUGE }));

    expect(node.status).toMatchObject({ commit: 1, lastIndex: 2 });
  });

  test('a leader does not go by a refusal whose numbers it never sent', () => {
    const leader = nodeIn('leader');
    const { term } = leader.status;
    const before = leader.status;
    const refusal = { from: 2, to: 1, term, isRejected: true };

    const sent = [
      ...leader.receive(appendResponse({ ...refusal, index: HUGE, hintIndex: HUGE, hintTerm: HUGE })),
      ...leader.receive(appendResponse({ ...refusal, index: 1, hintIndex: HUGE, hintTerm: 0 })),
    ];

    expect(sent).toEqual([]);
    expect(leader.status.progress.get(3)).toEqual(before.progress.get(3));
    expect(leader.progressOf(2)).toMatchObject({ match: 0, next: 3 });
  });

  test('a hint beyond the log is cut to what was refused', () => {
    const leader = nodeIn('leader');
    const { term } = leader.status;

    const sent = leader.receive(
      appendResponse({ from: 2, to: 1, term, isRejected: true, index: 2, hintIndex: HUGE, hintTerm: HUGE }),
    );

    expect(sent).toMatchObject([{ kind: 'append', prevIndex: 1 }]);
  });

  test('a confirmation of reads that were never asked for confirms nothing (thesis section 6.4)', () => {
    const leader = nodeAs('leader', { id: 1, voters });
    acknowledge(leader, 2);
    leader.core.readIndex(bytesOf('read'));
    leader.drain();

    for (const context of [bytesOf('x'), new Uint8Array(8).fill(255), new Uint8Array(300)]) {
      leader.receive(heartbeatResponse({ from: 2, to: 1, term: 1, context }));
    }

    expect(leader.takeReadStates()).toEqual([]);
  });

  test.each<{ readonly what: string; readonly configuration: Configuration; readonly event: 'invalid' | 'not-member' }>(
    [
      { what: 'without the node', configuration: votersOf(2, 3), event: 'not-member' },
      { what: 'of nobody', configuration: votersOf(), event: 'not-member' },
      {
        what: 'with a voter who is a learner',
        configuration: configurationOf([1], { learners: [1] }),
        event: 'invalid',
      },
      { what: 'with ids that do not ascend', configuration: votersOf(3, 1), event: 'invalid' },
      { what: 'with half an id', configuration: votersOf(0.5, 1), event: 'invalid' },
    ],
  )('a snapshot with a configuration $what takes no place (paper section 7)', ({ configuration, event }) => {
    const node = nodeIn('follower');

    const sent = node.receive(snapshotRequest({ from: 2, to: 1, term: 1, snapshot: snapshotOf(8, 1, configuration) }));

    expect(node.eventsOf(`snapshot-restore-${event}`)).toHaveLength(1);
    expect(node.status).toMatchObject({ lastIndex: 2, commit: 0, configuration: { voters } });
    expect(sent).toEqual([appendResponse({ from: 1, to: 2, term: 1, index: 0 })]);
  });

  test('a change of the configuration that is none becomes an entry for nobody', () => {
    const leader = nodeIn('leader');
    const data = new Uint8Array([200, 1, 2]);

    const outcome = leader.step({
      kind: 'propose',
      from: 2,
      to: 1,
      entries: [{ term: 0, index: 0, kind: 'config', data }],
    });
    leader.drain();

    expect(outcome).toMatchObject({ kind: 'appended', index: 4 });
    expect(leader.eventsOf('change-undecodable')).toMatchObject([{ entryKind: 'config' }]);
    expect(leader.storage.allEntries().at(-1)).toMatchObject({ kind: 'normal', data: new Uint8Array(0) });
  });
});

describe('bad input: assertions of our own', () => {
  test.each<{ readonly what: string; readonly role: Role; readonly message: PeerMessage }>([
    {
      what: 'a leader takes this node to have what it has not: it has forgotten something',
      role: 'follower',
      message: heartbeat({ from: 2, to: 1, term: 1, commit: 3 }),
    },
    {
      what: 'a follower has what its leader never had: it is of another group',
      role: 'leader',
      message: appendResponse({ from: 2, to: 1, term: 2, index: 4 }),
    },
    {
      what: 'entries do not follow each other',
      role: 'follower',
      message: appendRequest({ from: 2, to: 1, term: 1, prevIndex: 2, prevTerm: 1, entries: [entryOf(7, 1)] }),
    },
  ])('$what; the host’s check stops it before', ({ role, message }) => {
    const node = nodeIn(role);

    const flaw = findMessageFlaw(message, node.status);

    expect(flaw).toBeDefined();
    expect(() => node.receive(message)).toThrow(AssertionError);
  });
});

describe('bad input: random messages', () => {
  const SEEDS = 30;
  const MESSAGES = 120;

  /** Near what the node has, or far from anything. */
  function numberNear(random: SeededRandom, near: number): number {
    if (random.chance(0.1)) return random.pick([0, HUGE, HUGE - 1, 2 ** 52, 2 ** 32]);
    return Math.max(0, near + random.int(7) - 3);
  }

  /** As `numberNear`, and sometimes no number of ours. */
  function numberOf(random: SeededRandom, near: number): number {
    if (random.chance(0.05)) return random.pick([-1, 0.5, Number.NaN, Infinity, 2 ** 60]);
    return numberNear(random, near);
  }

  function configurationFrom(random: SeededRandom): Configuration {
    return random.pick([votersOf(1, 2, 3), votersOf(1, 2), votersOf(2, 3), configurationOf([2, 3], { learners: [1] })]);
  }

  /** Never a change of the configuration: what is in those that are committed is for the host to judge. */
  function messageFrom(random: SeededRandom, node: TestNode): PeerMessage {
    const { term: ownTerm, lastIndex: last, lastTerm } = node.status;
    const index = (): number => numberOf(random, last);
    const term = random.chance(0.9) ? ownTerm : numberOf(random, ownTerm);
    const between = { from: random.chance(0.9) ? 2 + random.int(2) : random.pick([1, STRANGER]), to: 1, term };
    const isRejected = random.chance(0.4);
    const isTransfer = random.chance(0.3);
    const known = { commit: index(), commitTerm: random.pick([term, lastTerm]) };
    const context = random.pick([bytesOf(''), bytesOf('read'), new Uint8Array(8), new Uint8Array(8).fill(1)]);
    const kind = random.pick(KINDS);
    switch (kind) {
      case 'vote':
      case 'pre-vote':
        return voteRequest(kind, { ...between, ...known, lastIndex: index(), lastTerm: term, isTransfer });
      case 'vote-response':
      case 'pre-vote-response':
        return voteResponse(kind, { ...between, ...known, isRejected });
      case 'append': {
        const prevIndex = random.chance(0.6) ? last : index();
        const terms = Array.from({ length: random.int(3) }, () => (random.chance(0.9) ? term : lastTerm));
        const entries = terms.map((one, i) => entryOf((random.chance(0.05) ? index() : prevIndex + 1) + i, one));
        return appendRequest({ ...between, prevIndex, prevTerm: lastTerm, entries, commit: index() });
      }
      case 'append-response':
        return appendResponse({ ...between, isRejected, index: index(), hintIndex: index(), hintTerm: term });
      case 'heartbeat':
        return heartbeat({ ...between, commit: index(), context });
      case 'heartbeat-response':
        return heartbeatResponse({ ...between, context });
      case 'snapshot':
        return snapshotRequest({ ...between, snapshot: snapshotOf(index(), term, configurationFrom(random)) });
      case 'read-index':
        return { kind, from: between.from, to: 1, context };
      case 'read-index-response':
        return { kind, ...between, index: index(), context };
      case 'transfer-leader':
      case 'timeout-now':
        return { kind, ...between };
    }
  }

  const KINDS = [
    'vote',
    'pre-vote',
    'vote-response',
    'pre-vote-response',
    'append',
    'append-response',
    'heartbeat',
    'heartbeat-response',
    'snapshot',
    'read-index',
    'read-index-response',
    'transfer-leader',
    'timeout-now',
  ] as const;

  function openNode(random: SeededRandom): TestNode {
    const options = { id: 1, voters, checkQuorum: random.chance(0.5), preVote: random.chance(0.5) };
    return new TestNode({ ...options, random: (limit) => random.int(limit), terms: [1, 1] });
  }

  /** What else a node does meanwhile. */
  function live(random: SeededRandom, node: TestNode): void {
    if (random.chance(0.2)) node.core.tick();
    if (random.chance(0.05)) node.core.campaign();
    if (random.chance(0.2)) node.core.propose([bytesOf('some')]);
    if (random.chance(0.1)) node.core.readIndex(bytesOf('read'));
    if (random.chance(0.7)) node.drain();
  }

  test('what the host’s check lets through never ends in an exception, whatever comes', { timeout: 60_000 }, () => {
    const base = seededRandom(testSeed());
    const seen = { refused: 0, taken: 0, led: 0 };

    for (let seed = 0; seed < SEEDS; seed++) {
      const random = base.fork(`host ${seed}`);
      const node = openNode(random);
      for (let i = 0; i < MESSAGES; i++) {
        const message = messageFrom(random, node);
        live(random, node);
        if (findMessageFlaw(message, node.status) === undefined) {
          node.step(message);
          seen.taken++;
        } else {
          seen.refused++;
        }
        if (node.status.role === 'leader') seen.led++;
      }
      node.drain();
    }

    // The run is void if there was little of anything.
    expect(seen.refused).toBeGreaterThan(300);
    expect(seen.taken).toBeGreaterThan(1500);
    expect(seen.led).toBeGreaterThan(100);
  });

  test('what it would not let through ends in an assertion of our own at the worst', { timeout: 60_000 }, () => {
    const base = seededRandom(testSeed());
    const errors: unknown[] = [];

    for (let seed = 0; seed < SEEDS; seed++) {
      const random = base.fork(`core ${seed}`);
      const node = openNode(random);
      try {
        for (let i = 0; i < MESSAGES; i++) {
          node.step(messageFrom(random, node));
          live(random, node);
        }
      } catch (error) {
        errors.push(error);
      }
    }

    expect(errors.filter((error) => !(error instanceof AssertionError))).toEqual([]);
    expect(errors.length).toBeGreaterThan(0);
  });
});
