/**
 * Who is in a group after a change: pure, of the configuration in force (thesis chapter 4).
 *
 * Invariant: nobody is a voter and a learner at once. A voter of the outgoing half that is to be a learner stays a voter, and is noted in
 * `learnersNext`, until the joint configuration is left. A simple change changes one voter at most, so that any majority before it
 * meets any majority after it.
 */

import { type ConfigChange, type ConfigStep, decideMove } from './config-change.ts';
import { countDifference, isNodeList, unionOfNodes, withNode, withoutNode } from './node-list.ts';
import type { Configuration, NodeId } from './types.ts';

/** A configuration, and whose progress starts anew: of nodes that were added, or were removed and added again. */
export interface MembershipChange {
  readonly kind: 'changed';
  readonly configuration: Configuration;
  readonly fresh: readonly NodeId[];
}

/** Nothing changes. */
export interface MembershipRefusal {
  readonly kind: 'refused';
  /** For a log line. */
  readonly reason: string;
}

export type MembershipResult = MembershipChange | MembershipRefusal;

type Draft = {
  -readonly [Key in keyof Configuration]: Configuration[Key];
} & { fresh: readonly NodeId[] };

/** Whether a change is under way: decisions need both halves. */
export function isJoint(configuration: Configuration): boolean {
  return configuration.votersOutgoing.length > 0;
}

/** Everybody whose progress is followed. */
export function membersOf(configuration: Configuration): readonly NodeId[] {
  return unionOfNodes(configuration.voters, configuration.votersOutgoing, configuration.learners);
}

/** Carries out `change` in the way that it asks for. */
export function changeMembership(configuration: Configuration, change: ConfigChange): MembershipResult {
  const move = decideMove(change);
  switch (move.kind) {
    case 'simple':
      return changeSimply(configuration, change.steps);
    case 'enter-joint':
      return enterJoint(configuration, change.steps, move.autoLeave);
    case 'leave-joint':
      return leaveJoint(configuration);
  }
}

/** Any number of steps that change one voter at most in all (thesis section 4.1). Into an empty configuration too, so that a group can begin. */
export function changeSimply(configuration: Configuration, steps: readonly ConfigStep[]): MembershipResult {
  if (isJoint(configuration)) return refuse("can't apply simple config change in joint config");
  const draft = draftOf(configuration);
  applySteps(draft, steps);
  if (draft.voters.length === 0) return refuse('removed all voters');
  if (countDifference(configuration.voters, draft.voters) > 1) {
    return refuse('more than one voter changed without entering joint config');
  }
  return finish(draft);
}

/** From `(1 2)` to `(2 3)&&(1 2)`. */
export function enterJoint(
  configuration: Configuration,
  steps: readonly ConfigStep[],
  autoLeave: boolean,
): MembershipResult {
  if (isJoint(configuration)) return refuse('config is already joint');
  if (configuration.voters.length === 0) return refuse("can't make a zero-voter config joint");
  const draft = draftOf(configuration);
  draft.votersOutgoing = draft.voters;
  applySteps(draft, steps);
  if (draft.voters.length === 0) return refuse('removed all voters');
  draft.autoLeave = autoLeave;
  return finish(draft);
}

/** From `(2 3)&&(1 2)` to `(2 3)`. */
export function leaveJoint(configuration: Configuration): MembershipResult {
  if (!isJoint(configuration)) return refuse("can't leave a non-joint config");
  const { voters, learners, learnersNext } = configuration;
  return {
    kind: 'changed',
    configuration: {
      voters,
      votersOutgoing: [],
      learners: unionOfNodes(learners, learnersNext),
      learnersNext: [],
      autoLeave: false,
    },
    fresh: [],
  };
}

/** Takes a configuration from a snapshot or from a store, where it is one that changes can lead to: everybody's progress starts anew. */
export function restoreMembership(configuration: Configuration): MembershipResult {
  const flaw = findFlaw(configuration);
  if (flaw !== undefined) return refuse(flaw);
  return { kind: 'changed', configuration, fresh: membersOf(configuration) };
}

/** Why no change can lead to `configuration`, if so. The empty one is fine: a group begins with it. */
function findFlaw(configuration: Configuration): string | undefined {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = configuration;
  const lists = { voters, votersOutgoing, learners, learnersNext };
  for (const [name, ids] of Object.entries(lists)) {
    if (!isNodeList(ids)) return `${name} (${ids.join(' ')}) are not ascending ids`;
  }
  if (voters.length === 0 && membersOf(configuration).length > 0) return 'a group without voters has members';
  for (const id of learners) {
    if (voters.includes(id) || votersOutgoing.includes(id)) return `${id} is a learner and a voter`;
  }
  for (const id of learnersNext) {
    if (voters.includes(id)) return `${id} is to be a learner and to stay a voter`;
    if (!votersOutgoing.includes(id)) return `${id} is to become a learner and is no outgoing voter`;
  }
  return autoLeave && votersOutgoing.length === 0 ? 'a configuration that is not joint is to be left' : undefined;
}

function refuse(reason: string): MembershipRefusal {
  return { kind: 'refused', reason };
}

function draftOf(configuration: Configuration): Draft {
  return { ...configuration, fresh: [] };
}

function finish({ fresh, ...configuration }: Draft): MembershipChange {
  return { kind: 'changed', configuration, fresh };
}

function applySteps(draft: Draft, steps: readonly ConfigStep[]): void {
  for (const { kind, node } of steps) {
    if (node === 0) continue;
    if (kind === 'add-voter') addVoter(draft, node);
    else if (kind === 'add-learner') addLearner(draft, node);
    else if (kind === 'remove') remove(draft, node);
  }
}

function addVoter(draft: Draft, id: NodeId): void {
  if (!isMember(draft, id)) draft.fresh = withNode(draft.fresh, id);
  draft.learners = withoutNode(draft.learners, id);
  draft.learnersNext = withoutNode(draft.learnersNext, id);
  draft.voters = withNode(draft.voters, id);
}

function addLearner(draft: Draft, id: NodeId): void {
  if (!isMember(draft, id)) draft.fresh = withNode(draft.fresh, id);
  draft.voters = withoutNode(draft.voters, id);
  if (draft.votersOutgoing.includes(id)) draft.learnersNext = withNode(draft.learnersNext, id);
  else draft.learners = withNode(draft.learners, id);
}

function remove(draft: Draft, id: NodeId): void {
  draft.voters = withoutNode(draft.voters, id);
  draft.learners = withoutNode(draft.learners, id);
  draft.learnersNext = withoutNode(draft.learnersNext, id);
  draft.fresh = withoutNode(draft.fresh, id);
}

function isMember(draft: Draft, id: NodeId): boolean {
  return draft.voters.includes(id) || draft.votersOutgoing.includes(id) || draft.learners.includes(id);
}
