import type { NodeStatus, ProgressView } from '@kayadb/raft';
import { describe, expect, test } from 'vitest';

import { Hearing } from './hearing.ts';

type Told = Pick<NodeStatus, 'id' | 'term' | 'progress'>;

/** Of node 1, which leads and has heard `active` of nodes 2 and 3. */
function leading(term: number, ...active: readonly number[]): Told {
  const progress = [1, 2, 3].map((node) => [node, { isRecentlyActive: node === 1 || active.includes(node) }] as const);
  return { id: 1, term, progress: new Map(progress) as unknown as ReadonlyMap<number, ProgressView> };
}

function following(term: number): Told {
  return { id: 1, term, progress: new Map() };
}

describe('Hearing', () => {
  test('counts a member as answering for three heartbeats after it was last heard', () => {
    const hearing = new Hearing();
    hearing.tick(leading(1, 2, 3));

    const seen: boolean[] = [];
    for (let tick = 0; tick < 8; tick++) {
      hearing.tick(leading(1, 3));
      seen.push(hearing.isAnswering(2, leading(1, 3)));
    }

    expect(seen).toEqual([true, true, true, true, true, true, false, false]);
    expect(hearing.isAnswering(3, leading(1, 3))).toBe(true);
    expect(hearing.isAnswering(1, leading(1))).toBe(true);
    expect(hearing.isAnswering(9, leading(1))).toBe(false);
  });

  test('knows nothing from an earlier term', () => {
    const hearing = new Hearing();
    hearing.tick(leading(1, 2));

    expect(hearing.isAnswering(2, leading(2))).toBe(false);
  });

  test('keeps nobody waiting for a node that leads no more', async () => {
    const hearing = new Hearing();
    hearing.tick(following(1));
    let isSettled = false;
    const settle = async (): Promise<void> => {
      await hearing.settled(leading(2));
      isSettled = true;
    };
    const settling = settle();

    hearing.tick(following(3));
    await Promise.resolve();
    await Promise.resolve();

    expect(isSettled).toBe(true);
    await settling;
  });

  test('is settled when everybody was heard', async () => {
    const hearing = new Hearing();
    let isSettled = false;
    hearing.tick(following(1));
    const settle = async (): Promise<void> => {
      await hearing.settled(leading(2, 2));
      isSettled = true;
    };
    const settling = settle();
    hearing.tick(leading(2, 2));
    await Promise.resolve();
    const before = isSettled;

    hearing.tick(leading(2, 3));
    await settling;

    expect(before).toBe(false);
  });

  test('is settled when a leader has had the time to hear them, counted from when it began to lead', async () => {
    const hearing = new Hearing();
    for (let tick = 0; tick < 20; tick++) hearing.tick(following(1));
    let ticks = 0;
    let settledAt = 0;
    const settle = async (): Promise<void> => {
      await hearing.settled(leading(1));
      settledAt = ticks;
    };
    const settling = settle();

    for (; ticks < 10; ticks++) {
      hearing.tick(leading(1));
      await Promise.resolve();
    }
    await settling;

    expect(settledAt).toBe(6);
  });

  test('is settled at once where the leader is alone, and lets everybody go when it is released', async () => {
    const hearing = new Hearing();
    const { id, term, progress } = leading(1);
    const alone = { id, term, progress: new Map([[1, progress.get(1)!]]) };

    await hearing.settled(alone);
    const waiting = hearing.settled(leading(2));
    hearing.release();
    await waiting;

    expect(hearing.isAnswering(2, leading(2))).toBe(false);
  });
});
