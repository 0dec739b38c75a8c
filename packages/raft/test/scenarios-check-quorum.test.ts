/** Leaders that hear of no majority step down, and who hears of a leader refuses votes (thesis sections 6.2 and 4.2.3). */

import { describe, expect, test } from 'vitest';

import type { Role } from '../src/core/ready.ts';
import { Network, networkOf } from '../src/testing/network.ts';
import { heartbeat, heartbeatResponse } from '../src/testing/test-messages.ts';
import { TestNode } from '../src/testing/test-node.ts';
import { electLeader } from './elect.ts';

const electionTicks = 10;
const voters = [1, 2, 3];
const checkQuorum = true;

function rolesIn(network: Network): readonly Role[] {
  return network.nodes.map(({ status }) => status.role);
}

function termsIn(network: Network): readonly number[] {
  return network.nodes.map(({ status }) => status.term);
}

/** So long that these scenarios do not get there. */
const NEVER = 1000;

/** Time goes on for `id` alone, until it may vote for others; it does not campaign, and what it says meanwhile is lost. */
function outwait(network: Network, id: number): void {
  const node = network.node(id);
  node.core.setRandomizedElectionTicks(NEVER);
  node.tickAndDrain(electionTicks);
}

describe('a leader and its quorum (thesis section 6.2)', () => {
  test('LeaderStepdownWhenQuorumActive: a leader that is answered goes on', () => {
    const leader = electLeader(new TestNode({ id: 1, voters, electionTicks, checkQuorum }));

    for (let i = 0; i <= 3 * electionTicks; i++) {
      leader.receive(heartbeatResponse({ from: 2, to: 1, term: 1 }));
      leader.tick();
    }

    expect(leader.status).toMatchObject({ role: 'leader', term: 1 });
  });

  test('LeaderStepdownWhenQuorumLost: a leader that is not answered steps down, within two election timeouts', () => {
    const leader = electLeader(new TestNode({ id: 1, voters, electionTicks, checkQuorum }));

    // The vote that it got was an answer too, so the first check may find a quorum.
    leader.tickAndDrain(2 * electionTicks - 1);

    expect(leader.eventsOf('quorum-inactive')).toHaveLength(1);
    expect(leader.status).toMatchObject({ role: 'follower', term: 1, leader: 0 });
  });

  test('each period counts for itself: an answer of the period before does not keep a leader', () => {
    const leader = electLeader(new TestNode({ id: 1, voters, electionTicks, checkQuorum }));

    leader.receive(heartbeatResponse({ from: 2, to: 1, term: 1 }));
    leader.tickAndDrain(electionTicks);
    const afterFirst = leader.status.role;
    leader.tickAndDrain(electionTicks);

    expect(afterFirst).toBe('leader');
    expect(leader.eventsOf('quorum-inactive')).toHaveLength(1);
  });
});

describe('votes while a leader is heard of (thesis section 4.2.3)', () => {
  test("LeaderSupersedingWithCheckQuorum: a vote is refused until the voter's own timeout has passed", () => {
    const network = networkOf(3, { electionTicks, checkQuorum });
    outwait(network, 2);
    network.campaign(1);
    expect(rolesIn(network)).toEqual(['leader', 'follower', 'follower']);

    network.campaign(3);
    const refused = network.status(3).role;
    outwait(network, 2);
    network.campaign(3);

    expect(refused).toBe('candidate');
    expect(network.node(2).eventsOf('vote-ignored-in-lease')).toHaveLength(1);
    expect(rolesIn(network)).toEqual(['follower', 'follower', 'leader']);
  });

  test('LeaderElectionWithCheckQuorum: the first election works at once, and a later one when the timeouts have passed', () => {
    const network = networkOf(3, { electionTicks, checkQuorum });

    network.campaign(1);
    const first = rolesIn(network);
    // The leader finds its quorum active and goes on; a vote of node 2 is enough.
    outwait(network, 1);
    outwait(network, 2);
    network.campaign(3);

    expect(first).toEqual(['leader', 'follower', 'follower']);
    expect(rolesIn(network)).toEqual(['follower', 'follower', 'leader']);
  });

  test('FreeStuckCandidateWithCheckQuorum: a leader catches up with the term of a candidate that cannot win', () => {
    const network = networkOf(3, { electionTicks, checkQuorum });
    outwait(network, 2);
    network.campaign(1);
    network.isolate(1);

    network.campaign(3);
    const once = network.status(3);
    network.campaign(3);
    const twice = network.status(3);
    network.recover();
    network.send(heartbeat({ from: 1, to: 3, term: network.status(1).term }));
    const freed = network.status(1);
    network.campaign(3);

    expect(once).toMatchObject({ role: 'candidate', term: 2 });
    expect(twice).toMatchObject({ role: 'candidate', term: 3 });
    expect(freed).toMatchObject({ role: 'follower', term: 3 });
    expect(network.status(3)).toMatchObject({ role: 'leader', term: 4 });
  });

  test('NonPromotableVoterWithCheckQuorum: a node outside of its own configuration votes and follows', () => {
    const common = { electionTicks, checkQuorum };
    const outside = new TestNode({ id: 2, voters: [1], ...common });
    const network = new Network([new TestNode({ id: 1, voters: [1, 2], ...common }), outside]);
    const alone = outside.tickAndDrain(3 * electionTicks);

    network.campaign(1);

    expect(alone).toEqual([]);
    expect(rolesIn(network)).toEqual(['leader', 'follower']);
    expect(network.status(2)).toMatchObject({ leader: 1, term: 1 });
  });

  test('DisruptiveFollower: a follower that heard of its leader too late deposes it, when a heartbeat comes after all', () => {
    const network = networkOf(3, { electionTicks, checkQuorum });
    network.campaign(1);
    const slow = network.node(3);

    slow.tick(electionTicks);
    slow.drain();
    const before = { roles: rolesIn(network), terms: termsIn(network) };
    network.send(heartbeat({ from: 1, to: 3, term: 1 }));

    expect(before).toEqual({ roles: ['leader', 'follower', 'candidate'], terms: [1, 1, 2] });
    expect(rolesIn(network)).toEqual(['follower', 'follower', 'candidate']);
    expect(termsIn(network)).toEqual([2, 1, 2]);
  });

  test('DisruptiveFollowerPreVote: asking before prevents that (thesis section 9.6)', () => {
    const network = networkOf(3, { electionTicks, checkQuorum, preVote: true });
    network.campaign(1);
    network.isolate(3);
    for (const text of ['a', 'b', 'c']) network.propose(1, text);
    network.recover();

    network.campaign(3);
    const asking = rolesIn(network);
    network.send(heartbeat({ from: 1, to: 3, term: 1 }));

    expect(asking).toEqual(['leader', 'follower', 'pre-candidate']);
    expect(rolesIn(network)).toEqual(['leader', 'follower', 'follower']);
    expect(termsIn(network)).toEqual([1, 1, 1]);
  });
});
