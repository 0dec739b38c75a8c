import { describe, expect, test } from 'vitest';

import type { ProgressView } from '../core/status.ts';
import { MemberLooks } from './member-looks.ts';

function status(members: Readonly<Record<number, Partial<ProgressView>>>): Parameters<MemberLooks['look']>[0] {
  const progress = Object.entries(members).map(([node, change]): [number, ProgressView] => [
    Number(node),
    {
      state: 'replicate',
      match: 5,
      next: 6,
      isLearner: false,
      isPaused: false,
      pendingSnapshot: 0,
      isRecentlyActive: false,
      answerCount: 0,
      inflightCount: 0,
      isInflightFull: false,
      ...change,
    },
  ]);
  return { id: 1, progress: new Map(progress) };
}

describe('MemberLooks', () => {
  test('are at all but the node itself', () => {
    const seen = new MemberLooks().look(status({ 1: {}, 2: { pendingSnapshot: 9 } }));

    expect(seen).toEqual([{ isAlive: false, match: 5, pendingSnapshot: 9 }]);
  });

  test('find alive whoever has answered since the last, though the core has just forgotten it', () => {
    const looks = new MemberLooks();
    const seen = (answerCount: number, isRecentlyActive = false): boolean =>
      looks.look(status({ 2: { answerCount, isRecentlyActive } }))[0]!.isAlive;

    const alive = [seen(3), seen(3), seen(3, true), seen(4), seen(4)];

    expect(alive).toEqual([true, false, true, true, false]);
  });

  test('begin anew with the next leadership', () => {
    const looks = new MemberLooks();

    looks.look(status({ 2: { answerCount: 3 } }));
    looks.look(status({}));

    expect(looks.look(status({ 2: { answerCount: 3 } }))[0]!.isAlive).toBe(true);
  });
});
