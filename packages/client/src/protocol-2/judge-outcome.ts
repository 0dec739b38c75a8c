/**
 * What the outcome of one try means for its request: the answer, the end, or another try. A pure decision.
 *
 * Invariant: a try counts as not done only where its node said so, or nothing of it was sent.
 */

import {
  assertNever,
  DecodeError,
  type OkResponse2,
  ProtocolError,
  type Refusal2,
  type Response2,
} from '@kayadb/codec';

import { ClientError, type ClientErrorCode, NotLeaderError } from '../client-error.ts';
import type { ExchangeOutcome } from '../exchange.ts';
import type { FailureKind2 } from './decide-retry.ts';

export type Verdict =
  | { readonly kind: 'answered'; readonly response: OkResponse2 }
  /** Saying it again does not help. */
  | { readonly kind: 'refused'; readonly error: ClientError; readonly isUnknown: boolean }
  | {
      readonly kind: FailureKind2;
      readonly error: ClientError;
      /** It may have been done. */
      readonly isUnknown: boolean;
      /** Another node is to be asked. */
      readonly isNodesFault: boolean;
    };

/** Codes that the client passes on as its own; any other becomes KAYA_SERVER. */
const PASSED: ReadonlySet<string> = new Set<ClientErrorCode>([
  'KAYA_INVALID_ARGUMENT',
  'KAYA_UNSUPPORTED',
  'KAYA_SESSION_EXPIRED',
  'KAYA_STALE_SERIAL',
  'KAYA_SCAN_ENDED',
  'KAYA_ANSWER_TOO_LARGE',
  'KAYA_DISK_FULL',
  'KAYA_NO_QUORUM',
  'KAYA_OVERLOADED',
  'KAYA_STOPPING',
  'KAYA_TOO_MANY_SCANS',
  'KAYA_MEMBERSHIP_REFUSED',
]);

/** The same node may take it later. */
const BUSY: ReadonlySet<string> = new Set(['KAYA_OVERLOADED', 'KAYA_TOO_MANY_SCANS']);

/** Another node may take it now. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'KAYA_STOPPING',
  'KAYA_NO_QUORUM',
  'KAYA_DEADLINE',
  'KAYA_REMOVED',
  'KAYA_TOO_MANY_CONNECTIONS',
  'KAYA_STATE_REPLACED',
]);

/** @param where - The node, for errors. */
export function judgeOutcome(outcome: ExchangeOutcome<Response2>, where: string, timeoutMs: number): Verdict {
  switch (outcome.kind) {
    case 'answered':
      return outcome.response.kind === 'refused'
        ? judgeRefusal(outcome.response, where)
        : { kind: 'answered', response: outcome.response };
    case 'unsent':
    case 'lost':
      return judgeLoss(outcome.cause, outcome.kind === 'lost', where);
    case 'malformed':
      return { kind: 'refused', error: notUnderstood(where, outcome.cause), isUnknown: true };
    case 'abandoned': {
      const error = new ClientError('KAYA_TIMEOUT', `no answer from ${where} within ${timeoutMs} ms`);
      return { kind: 'failed', error, isUnknown: outcome.wasSent, isNodesFault: true };
    }
    default:
      return assertNever(outcome, 'outcome');
  }
}

function judgeLoss(cause: unknown, wasSent: boolean, where: string): Verdict {
  // The node is there, and will say the same the next time.
  if (cause instanceof ClientError && cause.code === 'KAYA_UNAUTHORIZED') {
    return { kind: 'refused', error: cause, isUnknown: false };
  }
  if (!wasSent && (cause instanceof DecodeError || cause instanceof ProtocolError)) {
    return { kind: 'failed', error: notUnderstood(where, cause), isUnknown: false, isNodesFault: true };
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  const error = new ClientError('KAYA_UNAVAILABLE', `no answer from ${where}: ${reason}`, { cause });
  return { kind: 'failed', error, isUnknown: wasSent, isNodesFault: true };
}

function notUnderstood(where: string, cause: unknown): ClientError {
  const message = `${where} sent an answer that is not KayaDB's; is it a KayaDB client port?`;
  return new ClientError('KAYA_PROTOCOL', message, { cause });
}

function judgeRefusal({ code, message, outcome, leaderAddress }: Refusal2, where: string): Verdict {
  const isUnknown = outcome === 'unknown';
  if (code === 'KAYA_NOT_LEADER') {
    const hint = leaderAddress === undefined ? 'and knows none' : `and names ${leaderAddress}`;
    const error = new NotLeaderError(`${where} is not the leader ${hint}`, leaderAddress);
    const kind = leaderAddress === undefined ? 'leaderless' : 'redirected';
    return { kind, error, isUnknown, isNodesFault: false };
  }
  const error = errorOf(code, message);
  if (BUSY.has(code)) return { kind: 'failed', error, isUnknown, isNodesFault: false };
  if (isUnknown || ELSEWHERE.has(code)) {
    return { kind: 'failed', error, isUnknown, isNodesFault: true };
  }
  return { kind: 'refused', error, isUnknown };
}

function errorOf(code: string, message: string): ClientError {
  if (code === 'KAYA_ACCESS_DENIED') {
    return new ClientError('KAYA_UNAUTHORIZED', `the server refused the credential: ${message}`);
  }
  if (code === 'KAYA_DEADLINE')
    return new ClientError('KAYA_TIMEOUT', `the server could not answer in time: ${message}`);
  if (PASSED.has(code)) return new ClientError(code as ClientErrorCode, `the server refused the request: ${message}`);
  return new ClientError('KAYA_SERVER', `the server could not do it: ${code}: ${message}`);
}
