/** Log lines about proposals, changes of membership, transfers of leadership, and reads. */

import type { ChangeRefusal, ConfigChange, ProposalEvent, ReadEvent, TransferEvent } from '@kayadb/raft';
import { describeConfiguration } from '@kayadb/raft/testing';

import { ROLE_WORDS } from './describe-state.ts';
import { quote } from './quote.ts';
import { hexId, type Words } from './words.ts';

const DROPPED = 'raft proposal dropped';

const TRANSITION_WORDS = {
  auto: 'ConfChangeTransitionAuto',
  implicit: 'ConfChangeTransitionJointImplicit',
  explicit: 'ConfChangeTransitionJointExplicit',
} as const;

const STEP_WORDS = {
  'add-voter': 'ConfChangeAddNode',
  'add-learner': 'ConfChangeAddLearnerNode',
  remove: 'ConfChangeRemoveNode',
  update: 'ConfChangeUpdateNode',
} as const;

export const PROPOSAL_WORDS: Words<ProposalEvent | ReadEvent> = {
  'proposal-dropped-no-leader': ({ term }, node) => `${node} no leader at term ${term}; dropping proposal`,
  'proposal-not-forwarded': ({ leader, term }, node) =>
    `${node} not forwarding to leader ${hexId(leader)} at term ${term}; dropping proposal`,
  'proposal-dropped-transferring': ({ target, term }, node) =>
    `${node} [term ${term}] transfer leadership to ${hexId(target)} is in progress; dropping proposal`,
  'proposal-dropped-quota': (_event, node) =>
    `${node} appending new entries to log would exceed uncommitted entry size limit; dropping proposal`,
  'change-refused': ({ change, configuration, refusal }, node) =>
    `${node} ignoring conf change ${describeChange(change)} at config ${describeConfiguration(configuration)}: ` +
    describeRefusal(refusal),
  'change-undecodable': (_event, node) => `${node} ignoring conf change that cannot be decoded`,
  'auto-leave-started': ({ configuration }) =>
    `initiating automatic transition out of joint configuration ${describeConfiguration(configuration)}`,
  'auto-leave-dropped': ({ configuration }) =>
    `not initiating automatic transition out of joint configuration ${describeConfiguration(configuration)}: ${DROPPED}`,
  'read-dropped-no-leader': ({ term }, node) => `${node} no leader at term ${term}; dropping index reading msg`,
};

export const TRANSFER_WORDS: Words<TransferEvent> = {
  'transfer-dropped-no-leader': ({ term }, node) => `${node} no leader at term ${term}; dropping leader transfer msg`,
  'transfer-ignored-learner': (_event, node) => `${node} is learner. Ignored transferring leadership`,
  'transfer-ignored-self': (_event, node) => `${node} is already leader. Ignored transferring leadership to self`,
  'transfer-ignored-repeated': ({ target, term }, node) =>
    `${node} [term ${term}] transfer leadership to ${hexId(target)} is in progress, ignores request to same node ${hexId(target)}`,
  'transfer-aborted': ({ target, term }, node) =>
    `${node} [term ${term}] abort previous transferring leadership to ${hexId(target)}`,
  'transfer-started': ({ target, term }, node) =>
    `${node} [term ${term}] starts to transfer leadership to ${hexId(target)}`,
  'timeout-now-sent-at-once': ({ target }, node) =>
    `${node} sends MsgTimeoutNow to ${hexId(target)} immediately as ${hexId(target)} already has up-to-date log`,
  'timeout-now-sent-caught-up': ({ target }, node) =>
    `${node} sent MsgTimeoutNow to ${hexId(target)} after received MsgAppResp`,
  'timeout-now-received': ({ from, term }, node) =>
    `${node} [term ${term}] received MsgTimeoutNow from ${hexId(from)} and starts an election to get leadership.`,
  'timeout-now-ignored': ({ from, role, term }, node) =>
    `${node} [term ${term} state ${ROLE_WORDS[role]}] ignored MsgTimeoutNow from ${hexId(from)}`,
};

/** One of the older form as the newer one that does the same. */
function describeChange({ transition, steps, context }: ConfigChange): string {
  return [
    `transition:${TRANSITION_WORDS[transition]}`,
    ...steps.map(({ kind, node }) => `changes:{type:${STEP_WORDS[kind]} node_id:${node}}`),
    ...(context.length > 0 ? [`context:${quote(context)}`] : []),
  ].join(' ');
}

function describeRefusal(refusal: ChangeRefusal): string {
  switch (refusal.kind) {
    case 'pending':
      return `possible unapplied conf change at index ${refusal.index} (applied to ${refusal.applied})`;
    case 'joint':
      return 'must transition out of joint config first';
    case 'not-joint':
      return 'not in joint state; refusing empty conf change';
  }
}
