/** What entries count for: their payload alone in the quota of uncommitted bytes, `entryBytes` of the configuration elsewhere. */

import type { Entry } from './types.ts';

/** Where nothing is limited, nothing is counted. */
export const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** Bytes of payload in `entries`. */
export function payloadBytes(entries: readonly Entry[]): number {
  let bytes = 0;
  for (let i = 0; i < entries.length; i++) bytes += (entries[i] as Entry).data.byteLength;
  return bytes;
}

export function sumEntryBytes(entries: readonly Entry[], entryBytes: (entry: Entry) => number): number {
  let bytes = 0;
  for (let i = 0; i < entries.length; i++) bytes += entryBytes(entries[i] as Entry);
  return bytes;
}

/** How many entries from `start` on, before `end`, fit in `maxBytes`: one at least. Requires: start < end. */
export function countFitting(
  entries: readonly Entry[],
  start: number,
  end: number,
  maxBytes: number,
  entryBytes: (entry: Entry) => number,
): number {
  if (maxBytes >= NO_LIMIT) return end - start;
  let bytes = entryBytes(entries[start] as Entry);
  let at = start + 1;
  for (; at < end; at++) {
    bytes += entryBytes(entries[at] as Entry);
    if (bytes > maxBytes) break;
  }
  return at - start;
}
