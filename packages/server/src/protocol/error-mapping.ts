/**
 * Errors to refusals of protocol v1. What a client can act on is said in full; what happened inside the node is left to `describeFault`.
 */

import type { RefusalResponse } from '@kayadb/codec';

import { MachineError } from '../machine/machine-error.ts';
import { ReplicaError } from '../replica/replica-error.ts';
import { describeReplicaError, STATE_REPLACED } from '../replica/replica-sentence.ts';
import { ServerError, type ServerErrorCode } from '../server-error.ts';
import { describeFault, type ErrorWeight } from './fault-sentence.ts';

export interface MappedError {
  readonly response: RefusalResponse;
  readonly weight: ErrorWeight;
}

/** Sending the request again does not help. */
const HELPLESS: readonly ServerErrorCode[] = ['KAYA_INVALID_ARGUMENT', 'KAYA_SCAN_TOO_LARGE'];

/** @param correlationId - Appears in the log beside the whole error. */
export function mapError(error: unknown, correlationId: string): MappedError {
  if (error instanceof ServerError) return { response: refusalOf(error), weight: 'refusal' };
  if (error instanceof ReplicaError) {
    return { response: replicaRefusalOf(error), weight: 'refusal' };
  }
  if (error instanceof MachineError && error.code === 'KAYA_STATE_REPLACED') {
    return { response: refuse(error.code, STATE_REPLACED), weight: 'refusal' };
  }
  const { code, sentence, weight } = describeFault(error, correlationId);
  return { response: refuse(code, sentence), weight };
}

function refusalOf(error: ServerError): RefusalResponse {
  if (HELPLESS.includes(error.code)) return { kind: 'invalid-argument', message: error.message };
  // Clients of version 1 know the text.
  if (error.code === 'KAYA_ACCESS_DENIED') return { kind: 'error', message: error.message };
  return refuse(error.code, error.message);
}

function replicaRefusalOf(error: ReplicaError): RefusalResponse {
  if (error.code === 'KAYA_NOT_LEADER') return { kind: 'not-leader', leaderAddress: error.leaderAddress };
  return refuse(error.code, describeReplicaError(error));
}

function refuse(code: string, sentence: string): RefusalResponse {
  return { kind: 'error', message: `${code}: ${sentence}` };
}
