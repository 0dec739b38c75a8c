/** Brings a single node into a role, by the messages that lead there: the other members are played by the test. */

import type { Message } from '../src/core/message.ts';
import type { Role } from '../src/core/ready.ts';
import type { LogIndex, NodeId } from '../src/core/types.ts';
import { appendRequest, appendResponse, voteResponse } from '../src/testing/test-messages.ts';
import { TestNode, type TestNodeOptions } from '../src/testing/test-node.ts';

/** Campaigns, and gets every vote. */
export function electLeader(node: TestNode): TestNode {
  node.core.campaign();
  node.drain();
  if (node.status.role === 'pre-candidate') grantVotes(node);
  if (node.status.role === 'candidate') grantVotes(node);
  return node;
}

/** Every other voter answers the campaign that is on with yes, until that has led to something. */
export function grantVotes(node: TestNode): void {
  const { role, term, configuration } = node.status;
  for (const from of configuration.voters) {
    if (from === node.id || node.status.role !== role) continue;
    if (role === 'pre-candidate')
      node.receive(voteResponse('pre-vote-response', { from, to: node.id, term: term + 1 }));
    else node.receive(voteResponse('vote-response', { from, to: node.id, term }));
  }
}

/** `from` has the log of `leader` up to `index`, or all of it. @returns What the leader has to say to that. */
export function acknowledge(leader: TestNode, from: NodeId, index?: LogIndex): readonly Message[] {
  const { term, lastIndex } = leader.status;
  return leader.receive(appendResponse({ from, to: leader.id, term, index: index ?? lastIndex }));
}

/** Everybody has all of the leader's log, and knows it to be committed. */
export function acknowledgeAll(leader: TestNode): void {
  for (const id of leader.status.progress.keys()) {
    if (id !== leader.id) acknowledge(leader, id);
  }
}

/** A leader whose first entry is committed, with nothing on its way. */
export function settledLeader(options: TestNodeOptions): TestNode {
  const leader = electLeader(new TestNode(options));
  acknowledgeAll(leader);
  return leader;
}

/** A node in `role`. A follower knows its leader: the first other voter. */
export function nodeAs(role: Role, options: TestNodeOptions): TestNode {
  const node = new TestNode({ ...options, preVote: options.preVote ?? role === 'pre-candidate' });
  switch (role) {
    case 'leader':
      return electLeader(node);
    case 'candidate':
      node.core.campaign();
      node.drain();
      if (node.status.role === 'pre-candidate') grantVotes(node);
      return node;
    case 'pre-candidate':
      node.core.campaign();
      node.drain();
      return node;
    case 'follower': {
      const from = node.status.configuration.voters.find((id) => id !== node.id) ?? 0;
      node.receive(appendRequest({ from, to: node.id, term: Math.max(node.status.term, 1) }));
      return node;
    }
  }
}
