import { describe, expect, test } from 'vitest';

import { runConcurrently } from './writers.ts';

describe('runConcurrently', () => {
  test('does every operation once and never more at a time than asked for', async () => {
    const done: number[] = [];
    let inFlight = 0;
    let most = 0;

    await runConcurrently(20, 3, async (index) => {
      inFlight++;
      most = Math.max(most, inFlight);
      await Promise.resolve();
      inFlight--;
      done.push(index);
    });

    expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(most).toBe(3);
  });

  test('fails with the operation that failed', async () => {
    const failing = runConcurrently(5, 2, (index) =>
      index === 3 ? Promise.reject(new Error('no')) : Promise.resolve(),
    );

    await expect(failing).rejects.toThrow('no');
  });
});
