/** Whether enough voters of a configuration, in both halves of a joint one, are of a kind. Counts plainly, since it judges code that counts cleverly. */

import type { Configuration, NodeId } from '@kayadb/raft';

export function isQuorum(configuration: Configuration, isOne: (id: NodeId) => boolean): boolean {
  const { voters, votersOutgoing } = configuration;
  return isMajority(voters, isOne) && (votersOutgoing.length === 0 || isMajority(votersOutgoing, isOne));
}

function isMajority(voters: readonly NodeId[], isOne: (id: NodeId) => boolean): boolean {
  return voters.filter(isOne).length * 2 > voters.length;
}
