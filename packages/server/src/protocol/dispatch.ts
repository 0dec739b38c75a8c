/** Requests of protocol v1 to operations, and their results to responses. */

import { assertNever, type DecodedRequest, type HelloRequest, type Response } from '@kayadb/codec';

import type { Identity } from '../access/authorize.ts';
import type { V1Operations } from '../operations/v1-operations.ts';
import type { Lane } from './request-lanes.ts';

/**
 * A scan is alone because its answer may weigh 64 MiB. So is whatever may be refused for its credential: a connection
 * that guesses tokens waits for each refusal, which comes later each time, before the next guess is looked at.
 */
export function laneOf(request: DecodedRequest, identity: Identity): Lane {
  const isStranger = identity.client === 'missing' || identity.client === 'wrong';
  if (isStranger) return 'alone';
  switch (request.kind) {
    case 'put':
    case 'delete':
      return 'write';
    case 'scan':
    case 'add-member':
    case 'remove-member':
    case 'transfer-leader':
    case 'promote-learner':
      return 'alone';
    case 'hello':
    case 'get':
    case 'health':
    case 'stats':
    case 'unsupported':
      return 'read';
    default:
      return assertNever(request, 'request');
  }
}

/** Whether a connection beyond the limit, kept for operators, may send it. */
export function isForOperators(request: DecodedRequest): boolean {
  switch (request.kind) {
    case 'hello':
    case 'health':
    case 'stats':
    case 'add-member':
    case 'remove-member':
    case 'transfer-leader':
    case 'promote-learner':
      return true;
    case 'put':
    case 'get':
    case 'delete':
    case 'scan':
    case 'unsupported':
      return false;
    default:
      return assertNever(request, 'request');
  }
}

/** @param signal - Ends a scan early when nobody will read its answer. */
export async function dispatch(
  request: Exclude<DecodedRequest, HelloRequest>,
  identity: Identity,
  operations: V1Operations,
  signal: AbortSignal,
): Promise<Response> {
  switch (request.kind) {
    case 'put':
      await operations.put(identity, request.key, request.value);
      return { kind: 'done' };
    case 'get': {
      const value = await operations.get(identity, request.key);
      return value === undefined ? { kind: 'not-found' } : { kind: 'value', value };
    }
    case 'delete':
      await operations.delete(identity, request.key);
      return { kind: 'done' };
    case 'scan':
      return { kind: 'items', items: await operations.scan(identity, request.prefix, signal) };
    case 'health':
      return { kind: 'role', role: operations.health(identity) };
    case 'stats':
      return { kind: 'text', text: await operations.stats(identity) };
    case 'add-member':
      return { kind: 'text', text: await operations.addMember(identity, request) };
    case 'remove-member':
      return { kind: 'text', text: await operations.removeMember(identity, request.id) };
    case 'transfer-leader':
      await operations.transferLeader(identity, request);
      return { kind: 'done' };
    case 'promote-learner':
      return { kind: 'text', text: await operations.promoteLearner(identity, request.id) };
    case 'unsupported':
      return {
        kind: 'error',
        message: `opcode ${request.opcode} is not supported by this server; it knows 0 to 8, 18 and 19`,
      };
    default:
      return assertNever(request, 'request');
  }
}
