/**
 * Reads one line of JSON Lines as a record, strictly: whatever would be lost or guessed is a reason to refuse the line.
 * docs/reference/kayactl.md, "import".
 */

import { decodeUtf8Strict, encodeUtf8, MAX_USER_KEY_BYTES, MAX_USER_VALUE_BYTES } from '@kayadb/codec';

import { decodeHex, describeBadKey, describeBadValue } from '../bytes-text.ts';
import type { Row } from '../store/store.ts';

/** Bound: the longest line there can be, a full key and value with every byte escaped as `\u00xx`. */
export const MAX_LINE_BYTES = 6 * (MAX_USER_KEY_BYTES + MAX_USER_VALUE_BYTES) + 1024;

export type RecordLine =
  | { readonly kind: 'record'; readonly row: Row }
  | { readonly kind: 'bad'; readonly reason: string }
  | { readonly kind: 'blank' };

const FIELDS: ReadonlySet<string> = new Set(['key', 'key_hex', 'value', 'value_hex']);
const BLANK = /^\s*$/;
/** Half of a surrogate pair: JSON can write it, UTF-8 cannot. */
const LONE_SURROGATE = /\p{Cs}/u;

/** @param bytes - The line without its newline; `undefined` when it was too long to keep. Keeps no reference to it. */
export function parseRecordLine(bytes: Uint8Array | undefined): RecordLine {
  if (bytes === undefined) return bad(`the line is longer than ${MAX_LINE_BYTES} bytes`);
  const text = decodeUtf8Strict(bytes);
  if (text === undefined) return bad('the line is not UTF-8');
  if (BLANK.test(text)) return { kind: 'blank' };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return bad('the line is not valid JSON');
  }
  return toRecord(parsed);
}

function toRecord(parsed: unknown): RecordLine {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return bad('the line is not a JSON object');
  const fields = parsed as Readonly<Record<string, unknown>>;
  const stranger = Object.keys(fields).find((name) => !FIELDS.has(name));
  if (stranger !== undefined) return bad(`unknown field ${JSON.stringify(stranger.slice(0, 60))}`);
  const key = readField(fields, 'key');
  if (typeof key === 'string') return bad(key);
  const value = readField(fields, 'value');
  if (typeof value === 'string') return bad(value);
  const reason = describeBadKey(key) ?? describeBadValue(value);
  return reason === undefined ? { kind: 'record', row: { key, value } } : bad(reason);
}

/** @returns The bytes, or the reason why there are none. */
function readField(fields: Readonly<Record<string, unknown>>, name: 'key' | 'value'): Uint8Array | string {
  const text = fields[name];
  const digits = fields[`${name}_hex`];
  if (text !== undefined && digits !== undefined) return `"${name}" and "${name}_hex" are both given`;
  if (digits !== undefined) {
    const bytes = typeof digits === 'string' ? decodeHex(digits) : undefined;
    return bytes ?? `"${name}_hex" is not a string of pairs of hexadecimal digits`;
  }
  if (text === undefined) return `"${name}" is missing`;
  if (typeof text !== 'string') return `"${name}" is not a string`;
  if (LONE_SURROGATE.test(text)) return `"${name}" holds half of a surrogate pair, which is no character`;
  return encodeUtf8(text);
}

function bad(reason: string): RecordLine {
  return { kind: 'bad', reason };
}
