/** What messages and entries are taken to occupy, for bounds: payload, and a flat amount for the rest. */

import type { Message } from '../core/message.ts';
import type { Entry } from '../core/types.ts';

const MESSAGE_OVERHEAD_BYTES = 64;
const ENTRY_OVERHEAD_BYTES = 24;

export function entriesBytes(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const { data } of entries) bytes += data.byteLength + ENTRY_OVERHEAD_BYTES;
  return bytes;
}

export function messageBytes(message: Message): number {
  let bytes = MESSAGE_OVERHEAD_BYTES;
  if ('entries' in message) bytes += entriesBytes(message.entries);
  if ('snapshot' in message && message.snapshot !== undefined) bytes += message.snapshot.data.byteLength;
  if ('context' in message) bytes += message.context.byteLength;
  return bytes;
}
