import { concatBytes } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { OutputQueue } from './output-queue.ts';

describe('OutputQueue', () => {
  test('joins small chunks up to the bound', () => {
    const queue = new OutputQueue();
    for (const each of [[1], [2, 3], [4, 5, 6]]) queue.push(Uint8Array.from(each));

    const first = queue.take(4);
    const second = queue.take(4);

    expect(first).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(second).toEqual(Uint8Array.of(5, 6));
    expect(queue.take(4)).toBeUndefined();
  });

  test('does not copy a chunk that goes out alone', () => {
    const queue = new OutputQueue();
    const chunk = new Uint8Array(10);
    queue.push(chunk);

    const taken = queue.take(6);

    expect(taken?.buffer).toBe(chunk.buffer);
    expect(queue.bytes).toBe(4);
  });

  test('gives out exactly what went in, in pieces within the bound', () => {
    const random = seededRandom(testSeed());
    const queue = new OutputQueue();
    const pushed: Uint8Array[] = [];
    const taken: Uint8Array[] = [];
    const sizes: (readonly [number, number])[] = [];

    for (let i = 0; i < 3000; i++) {
      if (random.int(3) > 0) {
        const chunk = random.bytes(random.int(21));
        queue.push(chunk);
        pushed.push(chunk);
      } else {
        const max = 1 + random.int(30);
        const before = queue.bytes;
        const piece = queue.take(max) ?? new Uint8Array(0);
        sizes.push([piece.length, Math.min(max, before)]);
        taken.push(piece);
      }
    }
    taken.push(queue.take(Number.MAX_SAFE_INTEGER) ?? new Uint8Array(0));

    expect(Buffer.compare(concatBytes(taken), concatBytes(pushed))).toBe(0);
    expect(sizes.every(([size, expected]) => size === expected)).toBe(true);
  });
});
