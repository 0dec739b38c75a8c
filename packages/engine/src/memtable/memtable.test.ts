import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { del, put, show, walk } from '../../test/support/entries.ts';
import { DELETE_KIND, type Entry } from '../key/internal-key.ts';
import { WriteBatch } from '../key/write-batch.ts';
import { Memtable } from './memtable.ts';

/** Inserts each entry as a commit group of its own. Requires: entries in the order of their sequence numbers. */
function memtableOf(entries: readonly Entry[]): Memtable {
  const memtable = new Memtable();
  for (const { key, value, kind, sequence } of entries) {
    const batch = new WriteBatch();
    memtable.insert((kind === DELETE_KIND ? batch.delete(key) : batch.put(key, value)).bytes, sequence);
  }
  return memtable;
}

describe('Memtable', () => {
  test('finds the newest version at or below a sequence number', () => {
    const memtable = memtableOf([put('a', 1), put('b', 2), del('b', 5), put('b', 9), put('c', 10)]);

    const seen = [1, 2, 4, 5, 8, 9, 100].map((sequence) => {
      const entry = memtable.get(encodeUtf8('b'), sequence);
      return entry && show(entry);
    });

    expect(seen).toEqual([undefined, 'b#2', 'b#2', 'b#5-', 'b#5-', 'b#9', 'b#9']);
  });

  test('tells a key from those that it begins and from those that begin it', () => {
    const one = memtableOf([put('abc', 1)]);
    const three = memtableOf([put('abc', 1), put('abcde', 2), put('abx', 3)]);

    const found = [one, three].map((memtable) =>
      ['a', 'ab', 'abc', 'abcd', 'abcde', 'abcdef'].map((key) => memtable.get(encodeUtf8(key), 9)?.sequence),
    );

    expect(found).toEqual([
      [undefined, undefined, 1, undefined, undefined, undefined],
      [undefined, undefined, 1, undefined, 2, undefined],
    ]);
  });

  test('numbers the operations of a group one after another', () => {
    const memtable = new Memtable();

    memtable.insert(new WriteBatch().put('x', '1').delete('x').put('y', '2').bytes, 40);

    expect(memtable.largestSequence).toBe(42);
    expect(memtable.entryCount).toBe(3);
    expect(show(memtable.get(encodeUtf8('x'), 99)!)).toBe('x#41-');
    expect(show(memtable.get(encodeUtf8('x'), 40)!)).toBe('x#40');
  });

  test('copies what it is given', () => {
    const memtable = new Memtable();
    const payload = new WriteBatch().put('k', 'before').bytes.slice();

    memtable.insert(payload, 1);
    payload.fill(0);

    expect(Buffer.from(memtable.get(encodeUtf8('k'), 1)!.value).toString()).toBe('before');
  });

  test('takes no writes once frozen', () => {
    const memtable = memtableOf([put('a', 1)]);

    memtable.freeze();

    expect(() => memtable.insert(new WriteBatch().put('b', '').bytes, 2)).toThrow('frozen');
  });

  test('seeks in reverse to the oldest version of a key, or to the key before it', async () => {
    const memtable = memtableOf([put('a', 1), put('b', 2), put('b', 3), put('d', 4)]);

    expect(await walk(memtable.cursor('reverse'), 'b')).toEqual(['b#2', 'b#3', 'a#1']);
    expect(await walk(memtable.cursor('reverse'), 'c')).toEqual(['b#2', 'b#3', 'a#1']);
    expect(await walk(memtable.cursor('reverse'), 'z')).toEqual(['d#4', 'b#2', 'b#3', 'a#1']);
    expect(await walk(memtable.cursor('reverse'), 'A')).toEqual([]);
  });

  test('holds an entry larger than a chunk of its arena', () => {
    const memtable = new Memtable();
    const value = new Uint8Array(3 * 1024 * 1024).fill(7);

    memtable.insert(new WriteBatch().put('big', value).put('small', 's').bytes, 1);

    expect(Buffer.compare(memtable.get(encodeUtf8('big'), 9)!.value, value)).toBe(0);
    expect(show(memtable.get(encodeUtf8('small'), 9)!)).toBe('small#2');
  });

  test('keeps range deletes apart from entries', async () => {
    const memtable = new Memtable();
    const [a, c] = [encodeUtf8('a'), encodeUtf8('c')];

    memtable.insert(new WriteBatch().put('b', '1').deleteRange(a, c).put('b', '2').deleteRange(c, undefined).bytes, 5);

    expect(memtable.rangeDeletes).toEqual([
      { start: a, end: c, sequence: 6 },
      { start: c, end: undefined, sequence: 8 },
    ]);
    expect(await walk(memtable.cursor('forward'))).toEqual(['b#7', 'b#5']);
    expect([memtable.entryCount, memtable.largestSequence]).toEqual([2, 8]);
  });

  test('is not empty with nothing but a range delete', () => {
    const memtable = new Memtable();

    memtable.insert(new WriteBatch().deleteRange(encodeUtf8('a'), undefined).bytes, 1);

    expect([memtable.isEmpty, memtable.entryCount]).toEqual([false, 0]);
  });

  test('remembers the largest applied index', () => {
    const memtable = new Memtable();
    const before = memtable.appliedIndex;

    for (const index of [3, 9, 4]) memtable.noteApplied(index);

    expect([before, memtable.appliedIndex]).toEqual([undefined, 9]);
  });

  test('divides a payload between chunks of its arena', () => {
    const memtable = new Memtable();
    const batch = new WriteBatch();
    for (let i = 0; i < 300; i++) batch.put(`key ${i}`, new Uint8Array(i * 100).fill(i));

    memtable.insert(batch.bytes, 1);

    for (let i = 0; i < 300; i++) {
      const { value } = memtable.get(encodeUtf8(`key ${i}`), 999)!;
      expect([value.length, value.every((byte) => byte === (i & 0xff))]).toEqual([i * 100, true]);
    }
    expect(memtable.memoryBytes).toBeLessThan(1.6 * batch.byteLength);
  });

  test('refuses sequence numbers that it has seen', () => {
    const memtable = memtableOf([put('a', 5)]);

    expect(() => memtable.insert(new WriteBatch().put('a', '').bytes, 5)).toThrow('go up');
  });

  test('has cursors that end at the end, and closed ones that are of no use', () => {
    const memtable = memtableOf([put('a', 1)]);
    const cursor = memtable.cursor('forward');

    void cursor.seek(encodeUtf8('b'));

    expect(cursor.entry).toBeUndefined();
    expect(() => cursor.next()).toThrow('at the end');
    cursor.close();
    cursor.close();
    expect(() => cursor.seekToStart()).toThrow('closed');
  });
});
