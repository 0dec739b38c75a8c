import type { NodeStatus, ProgressView } from '@kayadb/raft';
import { describe, expect, test } from 'vitest';

import { Hearing } from './hearing.ts';

type Told = Pick<NodeStatus, 'id' | 'term' | 'progress'>;

/** Of node 1, which leads 2 and 3. */
class Leading {
  readonly term: number;
  readonly #answers = new Map([1, 2, 3].map((node) => [node, 0]));

  constructor(term: number) {
    this.term = term;
  }

  /** They have answered once more. */
  heard(...nodes: readonly number[]): Told {
    for (const node of nodes) this.#answers.set(node, this.#answers.get(node)! + 1);
    const progress = [...this.#answers].map(([node, answerCount]) => [node, { answerCount }] as const);
    return { id: 1, term: this.term, progress: new Map(progress) as unknown as ReadonlyMap<number, ProgressView> };
  }
}

function following(term: number): Told {
  return { id: 1, term, progress: new Map() };
}

/** What has come of it so far. */
function watch<T>(work: Promise<T>): { readonly value: () => T | undefined } {
  let value: T | undefined;
  const take = async (): Promise<void> => {
    value = await work;
  };
  void take();
  return { value: () => value };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

describe('Hearing', () => {
  test('counts a member as answering for six heartbeats after its last answer', () => {
    const hearing = new Hearing();
    const leading = new Leading(1);
    hearing.tick(leading.heard(2, 3));

    const seen: boolean[] = [];
    for (let tick = 0; tick < 14; tick++) {
      hearing.tick(leading.heard(3));
      seen.push(hearing.isAnswering(2, leading.heard()));
    }

    expect(seen).toEqual([...Array<boolean>(12).fill(true), false, false]);
    expect(hearing.isAnswering(3, leading.heard())).toBe(true);
    expect(hearing.isAnswering(1, leading.heard())).toBe(true);
    expect(hearing.isAnswering(9, leading.heard())).toBe(false);
  });

  test('knows nothing from an earlier term', () => {
    const hearing = new Hearing();
    hearing.tick(new Leading(1).heard(2));

    expect(hearing.isAnswering(2, new Leading(2).heard())).toBe(false);
  });

  test('keeps nobody waiting for a node that leads no more', async () => {
    const hearing = new Hearing();
    hearing.tick(following(1));
    const settling = hearing.settled(new Leading(2).heard());
    const round = hearing.round(new Leading(2).heard());

    hearing.tick(following(3));

    await settling;
    expect([...(await round)]).toEqual([1]);
  });

  test('is settled when everybody was heard', async () => {
    const hearing = new Hearing();
    const leading = new Leading(2);
    hearing.tick(following(1));
    const settled = watch(hearing.settled(leading.heard(2)).then(() => true));
    hearing.tick(leading.heard(2));
    await turns();
    const before = settled.value();

    hearing.tick(leading.heard(3));
    await turns();

    expect([before, settled.value()]).toEqual([undefined, true]);
  });

  test('is settled when a leader has had the time to hear them, counted from when it began to lead', async () => {
    const hearing = new Hearing();
    const leading = new Leading(1);
    for (let tick = 0; tick < 20; tick++) hearing.tick(following(1));
    const settled = watch(hearing.settled(leading.heard()).then(() => true));

    const seen: unknown[] = [];
    for (let tick = 0; tick < 12; tick++) {
      seen.push(settled.value());
      hearing.tick(leading.heard());
      await turns();
    }

    expect(seen).toEqual(Array(12).fill(undefined));
    expect(settled.value()).toBe(true);
  });

  test('is settled at once where the leader is alone, and lets everybody go when it is released', async () => {
    const hearing = new Hearing();
    const { id, term, progress } = new Leading(1).heard();
    const alone = { id, term, progress: new Map([[1, progress.get(1)!]]) };

    await hearing.settled(alone);
    const waiting = hearing.settled(new Leading(2).heard());
    const round = hearing.round(new Leading(2).heard());
    hearing.release();
    await waiting;

    expect([...(await round)]).toEqual([1]);
    expect([...(await hearing.round(alone))]).toEqual([1]);
    expect(hearing.isAnswering(2, new Leading(2).heard())).toBe(false);
  });

  test('has a round in which only those count who answer after it has begun', async () => {
    const hearing = new Hearing();
    const leading = new Leading(1);
    hearing.tick(leading.heard(2, 3));
    const round = watch(hearing.round(leading.heard()));

    hearing.tick(leading.heard(3));
    await turns();
    const early = round.value();
    hearing.tick(leading.heard(2));
    await turns();

    expect(early).toBeUndefined();
    expect([...round.value()!]).toEqual([1, 3, 2]);
  });

  test('has a round that does not wait for ever for one that is silent, and tells without it', async () => {
    const hearing = new Hearing();
    const leading = new Leading(1);
    hearing.tick(leading.heard(2, 3));
    const round = watch(hearing.round(leading.heard()));

    for (let tick = 0; tick < 11; tick++) hearing.tick(leading.heard(3));
    await turns();
    const early = round.value();
    hearing.tick(leading.heard(3));
    await turns();

    expect(early).toBeUndefined();
    expect([...round.value()!]).toEqual([1, 3]);
    expect(hearing.isAnswering(2, leading.heard())).toBe(true);
  });
});
