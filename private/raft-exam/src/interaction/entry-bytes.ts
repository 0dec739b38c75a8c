/**
 * What an entry counts for where bytes are limited: the size of its encoding in protocol buffers, as scripts have it. Fields that nobody has set,
 * as the kind of a normal entry and the data of a leader's first one, take none.
 */

import type { Entry } from '@kayadb/raft';
import { configChangeOf } from '@kayadb/raft/testing';

/** Of a tag and a small number behind it. */
const SMALL_FIELD_BYTES = 2;

export function entryBytes(entry: Entry): number {
  const { kind, term, index } = entry;
  const dataBytes = dataBytesOf(entry);
  const kindBytes = kind === 'normal' ? 0 : SMALL_FIELD_BYTES;
  return (
    kindBytes + numberBytes(term) + numberBytes(index) + (dataBytes === 0 ? 0 : numberBytes(dataBytes) + dataBytes)
  );
}

function dataBytesOf(entry: Entry): number {
  const { kind, data } = entry;
  if (kind === 'normal' || data.length === 0) return data.length;
  const { steps, context } = configChangeOf(entry);
  const stepBytes = steps.map(({ node }) => SMALL_FIELD_BYTES + numberBytes(node));
  const contextBytes = context.length === 0 ? 0 : numberBytes(context.length) + context.length;
  if (kind === 'config-v1') return contextBytes + sum(stepBytes);
  return SMALL_FIELD_BYTES + contextBytes + sum(stepBytes.map((bytes) => numberBytes(bytes) + bytes));
}

/** Of a tag and the number behind it, seven bits a byte. */
function numberBytes(value: number): number {
  let bytes = SMALL_FIELD_BYTES;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
