/** What a merge of everything does to cached gets on the main thread: the p99 of single gets, idle and while it runs. */

import { setImmediate as nextTurn } from 'node:timers/promises';

import { storedKey } from '../data/keys.ts';
import { Random } from '../data/random.ts';
import type { OpenStore } from '../engines/contestant.ts';
import { collectGarbage } from '../measure/collect-garbage.ts';
import { quantile } from '../measure/quantile.ts';
import { settle } from '../measure/settle.ts';
import { fillInRandomOrder } from './fill-random.ts';
import { openStore, type StageContext } from './stage.ts';

/** Few enough to be cached again at once when a merge has moved them. */
const HOT_ENTRIES = 1000;
const GETS_PER_TURN = 100;

export async function latency(context: StageContext): Promise<void> {
  const store = await openStore(context);
  const { getSync, compact } = store;
  if (getSync === undefined || compact === undefined) {
    const reason = getSync === undefined ? 'has no synchronous get' : 'has no compaction';
    context.skip('get-p99-idle', reason);
    context.skip('get-p99-compacting', reason);
  } else {
    await measure(context, store, getSync, compact);
  }
  await store.close();
}

async function measure(
  context: StageContext,
  store: OpenStore,
  getSync: NonNullable<OpenStore['getSync']>,
  compact: NonNullable<OpenStore['compact']>,
): Promise<void> {
  const { scale, seed } = context;
  await fillInRandomOrder(store, context, 0);
  await fillInRandomOrder(store, context, 1);
  await settle(scale.quietMs);
  const sampler = new GetSampler(getSync, scale.entries, seed);
  // Warms up code and cache.
  await sampler.sampleWhile((turns) => turns < scale.getCount / GETS_PER_TURN);
  const idle = await sampler.sampleWhile((turns) => turns < scale.getCount / GETS_PER_TURN);
  let running = true;
  const compaction = compact().finally(() => (running = false));
  const compacting = await sampler.sampleWhile(() => running);
  await compaction;
  context.report('get-p99-idle', quantile(idle, 0.99), { gets: idle.length, p50: quantile(idle, 0.5) });
  context.report('get-p99-compacting', quantile(compacting, 0.99), {
    gets: compacting.length,
    p50: quantile(compacting, 0.5),
    longest: quantile(compacting, 1),
  });
}

class GetSampler {
  readonly #getSync: NonNullable<OpenStore['getSync']>;
  readonly #entries: number;
  readonly #random: Random;

  constructor(getSync: NonNullable<OpenStore['getSync']>, entries: number, seed: number) {
    this.#getSync = getSync;
    this.#entries = entries;
    this.#random = new Random(seed);
  }

  /** @returns Durations in microseconds, ascending. At least one turn. */
  async sampleWhile(goesOn: (turns: number) => boolean): Promise<Float64Array> {
    collectGarbage();
    const durations: number[] = [];
    let turns = 0;
    do {
      this.#sampleTurn(durations);
      turns++;
      await nextTurn();
    } while (goesOn(turns));
    return Float64Array.from(durations).toSorted();
  }

  #sampleTurn(durations: number[]): void {
    const stride = Math.max(1, Math.floor(this.#entries / HOT_ENTRIES));
    const keys = Array.from({ length: GETS_PER_TURN }, () =>
      storedKey((this.#random.below(HOT_ENTRIES) * stride) % this.#entries),
    );
    for (const key of keys) {
      const startMs = performance.now();
      this.#getSync(key);
      durations.push((performance.now() - startMs) * 1000);
    }
  }
}
