/** Entries in short form for tests: `put('b', 11, 'x')`, and cursors over arrays of them. */

import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';

import type { Cursor } from '../../src/iterate/cursor.ts';
import { compareEntries, DELETE_KIND, type Entry, PUT_KIND } from '../../src/key/internal-key.ts';
import type { TableMeta } from '../../src/version/table-meta.ts';

export function put(key: string, sequence: number, value = `${key}@${sequence}`): Entry {
  return { key: encodeUtf8(key), sequence, kind: PUT_KIND, value: encodeUtf8(value) };
}

export function del(key: string, sequence: number): Entry {
  return { key: encodeUtf8(key), sequence, kind: DELETE_KIND, value: new Uint8Array(0) };
}

/** `b#11` for a put, `b#12-` for a delete. */
export function show(entry: Entry): string {
  return `${decodeUtf8(entry.key)}#${entry.sequence}${entry.kind === DELETE_KIND ? '-' : ''}`;
}

export function sortEntries(entries: readonly Entry[]): readonly Entry[] {
  return entries.toSorted(compareEntries);
}

export async function walk(cursor: Cursor, from?: string): Promise<readonly string[]> {
  const seen: string[] = [];
  await (from === undefined ? cursor.seekToStart() : cursor.seek(encodeUtf8(from)));
  while (cursor.entry !== undefined) {
    seen.push(show(cursor.entry));
    await cursor.next();
  }
  return seen;
}

export function tableMeta(
  fileNumber: number,
  smallest: string,
  largest: string,
  more: Partial<TableMeta> = {},
): TableMeta {
  return {
    fileNumber,
    fileBytes: 1000,
    entryCount: 10,
    deleteCount: 0,
    smallestSequence: 1,
    largestSequence: fileNumber,
    smallestKey: encodeUtf8(smallest),
    largestKey: encodeUtf8(largest),
    ...more,
  };
}
