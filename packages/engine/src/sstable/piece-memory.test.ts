import { describe, expect, test } from 'vitest';

import { PieceMemory } from './piece-memory.ts';

describe('PieceMemory', () => {
  test('gives out again what it was given', () => {
    const memory = new PieceMemory(64, 2);
    const piece = memory.take();

    memory.give(piece);

    expect(memory.take()).toBe(piece);
    expect(memory.take()).not.toBe(piece);
  });

  test('keeps no more than it may, and nothing of another size', () => {
    const memory = new PieceMemory(64, 1);
    const [first, second, large] = [memory.take(), memory.take(), new Uint8Array(65)];

    for (const piece of [large, first, second]) memory.give(piece);

    expect(memory.take()).toBe(first);
    expect([second, large]).not.toContain(memory.take());
  });
});
