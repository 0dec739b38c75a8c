/**
 * Entries as text, for tests and golden files: `b#11,SET:foo b#9,DEL`. Printable ASCII stands for itself; every other
 * byte, and `#`, `\` and the space, is written `\xNN`.
 */

import { EMPTY_BYTES } from '@kayadb/codec';

import { DELETE_KIND, type Entry, PUT_KIND } from '../key/internal-key.ts';

/** @throws SyntaxError for text that is not an entry. */
export function parseEntry(text: string): Entry {
  const match = /^([^#\s]+)#(\d+),(?:SET:(\S*)|DEL)$/.exec(text);
  const [, key, sequence, value] = match ?? [];
  if (key === undefined || sequence === undefined) {
    throw new SyntaxError(`"${text}" is not an entry; write b#11,SET:foo or b#11,DEL`);
  }
  const isPut = value !== undefined;
  return {
    key: parseBytes(key),
    sequence: Number(sequence),
    kind: isPut ? PUT_KIND : DELETE_KIND,
    value: isPut ? parseBytes(value) : EMPTY_BYTES,
  };
}

/** Entries separated by white space, in the order of the text. */
export function parseEntries(text: string): Entry[] {
  return text.split(/\s+/).filter(Boolean).map(parseEntry);
}

/** The inverse of `parseEntry`. */
export function describeEntry(entry: Entry): string {
  const name = `${describeBytes(entry.key)}#${entry.sequence}`;
  return entry.kind === PUT_KIND ? `${name},SET:${describeBytes(entry.value)}` : `${name},DEL`;
}

/** Byte string to text, as keys and values are written in the notation. */
export function describeBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const letter = String.fromCharCode(byte);
    text += /[!-~]/.test(letter) && letter !== '#' && letter !== '\\' ? letter : `\\x${hexByte(byte)}`;
  }
  return text;
}

function parseBytes(text: string): Uint8Array {
  const letters = text.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
