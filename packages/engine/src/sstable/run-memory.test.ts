import { describe, expect, test } from 'vitest';

import { RunMemory } from './run-memory.ts';

describe('RunMemory', () => {
  test('gives what was given back, until it is trimmed', async () => {
    const runs = new RunMemory(16, 2);
    const first = await runs.take();
    const heldBytes = runs.allocatedBytes;

    runs.give(first);
    const again = await runs.take();
    runs.give(again);
    runs.trim();
    const trimmedBytes = runs.allocatedBytes;
    const fresh = await runs.take();

    expect(again).toBe(first);
    expect(fresh).not.toBe(first);
    expect(fresh).toHaveLength(16);
    expect([heldBytes, trimmedBytes]).toEqual([16, 0]);
  });

  test('lets those beyond its bound wait, and serves them in their order', async () => {
    const runs = new RunMemory(16, 1);
    const first = await runs.take();
    const served: string[] = [];
    const waiting = ['a', 'b'].map(async (name) => {
      const memory = await runs.take();
      served.push(name);
      return memory;
    });
    await Promise.resolve();
    const servedBefore = [...served];

    runs.give(first);
    const second = await waiting[0]!;
    const servedBetween = [...served];
    runs.give(second);
    await waiting[1];

    expect([servedBefore, servedBetween, served]).toEqual([[], ['a'], ['a', 'b']]);
    expect(second).toBe(first);
  });
});
