/** Requests of protocol 2 to operations, and their results to responses. Scans and what is about the connection are the conversation's. */

import { assertNever, type DecodedRequest2, type RequestKind2, type Response2 } from '@kayadb/codec';

import type { Identity } from '../access/authorize.ts';
import { changeJson, type PlannedChange } from '../membership/membership-operations.ts';
import type { Attempt } from '../operations-2/attempt.ts';
import type { NodeOperations } from '../operations-2/node-operations.ts';
import { ServerError } from '../server-error.ts';

/** What the conversation answers itself. */
type ConversationKind = 'auth' | 'cancel' | 'scan' | 'more' | 'end-scan';

type AddMemberRequest2 = Extract<DecodedRequest2, { readonly kind: 'add-member' }>;
export type DispatchedRequest2 = Exclude<DecodedRequest2, { readonly kind: ConversationKind }>;

/** Who may send it on a connection beyond those that everybody may have, and which credential could be missing for it. */
const PLACE: Readonly<Record<RequestKind2 | 'unsupported', 'anybody' | 'data' | 'report' | 'operator'>> = {
  auth: 'anybody',
  cancel: 'anybody',
  health: 'anybody',
  unsupported: 'anybody',
  status: 'report',
  members: 'report',
  get: 'data',
  'get-many': 'data',
  write: 'data',
  scan: 'data',
  more: 'data',
  'end-scan': 'data',
  'open-session': 'data',
  'touch-session': 'data',
  'close-session': 'data',
  'add-member': 'operator',
  'promote-member': 'operator',
  'remove-member': 'operator',
  'transfer-leader': 'operator',
};

/** Whether a connection beyond the limit, kept for operators, may send it. */
export function isForOperators2({ kind }: DecodedRequest2): boolean {
  return PLACE[kind] !== 'data';
}

/**
 * Whether it may be refused for its credential: then nothing behind it is begun before it was answered, so that a connection that guesses tokens waits for
 * each refusal, which comes later each time, before the next guess is looked at.
 */
export function mayBeGuess({ kind }: DecodedRequest2, { client, operator }: Identity): boolean {
  if (kind === 'auth' || client === 'missing') return true;
  return PLACE[kind] === 'operator' && operator === 'missing';
}

/** Hands on to the operations in this turn. */
export async function dispatch2(
  request: DispatchedRequest2,
  identity: Identity,
  operations: NodeOperations,
  attempt: Attempt,
): Promise<Response2> {
  switch (request.kind) {
    case 'health':
      return operations.health(identity);
    case 'get':
      return { kind: 'row', row: await operations.get(identity, request.freshness, request.key, attempt) };
    case 'get-many':
      return { kind: 'rows', rows: await operations.getMany(identity, request.freshness, request.keys, attempt) };
    case 'write':
      return { kind: 'written', answer: await operations.write(identity, request.write, attempt) };
    case 'open-session':
      return { kind: 'session', ...(await operations.openSession(identity, request.expiryMs, attempt)) };
    case 'touch-session':
      await operations.touchSession(identity, request.session, attempt);
      return { kind: 'done' };
    case 'close-session':
      await operations.closeSession(identity, request.session, attempt);
      return { kind: 'done' };
    case 'status':
      return { kind: 'text', text: await operations.status(identity) };
    case 'members':
      return { kind: 'text', text: await operations.members(identity) };
    case 'add-member':
      return { kind: 'text', text: changeJson(await addMember(request, identity, operations, attempt)) };
    case 'promote-member': {
      const planned = await operations.promoteMember(identity, request.node, request, attempt);
      return { kind: 'text', text: changeJson(planned) };
    }
    case 'remove-member': {
      const planned = await operations.removeMember(identity, request.node, request, attempt);
      return { kind: 'text', text: changeJson(planned) };
    }
    case 'transfer-leader': {
      const leader = await operations.transferLeader(identity, request.node, attempt);
      return { kind: 'text', text: JSON.stringify({ leader }) };
    }
    case 'unsupported': {
      const message = `opcode ${request.opcode} is not known to this server; it knows 1 to 18`;
      throw new ServerError('KAYA_UNSUPPORTED', message);
    }
    default:
      return assertNever(request, 'request');
  }
}

function addMember(
  { node, peerAddress, clientAddress, staysLearner, isDryRun }: AddMemberRequest2,
  identity: Identity,
  operations: NodeOperations,
  attempt: Attempt,
): Promise<PlannedChange> {
  const member = { node, peerAddress, clientAddress, staysLearner };
  return operations.addMember(identity, member, { isDryRun }, attempt);
}
