/** What an entry counts for where bytes are limited: the size of its encoding in protocol buffers, as scripts have it. */

import type { Entry } from '@kayadb/raft';

/** Of kind, term and index: a tag before each. */
const TAG_BYTES = 1;

export function entryBytes({ kind, term, index, data }: Entry): number {
  const kindBytes = TAG_BYTES + 1;
  const dataBytes = kind === 'normal' && data.length === 0 ? 0 : TAG_BYTES + varintBytes(data.length) + data.length;
  return kindBytes + TAG_BYTES + varintBytes(term) + TAG_BYTES + varintBytes(index) + dataBytes;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}
