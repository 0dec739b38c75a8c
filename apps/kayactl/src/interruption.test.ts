import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { withinGrace } from './interruption.ts';

function openWorld(): { readonly clock: VirtualClock; readonly stop: AbortController; readonly signal: AbortSignal } {
  const stop = new AbortController();
  return { clock: new VirtualClock(), stop, signal: stop.signal };
}

/** Work that nothing ends, as a read from a disk that does not answer. */
const endless = (): Promise<never> => new Promise(() => {});

describe('withinGrace', () => {
  test('gives what the work gives, and leaves no timer', async () => {
    const world = openWorld();

    const result = await withinGrace(Promise.resolve('done'), 10, world);
    const failed = withinGrace(Promise.reject(new Error('broken')), 10, world);

    expect(result).toBe('done');
    await expect(failed).rejects.toThrow('broken');
    expect(world.clock.pendingTimers).toBe(0);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('gives work up some time after %s, with status %i', async (signal, exitCode) => {
    const world = openWorld();
    const waiting = withinGrace(endless(), 10, world);

    world.clock.advance(1000);
    const timersBefore = world.clock.pendingTimers;
    world.stop.abort(signal);
    world.clock.advance(9);
    const timersWithin = world.clock.pendingTimers;
    world.clock.advance(1);

    await expect(waiting).rejects.toMatchObject({ code: 'KAYA_INTERRUPTED', exitCode });
    expect([timersBefore, timersWithin, world.clock.pendingTimers]).toEqual([0, 1, 0]);
  });

  test('lets work end in order within that time', async () => {
    const world = openWorld();
    world.stop.abort('SIGINT');
    let finish: (value: string) => void = () => {};
    const work = new Promise<string>((resolve) => {
      finish = resolve;
    });
    const waiting = withinGrace(work, 10, world);

    world.clock.advance(9);
    finish('closed');

    expect(await waiting).toBe('closed');
    expect(world.clock.pendingTimers).toBe(0);
  });
});
