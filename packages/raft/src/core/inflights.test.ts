/** The window of appends without an answer (thesis section 10.2.1). */

import { describe, expect, test } from 'vitest';

import { Inflights } from './inflights.ts';

function filled(maxMessages: number, indexes: readonly number[], maxBytes = Infinity): Inflights {
  const inflights = new Inflights({ maxMessages, maxBytes });
  for (const index of indexes) inflights.add(index, 100);
  return inflights;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('Inflights', () => {
  test('counts messages and their bytes, around the end of its ring', () => {
    const inflights = filled(10, range(0, 5));
    inflights.freeUpTo(4);

    for (const index of range(5, 15)) inflights.add(index, index);

    expect(inflights.count).toBe(10);
    expect(inflights.bytes).toBe(95);
    inflights.freeUpTo(13);
    expect(inflights.count).toBe(1);
    expect(inflights.bytes).toBe(14);
  });

  test('frees what has arrived and nothing else', () => {
    const inflights = filled(10, range(0, 10));

    inflights.freeUpTo(0);
    expect(inflights.count).toBe(9);
    inflights.freeUpTo(4);
    expect(inflights.count).toBe(5);
    inflights.freeUpTo(3);
    expect(inflights.count).toBe(5);
    inflights.freeUpTo(20);

    expect(inflights.count).toBe(0);
    expect(inflights.bytes).toBe(0);
  });

  test.each([
    ['messages', 3, Infinity, 3],
    ['bytes', 10, 250, 3],
    ['bytes that are met exactly', 10, 200, 2],
    ['a single message above the bytes', 10, 1, 1],
  ])('is full by %s', (_what, maxMessages, maxBytes, count) => {
    const inflights = filled(maxMessages, range(1, count), maxBytes);
    expect(inflights.isFull).toBe(false);

    inflights.add(count, 100);

    expect(inflights.isFull).toBe(true);
    expect(() => inflights.add(count + 1, 1)).toThrow('the window is full');
    inflights.freeUpTo(1);
    expect(inflights.isFull).toBe(false);
  });

  test('is empty after it was cleared, and can be filled again', () => {
    const inflights = filled(20, range(0, 12));
    inflights.freeUpTo(7);

    inflights.clear();

    expect(inflights.count).toBe(0);
    for (const index of range(30, 50)) inflights.add(index, 1);
    expect(inflights.bytes).toBe(20);
    inflights.freeUpTo(48);
    expect(inflights.count).toBe(1);
  });

  test('keeps its order when it grows in the middle of its ring', () => {
    const inflights = filled(20, range(0, 8));
    inflights.freeUpTo(2);

    for (const index of range(8, 14)) inflights.add(index, 1);

    expect(inflights.count).toBe(11);
    for (const index of range(3, 14)) {
      inflights.freeUpTo(index);
      expect(inflights.count).toBe(13 - index);
    }
  });
});
