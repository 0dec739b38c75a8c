import { seededRandom, testSeed, VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { DeadlineWatch } from './deadline-watch.ts';

function open(): { clock: VirtualClock; watch: DeadlineWatch<string>; due: [string, number][] } {
  const clock = new VirtualClock(1_000);
  const due: [string, number][] = [];
  const watch = new DeadlineWatch<string>(clock, (item) => due.push([item, clock.now() - 1_000]));
  return { clock, watch, due };
}

describe('DeadlineWatch', () => {
  test('calls for each item at its time, and not for those that were deleted', () => {
    const { clock, watch, due } = open();

    watch.set('late', 300);
    watch.set('early', 100);
    watch.set('gone', 200);
    watch.set('at once', 0);
    watch.delete('gone');
    clock.advance(1_000);

    expect(due).toEqual([
      ['at once', 0],
      ['early', 100],
      ['late', 300],
    ]);
  });

  test('watches an item for the time that was said last', () => {
    const { clock, watch, due } = open();

    watch.set('moved', 100);
    clock.advance(50);
    watch.set('moved', 100);
    watch.set('nearer', 500);
    watch.set('nearer', 10);
    clock.advance(1_000);

    expect(due).toEqual([
      ['nearer', 60],
      ['moved', 150],
    ]);
  });

  test('takes what is set while it calls, and uses one timer for all', () => {
    const clock = new VirtualClock();
    const due: number[] = [];
    const watch: DeadlineWatch<string> = new DeadlineWatch(clock, (item) => {
      due.push(clock.now());
      if (due.length < 4) watch.set(item, 25);
    });
    for (let i = 0; i < 50; i++) watch.set(`other ${i}`, 10_000);

    watch.set('again', 25);
    clock.advance(1_000);

    expect(due).toEqual([25, 50, 75, 100]);
    expect(clock.pendingTimers).toBe(1);
  });

  test('leaves nothing when it stops', () => {
    const { clock, watch, due } = open();
    watch.set('a', 100);

    watch.stop();
    const timers = clock.pendingTimers;
    watch.set('b', 50);
    clock.advance(1_000);

    expect(timers).toBe(0);
    expect(due).toEqual([['b', 50]]);
  });

  test('waits for what is further off than a timer reaches', () => {
    const { clock, watch, due } = open();

    watch.set('far', 2 ** 32 - 1);
    const firstMs = clock.nextDueMs! - clock.now();
    clock.advance(2 ** 32 - 2);
    const early = due.length;
    clock.advance(1);

    expect(firstMs).toBe(2 ** 31 - 1);
    expect(early).toBe(0);
    expect(due).toHaveLength(1);
  });

  test('does what one timer for each item would do', () => {
    const random = seededRandom(testSeed());
    const { clock, watch, due } = open();
    const model = new Map<string, number>();
    const expected: [string, number][] = [];
    for (let step = 0; step < 2_000; step++) {
      const item = `i${random.int(20)}`;
      if (random.chance(0.6)) {
        const delay = random.int(100);
        watch.set(item, delay);
        model.set(item, clock.now() - 1_000 + delay);
      } else if (random.chance(0.5)) {
        watch.delete(item);
        model.delete(item);
      } else {
        clock.advance(random.int(30));
        const now = clock.now() - 1_000;
        for (const [name, at] of model) if (at <= now) expected.push([name, at]);
        for (const [name, at] of model) if (at <= now) model.delete(name);
      }
    }

    expect(due.map(String).toSorted()).toEqual(expected.map(String).toSorted());
    expect(due.map(([, at]) => at)).toEqual(due.map(([, at]) => at).toSorted((a, b) => a - b));
  });
});
