/** Memtables against a sorted array, over keys that make every kind of node and branch in every place. */

import { compareBytes, encodeUtf8 } from '@kayadb/codec';
import { describeSeed, seededRandom, type SeededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { sortEntries } from '../../test/support/entries.ts';
import type { Cursor, Direction } from '../iterate/cursor.ts';
import { compareEntries, DELETE_KIND, type Entry, PUT_KIND } from '../key/internal-key.ts';
import { WriteBatch } from '../key/write-batch.ts';
import { MemtableHit } from './memtable-hit.ts';
import { MemtableMemory } from './memtable-memory.ts';
import { Memtable } from './memtable.ts';

const ENTRIES = 1000;
const HALF = ENTRIES / 2;

type KeyShape = (random: SeededRandom) => Uint8Array;

const longPrefix = new Uint8Array(4000).fill(0x61);

const shapes: Readonly<Record<string, KeyShape>> = {
  'one byte': (random) => random.bytes(1),
  'two bytes, all of them': (random) => random.bytes(2),
  'sixteen bytes at random': (random) => random.bytes(16),
  decimal: (random) => encodeUtf8(String(random.int(3000)).padStart(16, '0')),
  'a shared prefix': (random) => encodeUtf8(`user:${random.int(3000).toString(36)}/profile`),
  'prefixes of each other': (random) => new Uint8Array(1 + random.int(300)).fill(0x61),
  'extreme bytes': (random) => {
    const bytes = random.pick([[0x00, 0xff], [0x00], [0x00, 0x01, 0x7f, 0x80, 0xff]]);
    return Uint8Array.from({ length: 1 + random.int(9) }, () => random.pick(bytes));
  },
  'seventeen and forty-nine children': (random) => Uint8Array.of(random.int(17), random.int(49), random.int(2)),
  'long, different late': (random) => {
    const key = Uint8Array.from(longPrefix).subarray(0, 3990 + random.int(10));
    if (random.chance(0.5)) key[random.int(key.length)] = random.int(256);
    return random.chance(0.1) ? new Uint8Array(4096).fill(0x61) : key;
  },
  'few keys, many versions': (random) => encodeUtf8(random.pick(['a', 'ab', 'b', 'ba', 'c'])),
};

function randomEntry(random: SeededRandom, makeKey: KeyShape, sequence: number): Entry {
  const isDelete = random.chance(0.2);
  return {
    key: makeKey(random),
    sequence,
    kind: isDelete ? DELETE_KIND : PUT_KIND,
    value: isDelete ? new Uint8Array(0) : random.bytes(random.int(20)),
  };
}

/** Inserts `entries` in groups of random size. */
function fill(memtable: Memtable, entries: readonly Entry[], random: SeededRandom): void {
  for (let at = 0; at < entries.length;) {
    const group = entries.slice(at, at + 1 + random.int(20));
    const batch = new WriteBatch();
    for (const { key, value, kind } of group) void (kind === DELETE_KIND ? batch.delete(key) : batch.put(key, value));
    memtable.insert(batch.bytes, group[0]!.sequence);
    at += group.length;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function text({ key, sequence, kind, value }: Entry): string {
  return `${hex(key)} ${sequence} ${kind} ${hex(value)}`;
}

function take(cursor: Cursor, count: number): readonly string[] {
  const seen: string[] = [];
  for (; cursor.entry !== undefined && seen.length < count; void cursor.next()) seen.push(text(cursor.entry));
  return seen;
}

/** What a cursor that sought `key` should meet. */
function naiveSeek(sorted: readonly Entry[], key: Uint8Array, direction: Direction, count: number): readonly string[] {
  const found =
    direction === 'forward'
      ? sorted.slice(naiveIndex(sorted, (entry) => compareBytes(entry.key, key) >= 0)).slice(0, count)
      : sorted
          .slice(
            0,
            naiveIndex(sorted, (entry) => compareBytes(entry.key, key) > 0),
          )
          .slice(-count)
          .toReversed();
  return found.map(text);
}

function naiveIndex(sorted: readonly Entry[], isFound: (entry: Entry) => boolean): number {
  const index = sorted.findIndex(isFound);
  return index === -1 ? sorted.length : index;
}

const directions: readonly Direction[] = ['forward', 'reverse'];

const seed = testSeed();

describe.each(Object.keys(shapes))(`a memtable of keys of shape "%s", ${describeSeed(seed)}`, (shape) => {
  const makeKey = shapes[shape]!;
  const random = seededRandom(seed).fork(shape);
  const firstSequence = random.pick([1, 2 ** 32 - 700, 2 ** 53 - 2000]);
  const entries = Array.from({ length: ENTRIES }, (_, i) => randomEntry(random, makeKey, firstSequence + i));
  const sorted = sortEntries(entries);
  // Memory that another memtable has left is full of its bytes.
  const memory = new MemtableMemory();
  const earlier = new Memtable(memory);
  fill(
    earlier,
    Array.from({ length: ENTRIES }, (_, i) => randomEntry(random, makeKey, 1 + i)),
    random,
  );
  earlier.freeze();
  earlier.retire(Infinity);
  const memtable = new Memtable(memory);
  fill(memtable, entries, random);
  const probes = [...entries.slice(0, 60).map(({ key }) => key), ...Array.from({ length: 60 }, () => makeKey(random))];

  test('walks like a sorted array, both ways', () => {
    const forward = memtable.cursor('forward');
    const reverse = memtable.cursor('reverse');

    void forward.seekToStart();
    void reverse.seekToStart();

    const expected = sorted.map(text);
    expect(take(forward, Infinity)).toEqual(expected);
    expect(take(reverse, Infinity)).toEqual(expected.toReversed());
    expect(memtable.entryCount).toBe(ENTRIES);
  });

  test.each(directions)('seeks like a sorted array, %s', (direction) => {
    const cursor = memtable.cursor(direction);

    const seen = probes.map((key) => {
      void cursor.seek(key);
      return take(cursor, 4);
    });

    expect(seen).toEqual(probes.map((key) => naiveSeek(sorted, key, direction, 4)));
  });

  test('finds the version a sorted array has, with an entry and without', () => {
    const hit = new MemtableHit();

    for (const key of probes) {
      const maxSequence = firstSequence + random.int(ENTRIES + 100) - 50;
      const expected = sorted.find((entry) => compareBytes(entry.key, key) === 0 && entry.sequence <= maxSequence);
      const found = memtable.get(key, maxSequence);
      expect(found && text(found)).toEqual(expected && text(expected));
      expect(memtable.find(key, maxSequence, hit)).toBe(expected !== undefined);
      if (expected === undefined) continue;
      expect([hit.sequence, hit.kind]).toEqual([expected.sequence, expected.kind]);
      expect(hex(hit.bytes.subarray(hit.valueAt, hit.valueAt + hit.valueBytes))).toBe(hex(expected.value));
    }
  });

  test.each(directions)('neither skips nor repeats what was there while others insert, %s', (direction) => {
    const live = new Memtable();
    const before = entries.slice(0, HALF);
    fill(live, before, random);
    const cursor = live.cursor(direction);
    const seen: Entry[] = [];

    void cursor.seekToStart();
    for (let next = HALF; cursor.entry !== undefined; void cursor.next()) {
      const { key, sequence, kind, value } = cursor.entry;
      seen.push({ key: Uint8Array.from(key), sequence, kind, value: Uint8Array.from(value) });
      if (next >= entries.length || random.chance(0.5)) continue;
      const count = 1 + random.int(3);
      fill(live, entries.slice(next, next + count), random);
      next += count;
    }

    const sign = direction === 'forward' ? 1 : -1;
    expect(seen).toEqual(seen.toSorted((a, b) => compareEntries(a, b) * sign));
    expect(new Set(seen.map(({ sequence }) => sequence)).size).toBe(seen.length);
    const old = seen.filter(({ sequence }) => sequence < firstSequence + HALF);
    const expected = sortEntries(before).map(text);
    expect(old.map(text)).toEqual(sign === 1 ? expected : expected.toReversed());
  });
});
