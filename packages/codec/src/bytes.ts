/** Comparison and conversion of byte strings. Keys are ordered as unsigned bytes, shorter first when one is a prefix. */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

/**
 * How many bytes are compared in a loop before Buffer.compare is called. Measured on Node 20.20, in nanoseconds, for
 * keys that differ in the middle, loop against Buffer.compare: 16 B 21/94 · 32 B 30/77 · 64 B 52/72 · 128 B 95/75 ·
 * 1024 B 723/76. Keys that differ early never reach the call, whatever their length.
 */
const LOOP_BYTES = 48;

/** @returns Negative, zero or positive as `a` sorts before, equals or sorts after `b`. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = a.length < b.length ? a.length : b.length;
  const looped = shared < LOOP_BYTES ? shared : LOOP_BYTES;
  for (let i = 0; i < looped; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return shared === looped ? a.length - b.length : Buffer.compare(a, b);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

export function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && compareBytes(bytes.subarray(0, prefix.length), prefix) === 0;
}

/**
 * The smallest byte string greater than every string that starts with `prefix`.
 *
 * @returns `undefined` when there is none: an empty prefix, or one of 0xff bytes only.
 */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end--;
  if (end === 0) return undefined;
  const result = copyBytes(prefix.subarray(0, end));
  result[end - 1] = result[end - 1]! + 1;
  return result;
}

/**
 * The same bytes in an array of the caller's own.
 *
 * Not `slice()`: a Node.js Buffer is a Uint8Array too, and its `slice()` is a view of the same memory.
 */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** One new array holding `parts` in order. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let total = 0;
  for (const part of parts) total += part.length;
  const result = new Uint8Array(total);
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Decodes UTF-8; bytes that are not UTF-8 become U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** @returns The text, or `undefined` for bytes that are not UTF-8. */
export function decodeUtf8Strict(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Strings become UTF-8; byte arrays are passed on, not copied. */
export function toBytes(value: Uint8Array | string): Uint8Array {
  return typeof value === 'string' ? encoder.encode(value) : value;
}
