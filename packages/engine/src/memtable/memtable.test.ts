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
});
