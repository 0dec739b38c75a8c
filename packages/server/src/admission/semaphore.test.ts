import { settle } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { Semaphore } from './semaphore.ts';

describe('Semaphore', () => {
  test('runs no more than its permits at once, in order, also after failures', async () => {
    const semaphore = new Semaphore(2);
    const started: number[] = [];
    const ends: ((error?: Error) => void)[] = [];
    const run = (id: number): Promise<void> =>
      semaphore.run(() => {
        started.push(id);
        return new Promise((resolve, reject) => {
          ends.push((error) => (error === undefined ? resolve() : reject(error)));
        });
      });
    const runs = [0, 1, 2, 3].map(run);
    const outcomes = Promise.allSettled(runs);

    const atFirst = [...started];
    ends[0]!(new Error('broken'));
    await settle();

    expect(atFirst).toEqual([0, 1]);
    expect(started).toEqual([0, 1, 2]);
    for (const end of ends.slice(1)) end();
    await settle();
    ends[3]!();
    const states = (await outcomes).map(({ status }) => status);
    expect(states).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  });
});
