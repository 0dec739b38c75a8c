import { NO_NODE, type NodeId } from '@kayadb/raft';
import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { EarlyCampaign } from './early-campaign.ts';

const TURN_MS = 100;

/** Nodes 1 to 3, of which 3 leads in term 5. */
function openWorld(id: NodeId) {
  const state = { leader: 3, term: 5, campaigns: 0 };
  const clock = new VirtualClock();
  const node: ConstructorParameters<typeof EarlyCampaign>[0]['node'] = {
    id,
    summary: () => ({
      id,
      term: state.term,
      vote: NO_NODE,
      role: 'follower',
      leader: state.leader,
      commit: 0,
      applying: 0,
      applied: 0,
      lastIndex: 0,
      configuration: { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
    }),
    forgetLeader: () => {
      state.leader = NO_NODE;
    },
    campaign: () => {
      state.campaigns++;
    },
  };
  return { state, clock, early: new EarlyCampaign({ node, clock, random: () => 0.5, turnMs: TURN_MS }) };
}

describe('EarlyCampaign', () => {
  test('begins soon when the connection of the leader has ended, and only then', () => {
    const { state, clock, early } = openWorld(1);

    early.handleGone(2);
    clock.advance(TURN_MS);
    const behindOther = { ...state };
    early.handleGone(3);
    clock.advance(TURN_MS * 0.2);

    expect(behindOther).toEqual({ leader: 3, term: 5, campaigns: 0 });
    expect(state).toEqual({ leader: NO_NODE, term: 5, campaigns: 1 });
  });

  test('leaves the first turn to the voter with the smallest id, and takes the next one', () => {
    const { state, clock, early } = openWorld(2);

    early.handleGone(3);
    clock.advance(TURN_MS);
    const inFirstTurn = state.campaigns;
    clock.advance(TURN_MS * 0.2);

    expect([inFirstTurn, state.campaigns]).toEqual([0, 1]);
  });

  test('leaves it to the voters', () => {
    const { state, clock, early } = openWorld(4);

    early.handleGone(3);
    clock.advance(10 * TURN_MS);

    expect(state).toEqual({ leader: NO_NODE, term: 5, campaigns: 0 });
  });

  test.each([
    ['it has voted in a newer term', { leader: NO_NODE, term: 6 }],
    ['somebody leads', { leader: 1, term: 5 }],
  ])('does not begin when meanwhile %s', (_, meanwhile) => {
    const { state, clock, early } = openWorld(2);

    early.handleGone(3);
    Object.assign(state, meanwhile);
    clock.advance(2 * TURN_MS);

    expect(state.campaigns).toBe(0);
  });
});
