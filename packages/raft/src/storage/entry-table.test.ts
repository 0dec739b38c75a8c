import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { Entry } from '../core/types.ts';
import { EntryCache } from './entry-cache.ts';
import { EntryTable } from './entry-table.ts';

const entryOf = (index: number, term: number, bytes: number): Entry => ({
  index,
  term,
  kind: 'normal',
  data: new Uint8Array(bytes),
});

interface Row {
  readonly entry: Entry;
  readonly segment: number;
  readonly offset: number;
}

/** Appends, replacements and compactions at random, of a log that grows by thousands of entries. */
function* changes(): Generator<{
  readonly entries: readonly Entry[];
  readonly base: number;
  readonly rows: Map<number, Row>;
}> {
  const random = seededRandom(testSeed());
  const rows = new Map<number, Row>();
  let [base, last, term] = [0, 0, 1];
  for (let segment = 1; segment < 400; segment++) {
    const isReplacement = random.chance(0.2) && last > base;
    if (isReplacement) term++;
    const first = isReplacement ? Math.max(base + 1, last - random.int(30)) : last + 1;
    for (let index = first; index <= last; index++) rows.delete(index);
    const entries = Array.from({ length: 1 + random.int(60) }, (_, i) => entryOf(first + i, term, random.int(50)));
    let offset = 100;
    for (const entry of entries) {
      rows.set(entry.index, { entry, segment, offset });
      offset += 28 + entry.data.length;
    }
    last = entries.at(-1)!.index;
    const compactTo = random.chance(0.1) ? base + random.int(last - base + 1) : base;
    for (let index = base; index < compactTo; index++) rows.delete(index);
    base = compactTo;
    yield { entries, base, rows };
  }
}

describe('EntryTable', () => {
  test('knows what a map of all entries knows, whatever is replaced and compacted', () => {
    const table = new EntryTable(0, 0);
    const wrong: string[] = [];
    let segment = 0;

    for (const { entries, base, rows } of changes()) {
      table.replace(entries, ++segment, 100);
      table.compact(base);

      const last = entries.at(-1)!;
      const ends = [
        table.firstIndex,
        table.lastIndex,
        table.lastTerm,
        table.term(last.index + 1),
        table.term(base - 1),
      ];
      if (ends.join() !== [base + 1, last.index, last.term, 'unavailable', 'compacted'].join()) wrong.push(ends.join());
      // What was just written each time, and from time to time everything.
      const from = segment % 8 === 0 ? base + 1 : Math.max(base + 1, entries[0]!.index);
      for (let index = from; index <= last.index; index++) {
        const { entry, segment: inSegment, offset } = rows.get(index)!;
        const found = [table.term(index), table.segmentOf(index), table.offsetOf(index), table.bytesOf(index)];
        if (found.join() !== [entry.term, inSegment, offset, 28 + entry.data.length].join())
          wrong.push(`${index}: ${found.join()}`);
      }
    }

    expect(wrong).toEqual([]);
    expect(table.firstIndex).toBeGreaterThan(2000);
  });

  test('refuses rows that leave a gap, and a compaction behind its end', () => {
    const table = new EntryTable(5, 2);
    table.replace([entryOf(6, 2, 1)], 1, 0);

    const attempts = [
      () => table.replace([entryOf(8, 2, 1)], 1, 0),
      () => table.replace([entryOf(5, 2, 1)], 1, 0),
      () => table.compact(7),
    ];

    for (const attempt of attempts) expect(attempt).toThrow(/do not follow|cannot be compacted/u);
    expect([table.term(5), table.term(4), table.lastIndex]).toEqual([2, 'compacted', 6]);
  });
});

describe('EntryCache', () => {
  test('has the end of the log, cut when the log is, within its bound', () => {
    const maxBytes = 20_000;
    const cache = new EntryCache(maxBytes);
    const wrong: string[] = [];
    let total = 0;

    for (const { entries, base, rows } of changes()) {
      cache.replace(entries);
      cache.compact(base);

      const last = entries.at(-1)!.index;
      let bytes = 0;
      for (let index = cache.firstIndex; index <= last; index++) {
        if (cache.at(index) !== rows.get(index)!.entry) wrong.push(`${index}`);
        bytes += cache.at(index).data.length;
      }
      if (bytes > maxBytes || cache.firstIndex <= base) wrong.push(`${bytes} bytes from ${cache.firstIndex}`);
      total += bytes;
    }

    expect(wrong).toEqual([]);
    expect(total).toBeGreaterThan(100_000);
  });

  test('keeps nothing that is larger than its bound', () => {
    const cache = new EntryCache(1000);

    cache.replace([entryOf(1, 1, 10), entryOf(2, 1, 2000)]);

    expect(cache.firstIndex).toBe(Number.POSITIVE_INFINITY);
  });
});
