/**
 * A scan that pages by itself. Protocol v1 asks for a whole prefix or nothing; when the server finds it too large, the
 * prefix is split by its next byte, as often as it takes, and the parts are asked for in key order.
 *
 * The parts are separate requests: a scan that was split does not show one moment of the store.
 */

import { copyBytes } from '@kayadb/codec';
import type { ScanItem } from '@kayadb/codec';

import { ClientError } from '../client-error.ts';
import type { Row } from '../client.ts';
import { MAX_SPLIT_PREFIX_BYTES } from '../limits.ts';

export interface ScanSource {
  /** @returns All items under `prefix` in key order, or `too-large`. */
  scan(prefix: Uint8Array): Promise<readonly ScanItem[] | 'too-large'>;
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
}

/** A part of the key space that is still to be read: one key, or all that starts with a prefix. */
interface Part {
  readonly kind: 'key' | 'prefix';
  readonly bytes: Uint8Array;
}

/** Bound: parts in memory, 257 for each byte by which the longest prefix was lengthened. */
export async function* splitScan(source: ScanSource, prefix: Uint8Array, limit: number): AsyncGenerator<Row> {
  const parts: Part[] = [{ kind: 'prefix', bytes: prefix }];
  let left = limit;
  for (let part = parts.pop(); part !== undefined && left > 0; part = parts.pop()) {
    const items = part.kind === 'key' ? await readKey(source, part.bytes) : await source.scan(part.bytes);
    if (items === 'too-large') {
      pushSplit(parts, part.bytes);
      continue;
    }
    for (const item of items) {
      if (left-- <= 0) return;
      // Copies: a view would keep the whole answer in memory for as long as one item is.
      yield { key: copyBytes(item.key), value: copyBytes(item.value), revision: 0 };
    }
  }
}

async function readKey(source: ScanSource, key: Uint8Array): Promise<readonly ScanItem[]> {
  const value = await source.get(key);
  return value === undefined ? [] : [{ key, value }];
}

/** The part that sorts first is pushed last. The empty key does not exist. */
function pushSplit(parts: Part[], prefix: Uint8Array): void {
  if (prefix.length >= MAX_SPLIT_PREFIX_BYTES) {
    const message = `the server finds a prefix of ${prefix.length} bytes too large, and no key is longer`;
    throw new ClientError('KAYA_PROTOCOL', message);
  }
  for (let byte = 0xff; byte >= 0; byte--) {
    const bytes = new Uint8Array(prefix.length + 1);
    bytes.set(prefix);
    bytes[prefix.length] = byte;
    parts.push({ kind: 'prefix', bytes });
  }
  if (prefix.length > 0) parts.push({ kind: 'key', bytes: prefix });
}
