/**
 * Keys and values between bytes and what a person types or reads.
 *
 * Invariant: what `describeBytes` prints can be given back as an argument and means the same bytes, and no stored
 * byte reaches a terminal as a control sequence. docs/reference/kayactl.md, "Keys and values".
 */

import { decodeUtf8Strict, encodeUtf8, MAX_USER_KEY_BYTES, MAX_USER_VALUE_BYTES } from '@kayadb/codec';

import { usageError } from './cli-error.ts';

const HEX_PREFIX = /^(?:0x|hex:)/i;
const HEX_DIGITS = /^(?:[0-9a-f]{2})*$/i;
/** Control, unassigned-format and separator characters that move the cursor, hide or break a line. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** @returns The bytes of pairs of hexadecimal digits, or `undefined` when `digits` is something else. */
export function decodeHex(digits: string): Uint8Array | undefined {
  return HEX_DIGITS.test(digits) ? Uint8Array.from(Buffer.from(digits, 'hex')) : undefined;
}

export function encodeHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/**
 * Reads an argument: `0x…` and `hex:…` are bytes in hexadecimal, everything else is UTF-8.
 *
 * @throws CliError KAYA_USAGE for digits that are not hexadecimal or not in pairs.
 */
export function parseBytes(text: string, what: string): Uint8Array {
  const prefix = HEX_PREFIX.exec(text)?.[0];
  if (prefix === undefined) return encodeUtf8(text);
  const bytes = decodeHex(text.slice(prefix.length));
  if (bytes !== undefined) return bytes;
  throw usageError(
    `the ${what} starts with ${prefix} but is not pairs of hexadecimal digits`,
    `Text that really begins with ${prefix} has to be written in hexadecimal itself, as hex:${encodeHex(encodeUtf8(prefix))}...`,
  );
}

/** @throws CliError KAYA_USAGE for an empty or too long key. */
export function parseKey(text: string): Uint8Array {
  const key = parseBytes(text, 'key');
  const reason = describeBadKey(key);
  if (reason !== undefined) throw usageError(reason, `Keys are 1 to ${MAX_USER_KEY_BYTES} bytes.`);
  return key;
}

/** @throws CliError KAYA_USAGE for a too long value. */
export function parseValue(text: string): Uint8Array {
  const value = parseBytes(text, 'value');
  const reason = describeBadValue(value);
  if (reason !== undefined) throw usageError(reason, 'Values are at most 16 MiB.');
  return value;
}

/** @returns Why no store takes this key, or `undefined` when it is fine. */
export function describeBadKey(key: Uint8Array): string | undefined {
  if (key.length === 0) return 'the key is empty';
  if (key.length > MAX_USER_KEY_BYTES)
    return `the key has ${key.length} bytes; at most ${MAX_USER_KEY_BYTES} are allowed`;
  return undefined;
}

/** @returns Why no store takes this value, or `undefined` when it is fine. */
export function describeBadValue(value: Uint8Array): string | undefined {
  if (value.length <= MAX_USER_VALUE_BYTES) return undefined;
  return `the value has ${value.length} bytes; at most ${MAX_USER_VALUE_BYTES} are allowed`;
}

/** Text for one line of output: the text itself when it is printable UTF-8, `hex:…` otherwise. */
export function describeBytes(bytes: Uint8Array): string {
  const text = decodeUtf8Strict(bytes);
  if (text === undefined || UNPRINTABLE.test(text) || HEX_PREFIX.test(text)) return `hex:${encodeHex(bytes)}`;
  return text;
}

/** One field of a JSON object: `{"key": text}`, or `{"key_hex": digits}` for bytes that are not UTF-8. */
export function jsonBytes(name: string, bytes: Uint8Array): Readonly<Record<string, string>> {
  const text = decodeUtf8Strict(bytes);
  return text === undefined ? { [`${name}_hex`]: encodeHex(bytes) } : { [name]: text };
}

/** A row as one line of JSON, without spaces and without the newline. */
export function jsonRow(key: Uint8Array, value: Uint8Array): string {
  return JSON.stringify({ ...jsonBytes('key', key), ...jsonBytes('value', value) });
}
