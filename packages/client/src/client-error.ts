/** How a call of the client can fail, as stable codes. */

import { KayaError } from '@kayadb/codec';

export type ClientErrorCode =
  | 'KAYA_TIMEOUT'
  | 'KAYA_ABORTED'
  | 'KAYA_UNAVAILABLE'
  | 'KAYA_NOT_LEADER'
  | 'KAYA_UNAUTHORIZED'
  | 'KAYA_INVALID_ARGUMENT'
  | 'KAYA_SERVER'
  | 'KAYA_PROTOCOL'
  | 'KAYA_UNKNOWN_OUTCOME'
  | 'KAYA_TOO_MANY_REQUESTS'
  | 'KAYA_CLIENT_CLOSED'
  | 'KAYA_UNSUPPORTED'
  | 'KAYA_SESSION_EXPIRED'
  | 'KAYA_STALE_SERIAL'
  | 'KAYA_SCAN_ENDED'
  | 'KAYA_ANSWER_TOO_LARGE'
  | 'KAYA_DISK_FULL'
  | 'KAYA_NO_QUORUM'
  | 'KAYA_OVERLOADED'
  | 'KAYA_STOPPING'
  | 'KAYA_TOO_MANY_SCANS'
  | 'KAYA_MEMBERSHIP_REFUSED';

export interface ClientErrorOptions {
  readonly cause?: unknown;
  readonly isOutcomeUnknown?: boolean;
}

export class ClientError extends KayaError<ClientErrorCode> {
  /** The write was sent and not answered: it may have been applied, be applied later, or never be. */
  readonly isOutcomeUnknown: boolean;

  constructor(code: ClientErrorCode, message: string, options: ClientErrorOptions = {}) {
    super(code, message, { cause: options.cause });
    this.isOutcomeUnknown = options.isOutcomeUnknown ?? false;
  }
}

/** A write, or a change of the membership, of which at least one try was sent and not answered. */
export function unknownOutcome(cause: ClientError, what: 'write' | 'change' = 'write'): ClientError {
  const advice =
    what === 'write' ? 'read the key, or write it again' : 'look at the members before you ask for it again';
  const message = `it is not known whether the ${what} was applied: it was sent, and not answered (${cause.message}); ${advice}`;
  return new ClientError('KAYA_UNKNOWN_OUTCOME', message, { cause, isOutcomeUnknown: true });
}

/** KAYA_NOT_LEADER: the redirects, or the time for them, are used up. */
export class NotLeaderError extends ClientError {
  /** Where the last node said the leader is. */
  readonly leaderAddress: string | undefined;

  constructor(message: string, leaderAddress: string | undefined) {
    super('KAYA_NOT_LEADER', message);
    this.leaderAddress = leaderAddress;
  }
}

/** What is known of one operation of a failed batch: what was refused or not sent was not done, and will not be. */
export type BatchOperationState = 'acknowledged' | 'refused' | 'unknown' | 'not-sent';

/** A batch that did not succeed as a whole; code and cause are those of its first failed operation. */
export class BatchError extends ClientError {
  /** One state per operation, in the order they were given. */
  readonly states: readonly BatchOperationState[];

  constructor(failure: ClientError, states: readonly BatchOperationState[]) {
    const count = states.filter((state) => state === 'acknowledged').length;
    const message = `${count} of ${states.length} operations of the batch were acknowledged: ${failure.message}`;
    super(failure.code, message, { cause: failure, isOutcomeUnknown: states.includes('unknown') });
    this.states = states;
  }
}
