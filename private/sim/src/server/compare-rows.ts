/** Whether nodes that have applied the same have the same rows: the machine's own too, byte for byte. */

import { crc32c, decodeUtf8 } from '@kayadb/codec';

import type { ServerSite } from './server-site.ts';

const ROWS_AT_ONCE = 256;

interface RowsOf {
  readonly id: number;
  readonly appliedIndex: number;
  /** Key and value in words, by key. */
  readonly rows: ReadonlyMap<string, string>;
}

/** @returns What differs; undefined when nothing does. Who has applied something else is compared with nobody. */
export async function findDifferentRows(sites: readonly ServerSite[]): Promise<string | undefined> {
  // All of them within one turn.
  const pending = sites.map((site) => readRows(site));
  const all = (await Promise.all(pending)).filter((one) => one !== undefined);
  for (const [at, one] of all.entries()) {
    const other = all.slice(0, at).find(({ appliedIndex }) => appliedIndex === one.appliedIndex);
    const difference = other === undefined ? undefined : differenceOf(other, one);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

async function readRows(site: ServerSite): Promise<RowsOf | undefined> {
  const machine = site.process?.group.member?.machine;
  if (machine === undefined) return undefined;
  const { appliedIndex } = machine;
  const scan = machine.rows();
  const rows = new Map<string, string>();
  for (;;) {
    const batch = await scan.nextBatch(ROWS_AT_ONCE);
    if (batch.length === 0) return { id: site.id, appliedIndex, rows };
    for (const { key, value } of batch) rows.set(wordsOf(key), `${value.length} bytes ${crc32c(value)}`);
  }
}

function differenceOf(a: RowsOf, b: RowsOf): string | undefined {
  const keys = [...new Set([...a.rows.keys(), ...b.rows.keys()])].toSorted();
  const different = keys.filter((key) => a.rows.get(key) !== b.rows.get(key));
  const [key] = different;
  if (key === undefined) return undefined;
  const what = [a, b].map(({ id, rows }) => `node ${id} has ${rows.get(key) ?? 'nothing'}`).join(', ');
  return `at ${a.appliedIndex}, ${different.length} rows differ: under ${key} ${what}`;
}

/** The first byte tells what the row is. */
function wordsOf(key: Uint8Array): string {
  const text = decodeUtf8(key.subarray(1));
  const isText = /^[ -~]*$/u.test(text);
  return `${key[0]} ${isText ? text : Buffer.from(key.subarray(1)).toString('hex')}`;
}
