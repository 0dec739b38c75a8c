/**
 * Errors to refusals of protocol 2. What a client can act on is said in full; what happened inside the node is left to `describeFault`.
 *
 * Invariant: `not-done` is said only where that is certain: of what was not proposed, and of what the group says so.
 */

import type { Refusal2, RefusalOutcome } from '@kayadb/codec';

import { MachineError } from '../machine/machine-error.ts';
import { describeFault, type ErrorWeight } from '../protocol/fault-sentence.ts';
import { ReplicaError } from '../replica/replica-error.ts';
import { describeReplicaError, STATE_REPLACED } from '../replica/replica-sentence.ts';
import { ServerError } from '../server-error.ts';

export interface MappedRefusal {
  readonly response: Refusal2;
  readonly weight: ErrorWeight;
}

export interface RefusedRequest {
  /** Appears in the log beside the whole error. */
  readonly correlationId: string;
  /** Whether it was handed to the group. */
  readonly isProposed: boolean;
}

export function mapRefusal(error: unknown, { correlationId, isProposed }: RefusedRequest): MappedRefusal {
  if (error instanceof ServerError) return { response: refuse(error.code, error.message), weight: 'refusal' };
  if (error instanceof ReplicaError) {
    const { code, outcome, leaderAddress } = error;
    return { response: refuse(code, describeReplicaError(error), outcome, leaderAddress), weight: 'refusal' };
  }
  if (error instanceof MachineError && error.code === 'KAYA_STATE_REPLACED') {
    return { response: refuse(error.code, STATE_REPLACED), weight: 'refusal' };
  }
  const { code, sentence, weight } = describeFault(error, correlationId);
  return { response: refuse(code, sentence, isProposed ? 'unknown' : 'not-done'), weight };
}

export function refuse(
  code: string,
  message: string,
  outcome: RefusalOutcome = 'not-done',
  leaderAddress?: string,
): Refusal2 {
  return {
    kind: 'refused',
    code,
    outcome,
    message,
    leaderAddress: code === 'KAYA_NOT_LEADER' ? leaderAddress : undefined,
  };
}
