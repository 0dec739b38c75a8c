/**
 * The rows of a v1 SCAN, which has no pages: all of them in one answer, or a refusal that says how to go on.
 * Bound: `maxItems` rows and one frame of bytes; what is over either is never collected.
 */

import { type Clock, SCAN_ANSWER_OVERHEAD_BYTES, SCAN_ITEM_OVERHEAD_BYTES, SCAN_TOO_LARGE_TEXT } from '@kayadb/codec';
import type { KeyValue } from '@kayadb/engine';

import { ServerError } from '../server-error.ts';
import { Breather } from './breather.ts';

export interface ScanBounds {
  readonly maxItems: number;
  readonly maxFrameBytes: number;
}

/**
 * @param rows - Left early, and so released, when a bound is met.
 * @throws ServerError KAYA_SCAN_TOO_LARGE, whose message begins with `SCAN_TOO_LARGE_TEXT`.
 */
export async function collectScan(
  rows: AsyncIterable<KeyValue>,
  { maxItems, maxFrameBytes }: ScanBounds,
  clock: Clock,
): Promise<readonly KeyValue[]> {
  const items: KeyValue[] = [];
  const breather = new Breather(clock);
  let bytes = SCAN_ANSWER_OVERHEAD_BYTES;
  for await (const row of rows) {
    bytes += SCAN_ITEM_OVERHEAD_BYTES + row.key.length + row.value.length;
    if (items.length === maxItems) throw tooLarge(`more than ${maxItems} items`);
    if (bytes > maxFrameBytes) throw tooLarge(`more than ${maxFrameBytes} bytes`);
    items.push(row);
    await breather.maybeBreathe();
  }
  return items;
}

function tooLarge(what: string): ServerError {
  const message = `${SCAN_TOO_LARGE_TEXT}: ${what} start with this prefix, and v1 answers in one frame; scan longer prefixes one after the other`;
  return new ServerError('KAYA_SCAN_TOO_LARGE', message);
}
