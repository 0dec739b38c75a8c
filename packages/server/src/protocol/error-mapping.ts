/**
 * Errors to refusals of protocol v1. What a client can act on is said in full; what happened inside the node is a
 * stable code, a fixed sentence and an id to look for in the log. Paths, keys and values never leave the node.
 */

import { AssertionError, assertNever, KayaError } from '@kayadb/codec';
import type { RefusalResponse } from '@kayadb/codec';
import { EngineError } from '@kayadb/engine';

import { ServerError } from '../server-error.ts';

/** What an error means for the node itself. `fatal` errors end it; `fault` ones are logged; `refusal` is daily life. */
export type ErrorWeight = 'refusal' | 'fault' | 'fatal';

export interface MappedError {
  readonly response: RefusalResponse;
  readonly weight: ErrorWeight;
}

const SENTENCES: Readonly<Record<string, string>> = {
  KAYA_DISK_FULL: "no space is left on the server's disk; free some there and try again",
  KAYA_ENGINE_POISONED:
    'the store takes no more writes after a disk failure; the node stops and must be restarted by its operator',
  KAYA_ENGINE_CLOSED: 'the node is stopping; try again when it is back',
  KAYA_CORRUPTION: "stored data is damaged; run kayactl recover --dry-run on the server's data directory",
};

const NEARLY_FULL =
  "KAYA_DISK_FULL: the server's disk is nearly full, so it takes deletes but no puts; free some space there or delete keys, and puts are taken again by themselves";

/** @param correlationId - Appears in the log beside the whole error. */
export function mapError(error: unknown, correlationId: string): MappedError {
  if (error instanceof ServerError) return mapRefusal(error);
  // The engine has said once how the disk stands; a log line for each put that it spares the disk would take what is left.
  if (error instanceof EngineError && error.code === 'KAYA_DISK_FULL') {
    return { response: { kind: 'error', message: NEARLY_FULL }, weight: 'refusal' };
  }
  if (error instanceof KayaError && SENTENCES[error.code] !== undefined) {
    const weight = error.code === 'KAYA_ENGINE_POISONED' ? 'fatal' : 'fault';
    return { response: fault(error.code, describeCause(error), correlationId), weight };
  }
  const code = error instanceof KayaError ? error.code : 'KAYA_INTERNAL';
  return { response: fault(code, '', correlationId), weight: error instanceof AssertionError ? 'fatal' : 'fault' };
}

function mapRefusal(error: ServerError): MappedError {
  switch (error.code) {
    case 'KAYA_INVALID_ARGUMENT':
    case 'KAYA_SCAN_TOO_LARGE':
      return { response: { kind: 'invalid-argument', message: error.message }, weight: 'refusal' };
    case 'KAYA_ACCESS_DENIED':
      return { response: { kind: 'error', message: error.message }, weight: 'refusal' };
    case 'KAYA_MEMBERSHIP_UNAVAILABLE':
    case 'KAYA_STOP_TIMEOUT':
      return { response: { kind: 'error', message: `${error.code}: ${error.message}` }, weight: 'refusal' };
    default:
      return assertNever(error.code, 'server error code');
  }
}

function fault(code: string, cause: string, correlationId: string): RefusalResponse {
  const sentence = SENTENCES[code] ?? 'the server failed to do this';
  return { kind: 'error', message: `${code}: ${sentence}${cause} (look for ${correlationId} in the server's log)` };
}

/** The code of the first failure underneath, which tells a full disk from a broken one. */
function describeCause(error: KayaError): string {
  const codes: string[] = [];
  for (let cause = error.cause; cause instanceof KayaError; cause = cause.cause) codes.push(cause.code);
  return codes.length === 0 ? '' : ` (caused by ${codes.at(-1)!})`;
}
