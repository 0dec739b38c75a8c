/** Why the group did not do what it was asked to. Codes are listed in docs/reference/errors.md. */

import { KayaError, type RefusalOutcome } from '@kayadb/codec';

export type ReplicaErrorCode =
  | 'KAYA_NOT_LEADER'
  | 'KAYA_UNKNOWN_OUTCOME'
  | 'KAYA_OVERLOADED'
  | 'KAYA_NO_QUORUM'
  | 'KAYA_SESSION_EXPIRED'
  | 'KAYA_STALE_SERIAL'
  | 'KAYA_DISK_FULL'
  | 'KAYA_STOPPING'
  | 'KAYA_REMOVED';

export interface ReplicaErrorDetails {
  readonly cause?: unknown;
  /** Where clients reach the leader, when that is what the error is about and it is known. */
  readonly leaderAddress?: string | undefined;
}

export class ReplicaError extends KayaError<ReplicaErrorCode> {
  readonly leaderAddress: string | undefined;

  constructor(code: ReplicaErrorCode, message: string, { cause, leaderAddress }: ReplicaErrorDetails = {}) {
    super(code, message, { cause });
    this.leaderAddress = leaderAddress;
  }

  /** Of what was asked for. */
  get outcome(): RefusalOutcome {
    return this.code === 'KAYA_UNKNOWN_OUTCOME' ? 'unknown' : 'not-done';
  }
}
