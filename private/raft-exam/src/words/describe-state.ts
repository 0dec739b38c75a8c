/** Configurations of snapshots, hard states and roles in the words of scripts. */

import { type Configuration, EMPTY_HARD_STATE, type HardState, NO_NODE, type Role, type Snapshot } from '@kayadb/raft';

export const ROLE_WORDS: { readonly [Name in Role]: string } = {
  follower: 'StateFollower',
  'pre-candidate': 'StatePreCandidate',
  candidate: 'StateCandidate',
  leader: 'StateLeader',
};

/** `Index:11 Term:1 ConfState:Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false`. */
export function describeSnapshot(snapshot: Snapshot): string {
  const { index, term, configuration } = snapshot.meta;
  return `Index:${index} Term:${term} ConfState:${describeMembers(configuration)}`;
}

function describeMembers(configuration: Configuration): string {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = configuration;
  const lists = { Voters: voters, VotersOutgoing: votersOutgoing, Learners: learners, LearnersNext: learnersNext };
  const words = Object.entries(lists).map(([name, ids]) => `${name}:[${ids.join(' ')}]`);
  return `${words.join(' ')} AutoLeave:${autoLeave}`;
}

/** `Term:1 Vote:1 Commit:11`; without a vote when there is none. */
export function describeHardState({ term, vote, commit }: HardState): string {
  return `Term:${term}${vote === NO_NODE ? '' : ` Vote:${vote}`} Commit:${commit}`;
}

/** Whether there is nothing in it to be stored. */
export function isEmptyHardState(state: HardState): boolean {
  return (
    state.term === EMPTY_HARD_STATE.term &&
    state.vote === EMPTY_HARD_STATE.vote &&
    state.commit === EMPTY_HARD_STATE.commit
  );
}
