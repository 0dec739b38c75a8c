import { encodeUtf8, equalBytes } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { del, put, show, sortEntries } from '../../test/support/entries.ts';
import { encodeEntry } from '../key/encoded-entry.ts';
import { type Entry, PUT_KIND } from '../key/internal-key.ts';
import { RangeDeleteSet } from '../range-delete/range-delete-set.ts';
import { type RangeDelete, spanHasKey } from '../range-delete/range-delete.ts';
import { Retention } from './retention.ts';

/** Those of `entries`, in their order, that stay. */
function keep(retention: Retention, entries: readonly Entry[]): readonly Entry[] {
  let before: Uint8Array | undefined;
  return entries.filter((entry) => {
    const isNewKey = before === undefined || !equalBytes(before, entry.key);
    before = entry.key;
    return retention.shouldKeep(encodeEntry(entry, new Uint8Array(0)), 0, entry.sequence, isNewKey);
  });
}

function rangeDelete(start: string, end: string | undefined, sequence: number): RangeDelete {
  return { start: encodeUtf8(start), end: end === undefined ? undefined : encodeUtf8(end), sequence };
}

/** What a reader at `sequence` sees of `entries`, slowly. */
function stateAt(
  entries: readonly Entry[],
  rangeDeletes: readonly RangeDelete[],
  sequence: number,
): Record<string, string> {
  const state: Record<string, string> = {};
  for (const entry of entries.filter((one) => one.sequence <= sequence).toSorted((a, b) => a.sequence - b.sequence)) {
    const key = Buffer.from(entry.key).toString();
    const isHidden = rangeDeletes.some(
      (one) => one.sequence <= sequence && one.sequence > entry.sequence && spanHasKey(one, entry.key),
    );
    if (entry.kind === PUT_KIND && !isHidden) state[key] = Buffer.from(entry.value).toString();
    else delete state[key];
  }
  return state;
}

describe('Retention', () => {
  test('keeps the newest version of each key when there is no snapshot', () => {
    const entries = [put('a', 9), put('a', 5), del('b', 8), put('b', 3), put('c', 1)];

    expect(keep(new Retention([], () => false), entries).map(show)).toEqual(['a#9', 'c#1']);
  });

  test('keeps a delete while an older version may lie deeper', () => {
    const retention = new Retention([], (key) => Buffer.from(key).toString() === 'b');

    expect(keep(retention, [del('a', 8), del('b', 7)]).map(show)).toEqual(['b#7-']);
  });

  test('keeps what each snapshot sees', () => {
    const entries = [put('a', 9), put('a', 7), put('a', 5), put('a', 3), put('a', 2)];

    expect(keep(new Retention([4, 8], () => false), entries).map(show)).toEqual(['a#9', 'a#7', 'a#3']);
  });

  test('drops what a range delete covers, but for snapshots that do not see it', () => {
    const entries = [put('a', 9), put('b', 12), put('b', 7), put('b', 3), put('c', 2)];
    const set = new RangeDeleteSet([rangeDelete('b', 'c', 10)]);

    expect(keep(new Retention([], () => false, set), entries).map(show)).toEqual(['a#9', 'b#12', 'c#2']);
    expect(keep(new Retention([8], () => false, set), entries).map(show)).toEqual(['a#9', 'b#12', 'b#7', 'c#2']);
    expect(keep(new Retention([11], () => false, set), entries).map(show)).toEqual(['a#9', 'b#12', 'c#2']);
  });

  test('changes no state that a snapshot or the present can see, with and without deeper versions and range deletes', () => {
    const random = seededRandom(testSeed());
    for (let round = 0; round < 400; round++) {
      const history: Entry[] = [];
      const rangeDeletes: RangeDelete[] = [];
      for (let sequence = 1; sequence <= 40; sequence++) {
        const at = random.int(6);
        const end = random.chance(0.2) ? undefined : `k${at + 1 + random.int(3)}`;
        if (random.chance(0.1)) rangeDeletes.push(rangeDelete(`k${at}`, end, sequence));
        else history.push(random.chance(0.3) ? del(`k${at}`, sequence) : put(`k${at}`, sequence));
      }
      const deeperUntil = random.int(20);
      const deeper = history.filter(({ sequence }) => sequence <= deeperUntil);
      const merged = history.filter(({ sequence }) => sequence > deeperUntil);
      const snapshots = [random.int(40), random.int(40)].filter((sequence) => sequence > 0).toSorted((a, b) => a - b);
      const hasDeeper = (key: Uint8Array): boolean => deeper.some((entry) => equalBytes(entry.key, key));
      const retention = new Retention(snapshots, hasDeeper, new RangeDeleteSet(rangeDeletes));

      const kept = keep(retention, sortEntries(merged));

      for (const sequence of [...snapshots, 40]) {
        const seen = stateAt([...deeper, ...kept], rangeDeletes, sequence);
        expect(seen, `round ${round}`).toEqual(stateAt(history, rangeDeletes, sequence));
      }
    }
  });
});
