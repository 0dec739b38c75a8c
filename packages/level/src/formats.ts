/** What the engine returns, in the format that abstract-level asked for. Anything else is its encodings' work. */

import type { Encoding, Row } from '@kayadb/engine';

import { fromEngineBytes, fromEngineText } from './level-key.ts';

/** Half as long as making a Buffer of a value and asking it for its text; like that, it keeps a byte order mark. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The formats declared in the manifest. */
export type Format = 'buffer' | 'utf8' | 'view';

export type Formatted = string | Uint8Array;

/** Text is decoded by the engine, whole batches at a time. */
export function engineEncoding(format: Format): Encoding {
  return format === 'utf8' ? 'utf8' : 'bytes';
}

/** A value that a point read returned. */
export function formatValue(value: Uint8Array, format: Format): Formatted {
  if (format === 'utf8') return decoder.decode(value);
  return format === 'view' ? value : asBuffer(value);
}

/** For keys that a scan with `engineEncoding(format)` returned. */
export function keyFormatter(format: Format): (key: Formatted) => Formatted {
  if (format === 'utf8') return (key) => fromEngineText(key as string);
  if (format === 'view') return (key) => fromEngineBytes(key as Uint8Array);
  return (key) => asBuffer(fromEngineBytes(key as Uint8Array));
}

/** For values that a scan with `engineEncoding(format)` returned; `undefined` where they are right as they are. */
export function valueFormatter(format: Format): ((value: Formatted) => Formatted) | undefined {
  return format === 'buffer' ? (value) => asBuffer(value as Uint8Array) : undefined;
}

/** abstract-level's entry: an array of key and value, which it may change. */
export type Entry = [Formatted | undefined, Formatted | undefined];

export function entryFormatter(keyFormat: Format, valueFormat: Format): (row: Row<Encoding, Encoding>) => Entry {
  const formatKey = keyFormatter(keyFormat);
  const formatOne = valueFormatter(valueFormat);
  if (formatOne === undefined) return (row) => [formatKey(row.key), row.value];
  return (row) => [formatKey(row.key), formatOne(row.value)];
}

/** A view of the same bytes. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
