import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { show, walk } from '../../test/support/entries.ts';
import { WriteBatch } from '../key/write-batch.ts';
import { MemtableList } from './memtable-list.ts';

/** Enough for a few whole chunks. */
const LARGE = new Uint8Array(200_000).fill(7);

function insertLarge(list: MemtableList, key: string, firstSequence: number): void {
  const batch = new WriteBatch();
  for (let i = 0; i < 30; i++) batch.put(`${key}${i}`, LARGE);
  list.active.insert(batch.bytes, firstSequence);
}

describe('MemtableList', () => {
  test('finds the newest version, whichever memtable has it', () => {
    const list = new MemtableList(1);
    list.active.insert(new WriteBatch().put('a', '1').put('b', '1').bytes, 1);
    list.rotate(2);
    list.active.insert(new WriteBatch().put('a', '2').bytes, 3);
    list.rotate(3);

    const keys = ['a', 'b', 'c'].map((key) => encodeUtf8(key));

    expect(keys.map((key) => list.get(key, 9)).map((entry) => entry && show(entry))).toEqual(['a#3', 'b#2', undefined]);
    expect(keys.map((key) => list.find(key, 9)?.sequence)).toEqual([3, 2, undefined]);
    expect(keys.map((key) => list.find(key, 1)?.sequence)).toEqual([1, undefined, undefined]);
  });

  test('knows from which segment on the log is needed', () => {
    const list = new MemtableList(4);
    list.rotate(5);
    list.rotate(8);

    const segments = [list.oldestFrozen()!.firstSegment, list.segmentAfterOldest()];
    list.dropOldest();

    expect(segments).toEqual([4, 5]);
    expect([list.oldestFrozen()!.firstSegment, list.segmentAfterOldest(), list.frozenCount]).toEqual([5, 8, 1]);
  });
});

describe('onceDropped', () => {
  test('tells of just the one memtable, once, when it is gone and before anything else happens', () => {
    const list = new MemtableList(1);
    const told: string[] = [];
    const tell = (name: string): (() => void) => {
      list.rotate(1);
      return list.onceDropped(list.newestFrozen()!, () => told.push(`${name}, ${list.frozenCount} left`));
    };
    tell('first');
    const takeBack = tell('second');
    tell('third');

    takeBack();
    list.dropOldest();
    const early = [...told];
    list.dropOldest();
    list.dropOldest();
    list.dropOldest();

    expect(early).toEqual(['first, 2 left']);
    expect(told).toEqual(['first, 2 left', 'third, 0 left']);
  });
});

describe('recycled memory', () => {
  test('becomes that of the next memtables, with nothing of the old ones to be seen', async () => {
    const list = new MemtableList(1, { recycle: true });
    insertLarge(list, 'old', 1);
    list.rotate(2);
    const held = list.memoryBytes;

    list.dropOldest();
    const kept = list.memoryBytes;
    insertLarge(list, 'new', 31);

    expect(kept).toBeGreaterThan(held / 2);
    expect(list.memoryBytes).toBeLessThan(1.2 * held);
    expect(list.get(encodeUtf8('old1'), 99)).toBeUndefined();
    expect(list.get(encodeUtf8('new1'), 99)!.value.every((byte) => byte === 7)).toBe(true);
    expect(await walk(list.active.cursor('forward'))).toHaveLength(30);
  });

  test.each([
    [
      'an open cursor',
      (list: MemtableList) => {
        const cursor = list.oldestFrozen()!.memtable.cursor('forward');
        return () => cursor.close();
      },
    ],
    [
      'a reader',
      (list: MemtableList) => {
        const memtables = list.retainAll();
        return () => memtables.forEach((memtable) => memtable.release());
      },
    ],
  ])('waits for %s', (_, hold) => {
    const list = new MemtableList(1, { recycle: true });
    insertLarge(list, 'a', 1);
    list.rotate(2);
    const { memtable } = list.oldestFrozen()!;
    const letGo = hold(list);

    list.dropOldest();
    const whileHeld = [list.memoryBytes, memtable.get(encodeUtf8('a1'), 99)?.sequence];
    letGo();

    expect(whileHeld).toEqual([0, 2]);
    expect(list.memoryBytes).toBeGreaterThan(0);
    expect(() => memtable.get(encodeUtf8('a1'), 99)).toThrow('retired');
    expect(() => memtable.cursor('forward')).toThrow('retired');
  });

  test('is bounded by three memtables together', () => {
    const list = new MemtableList(1, { recycle: true });
    const sizes: number[] = [];
    insertLarge(list, 'x', 1);
    const one = list.memoryBytes;

    for (let i = 1; i < 6; i++) {
      list.rotate(i);
      insertLarge(list, 'x', 1 + 30 * i);
    }
    while (list.frozenCount > 0) {
      list.dropOldest();
      sizes.push(list.memoryBytes);
    }

    expect(sizes.slice(-3).every((size) => size <= 3 * one)).toBe(true);
    expect(sizes.at(-1)).toBeGreaterThan(2 * one);
  });

  test('is left to the garbage collector unless asked for', () => {
    const list = new MemtableList(1);
    insertLarge(list, 'a', 1);
    list.rotate(2);
    const { memtable } = list.oldestFrozen()!;

    list.dropOldest();

    expect(list.memoryBytes).toBe(0);
    expect(memtable.get(encodeUtf8('a1'), 99)?.sequence).toBe(2);
  });
});
