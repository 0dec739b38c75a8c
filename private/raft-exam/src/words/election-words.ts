/** Log lines about lives, elections and terms. */

import type { ElectionEvent, ForgetEvent, LifeEvent, TermEvent } from '@kayadb/raft';
import { describeConfiguration } from '@kayadb/raft/testing';

import { MESSAGE_WORDS } from './message-kinds.ts';
import { hexId, type Words } from './words.ts';

const ROLE_NAMES = {
  follower: 'follower',
  'pre-candidate': 'pre-candidate',
  candidate: 'candidate',
  leader: 'leader',
} as const;

type Judgement = Extract<ElectionEvent, { readonly kind: 'vote-cast' | 'vote-rejected' | 'vote-ignored-in-lease' }>;

function judgement(node: string, event: Judgement, verb: string, preposition: string): string {
  const { last, vote, message, candidate, candidateLast, term } = event;
  const own = `${node} [logterm: ${last.term}, index: ${last.index}, vote: ${hexId(vote)}]`;
  const other = `${hexId(candidate)} [logterm: ${candidateLast.term}, index: ${candidateLast.index}]`;
  return `${own} ${verb} ${MESSAGE_WORDS[message]} ${preposition} ${other} at term ${term}`;
}

export const LIFE_WORDS: Words<LifeEvent | ForgetEvent> = {
  'core-created': ({ voters, term, commit, applied, last }, node) =>
    `newRaft ${node} [peers: [${voters.map(hexId).join(',')}], term: ${term}, commit: ${commit}, applied: ${applied}, ` +
    `lastindex: ${last.index}, lastterm: ${last.term}]`,
  'role-changed': ({ role, term }, node) => `${node} became ${ROLE_NAMES[role]} at term ${term}`,
  'configuration-switched': ({ configuration }, node) =>
    `${node} switched to configuration ${describeConfiguration(configuration)}`,
  'leader-forgotten': ({ leader, term }, node) => `${node} forgetting leader ${hexId(leader)} at term ${term}`,
  'forget-leader-refused-lease': () => 'ignoring MsgForgetLeader due to ReadOnlyLeaseBased',
};

export const ELECTION_WORDS: Words<ElectionEvent> = {
  'campaign-ignored-leader': (_event, node) => `${node} ignoring MsgHup because already leader`,
  'campaign-refused-unpromotable': (_event, node) => `${node} is unpromotable and can not campaign`,
  'campaign-unpromotable': (_event, node) => `${node} is unpromotable; campaign() should have been called`,
  'campaign-refused-unapplied-change': ({ term }, node) =>
    `${node} cannot campaign at term ${term} since there are still pending configuration changes to apply`,
  'election-started': ({ term }, node) => `${node} is starting a new election at term ${term}`,
  'vote-requested': ({ message, to, last, term }, node) =>
    `${node} [logterm: ${last.term}, index: ${last.index}] sent ${MESSAGE_WORDS[message]} request to ${hexId(to)} at term ${term}`,
  'vote-received': ({ message, from, isRejected, term }, node) =>
    `${node} received ${MESSAGE_WORDS[message]}${isRejected ? ' rejection' : ''} from ${hexId(from)} at term ${term}`,
  'votes-counted': ({ message, granted, rejected }, node) =>
    `${node} has received ${granted} ${MESSAGE_WORDS[message]} votes and ${rejected} vote rejections`,
  'vote-ignored-in-lease': (event, node) =>
    `${judgement(node, event, 'ignored', 'from')}: lease is not expired (remaining ticks: ${event.remainingTicks})`,
  'vote-cast': (event, node) => judgement(node, event, 'cast', 'for'),
  'vote-rejected': (event, node) => judgement(node, event, 'rejected', 'from'),
  'commit-learned': ({ commit, term }, node) =>
    `${node} learned from a vote at term ${term} that entry ${commit} is committed`,
  'quorum-inactive': (_event, node) => `${node} stepped down to follower since quorum is not active`,
};

export const TERM_WORDS: Words<TermEvent> = {
  'higher-term-received': ({ term, message, from, messageTerm }, node) =>
    `${node} [term: ${term}] received a ${MESSAGE_WORDS[message]} message with higher term from ${hexId(from)} [term: ${messageTerm}]`,
  'lower-term-ignored': ({ term, message, from, messageTerm }, node) =>
    `${node} [term: ${term}] ignored a ${MESSAGE_WORDS[message]} message with lower term from ${hexId(from)} [term: ${messageTerm}]`,
  'stale-append-ignored': ({ term, messageTerm }, node) =>
    `${node} [term: ${term}] ignored entry appends from a MsgStorageAppendResp message with lower term [term: ${messageTerm}]`,
};
