import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { PendingRows } from './pending-rows.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textOf = (row: Uint8Array | null | undefined): string | null | undefined =>
  row instanceof Uint8Array ? Buffer.from(row).toString() : row;

describe('PendingRows', () => {
  test('agrees with a plain list of operations, whenever it is asked', () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    for (let round = 0; round < 200; round++) {
      const pending = new PendingRows();
      const naive = new Map<string, string | null>();
      const found: unknown[] = [];
      const expected: unknown[] = [];
      for (let step = 0; step < 30; step++) {
        const key = `${random.pick(['a', 'b'])}${random.int(6)}`;
        const draw = random.int(10);
        if (draw < 4) {
          pending.put(bytes(key), bytes(`${step}`));
          naive.set(key, `${step}`);
        } else if (draw < 6) {
          pending.delete(bytes(key));
          naive.set(key, null);
        } else if (draw < 8) {
          const to = `${key[0]}${random.int(7)}`;
          pending.deleteRange(bytes(key), bytes(to));
          for (const first of ['a', 'b']) {
            for (let i = 0; i < 6; i++)
              if (`${first}${i}` >= key && `${first}${i}` < to) naive.set(`${first}${i}`, null);
          }
        } else {
          found.push(textOf(pending.find(bytes(key))));
          expected.push(naive.get(key));
        }
      }
      expect(found, `seed ${seed}, round ${round}`).toEqual(expected);
    }
  });

  test('is empty once it was taken, and what was taken is in order', () => {
    const pending = new PendingRows();
    pending.put(bytes('a'), bytes('1'));
    pending.deleteRange(bytes('a'), bytes('c'));
    pending.deleteRange(bytes('c'), bytes('a'));
    pending.find(bytes('a'));

    const taken = pending.take();
    pending.delete(bytes('b'));

    expect(taken.map(({ kind }) => kind)).toEqual(['put', 'delete-range']);
    expect(pending.find(bytes('a'))).toBeUndefined();
    expect(pending.find(bytes('b'))).toBeNull();
    expect([pending.count, pending.rangeCount, pending.bytes]).toEqual([1, 0, 9]);
  });
});
