/**
 * Whether a message may be from a peer of this group at all: everything that could be wrong with its fields beside what the core decides. Pure.
 * Signatures of its own do not make a peer right: one whose disk was exchanged says things that cannot be.
 */

import { restoreMembership } from '../core/membership.ts';
import type { AppendRequest, Message, MessageKind, PeerMessage, SnapshotRequest } from '../core/message.ts';
import type { Role } from '../core/ready.ts';
import { APPLY_THREAD, type Entry, type LogIndex, type NodeId, type Term } from '../core/types.ts';
import type { MessageRefusal } from './node-events.ts';

/** What is known of this node when the message comes. */
export interface ReceiverView {
  readonly id: NodeId;
  readonly term: Term;
  readonly role: Role;
  readonly lastIndex: LogIndex;
}

export interface MessageFlaw {
  readonly refusal: MessageRefusal;
  readonly what: string;
}

/** A read's context as this package makes them has 24 bytes; other hosts may have longer ones. */
const MAX_CONTEXT_BYTES = 256;

/** Kinds that nodes send each other. Proposals are not among them: clients are redirected. */
const PEER_KINDS: ReadonlySet<MessageKind> = new Set<PeerMessage['kind']>([
  'append',
  'append-response',
  'heartbeat',
  'heartbeat-response',
  'pre-vote',
  'pre-vote-response',
  'read-index',
  'read-index-response',
  'snapshot',
  'timeout-now',
  'transfer-leader',
  'vote',
  'vote-response',
]);

/** `undefined` when nothing is wrong with it. */
export function findMessageFlaw(message: Message, receiver: ReceiverView): MessageFlaw | undefined {
  const { kind, from, to } = message;
  if (!PEER_KINDS.has(kind)) return { refusal: 'local-kind', what: `${kind} is not for peers` };
  if (to !== receiver.id) return { refusal: 'addressed-elsewhere', what: `it is for node ${to}` };
  if (from === receiver.id) return { refusal: 'addressed-elsewhere', what: 'it claims to be from this node' };
  if (!isIndex(from) || from < 1 || from >= APPLY_THREAD) return absurd(`${from} is no node`);
  return findFieldFlaw(message) ?? findClaimBeyondLog(message, receiver);
}

function findFieldFlaw(message: Message): MessageFlaw | undefined {
  for (const [name, value] of Object.entries(message)) {
    if (typeof value === 'number' && !isIndex(value)) return absurd(`${name} is ${value}`);
  }
  if ('term' in message && message.term < 1 && !isFromTheBeginning(message)) return absurd('its term is 0');
  if ('context' in message && message.context.byteLength > MAX_CONTEXT_BYTES) {
    return absurd(`its context has ${message.context.byteLength} bytes`);
  }
  if (message.kind === 'append') return findEntriesFlaw(message);
  if (message.kind === 'snapshot') return findSnapshotFlaw(message);
  return undefined;
}

/** A node that has seen no term yet refuses a question for a vote in term 0. */
function isFromTheBeginning(message: Message): boolean {
  return message.kind === 'pre-vote-response' && message.isRejected;
}

function findEntriesFlaw({ entries, prevIndex, prevTerm, term }: AppendRequest): MessageFlaw | undefined {
  if (prevTerm > term) return absurd(`prevTerm ${prevTerm} is above its term ${term}`);
  let before: Pick<Entry, 'index' | 'term'> = { index: prevIndex, term: prevTerm };
  for (const entry of entries) {
    if (entry.index !== before.index + 1 || !isIndex(entry.index)) {
      return absurd(`entry ${entry.index} follows ${before.index}`);
    }
    if (entry.term < before.term || entry.term > term || entry.term < 1 || !isIndex(entry.term)) {
      return absurd(
        `entry ${entry.index} is of term ${entry.term}, behind one of ${before.term}, in an append of ${term}`,
      );
    }
    before = entry;
  }
  return undefined;
}

function findSnapshotFlaw({ snapshot, term }: SnapshotRequest): MessageFlaw | undefined {
  const { index, term: lastTerm, configuration } = snapshot.meta;
  if (!isIndex(index) || index < 1) return absurd(`a snapshot ends at ${index}`);
  if (!isIndex(lastTerm) || lastTerm < 1 || lastTerm > term) {
    return absurd(`a snapshot's last term is ${lastTerm}, in a message of term ${term}`);
  }
  if (configuration.voters.length === 0) return absurd('a snapshot has no voters');
  const membership = restoreMembership(configuration);
  return membership.kind === 'refused' ? absurd(membership.reason) : undefined;
}

function findClaimBeyondLog(message: Message, receiver: ReceiverView): MessageFlaw | undefined {
  const claim = claimedIndex(message, receiver);
  if (claim <= receiver.lastIndex) return undefined;
  return { refusal: 'beyond-log', what: `it takes entry ${claim} to be here; the log ends at ${receiver.lastIndex}` };
}

/**
 * An index that the sender rightly takes to be in this node's log, 0 when there is none: a leader goes by what this node has acknowledged as durable, and a follower
 * acknowledges what this node has sent it as the leader of the term. A leader that has started again since may have lost its end of that, and does not lead any more.
 */
function claimedIndex(message: Message, { term, role }: ReceiverView): LogIndex {
  if (message.kind === 'heartbeat') return message.term >= term ? message.commit : 0;
  if (message.kind !== 'append-response' || message.isRejected) return 0;
  return role === 'leader' && message.term === term ? message.index : 0;
}

function absurd(what: string): MessageFlaw {
  return { refusal: 'absurd-field', what };
}

/** Half of what is exact: a term or an index that leaves room to go on from. */
const MAX_INDEX = 2 ** 52;

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < MAX_INDEX;
}
