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
  KAYA_ENGINE_CLOSED: 'the node is stopping; try again when it is back',
  KAYA_CORRUPTION: "stored data is damaged; run kayactl recover --dry-run on the server's data directory",
};

/** @param correlationId - Appears in the log beside the whole error. */
export function describeFault(error: unknown, correlationId: string): Fault {
  const code = error instanceof KayaError ? error.code : 'KAYA_INTERNAL';
  const sentence = `${SENTENCES[code] ?? 'the server failed to do this'} (look for ${correlationId} in the server's log)`;
  return { code, sentence, weight: error instanceof AssertionError ? 'fatal' : 'fault' };
}
