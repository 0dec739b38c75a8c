/**
 * What a client is told of a failure inside the node: a stable code, a fixed sentence, and an id to look for in the log. Paths, keys and values never
 * leave the node.
 */

import { AssertionError, KayaError } from '@kayadb/codec';

/** What an error means for the node itself. `fatal` errors end it; `fault` ones are logged; `refusal` is daily life. */
export type ErrorWeight = 'refusal' | 'fault' | 'fatal';

export interface Fault {
  readonly code: string;
  readonly sentence: string;
  readonly weight: ErrorWeight;
}

const SENTENCES: Readonly<Record<string, string>> = {
  KAYA_DISK_FULL: "no space is left on the server's disk; free some there and try again",
  KAYA_ENGINE_POISONED:
    'the store takes no more writes after a disk failure; the node stops and must be restarted by its operator',
  KAYA_ENGINE_CLOSED: 'the node is stopping; try again when it is back',
  KAYA_CORRUPTION: "stored data is damaged; run kayactl recover --dry-run on the server's data directory",
};

/** For puts that are refused while there is some room left. */
export const NEARLY_FULL =
  "the server's disk is nearly full, so it takes deletes but no puts; free some space there or delete keys, and puts are taken again by themselves";

/** @param correlationId - Appears in the log beside the whole error. */
export function describeFault(error: unknown, correlationId: string): Fault {
  const code = error instanceof KayaError ? error.code : 'KAYA_INTERNAL';
  const known = SENTENCES[code];
  const cause = known === undefined ? '' : describeCause(error as KayaError);
  const sentence = `${known ?? 'the server failed to do this'}${cause} (look for ${correlationId} in the server's log)`;
  const isFatal = error instanceof AssertionError || code === 'KAYA_ENGINE_POISONED';
  return { code, sentence, weight: isFatal ? 'fatal' : 'fault' };
}

/** The code of the first failure underneath, which tells a full disk from a broken one. */
function describeCause(error: KayaError): string {
  const codes: string[] = [];
  for (let cause = error.cause; cause instanceof KayaError; cause = cause.cause) codes.push(cause.code);
  return codes.length === 0 ? '' : ` (caused by ${codes.at(-1)!})`;
}
