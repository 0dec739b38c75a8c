/** Runs damages against stores, judges each, and counts: what the tests of this proof have in common. */

import { breathe, describeSeed, proofSize, type SeededRandom, seededRandom, testSeed } from '@kayadb/testkit';

import { type Figures, Findings } from '../report.ts';
import { allowedRows } from './allowed-rows.ts';
import type { Damage } from './damage.ts';
import type { DamagedStore } from './damaged-store.ts';
import { type FlippedByte, lookAtRound } from './flip-round.ts';
import { judgeLook, type Judgement } from './judge-look.ts';
import { type Depth, lookAtStore } from './look-at-store.ts';

/** Bound: a store of this size that takes longer to read than this hangs. */
const HANG_MS = 60_000;
const PROGRESS_MS = 60_000;
const OUTCOMES = ['refused at open', 'refused at read', 'harmless', 'wrong answers', 'untyped errors'] as const;

export interface DamageRunOptions {
  readonly name: string;
  /** One of this many looks is thorough. */
  readonly thoroughEvery: number;
}

export class DamageRun {
  readonly findings = new Findings();
  /** Of the test's seed and the name. */
  readonly random: SeededRandom;
  readonly #options: DamageRunOptions;
  readonly #counts = new Map<string, number>();
  readonly #startMs = performance.now();
  #progressMs = performance.now();

  constructor(options: DamageRunOptions) {
    this.#options = options;
    this.random = seededRandom(testSeed()).fork(options.name);
    for (const name of OUTCOMES) this.add(name, 0);
  }

  get figures(): Figures {
    const seconds = Math.round((performance.now() - this.#startMs) / 1000);
    return { ...Object.fromEntries(this.#counts), findings: this.findings.count, seconds };
  }

  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Adds to a figure. */
  add(name: string, count: number): void {
    this.#counts.set(name, this.count(name) + count);
  }

  /** Tries one damage. @param what - The figure that it counts for, besides the outcome. */
  async check(
    store: DamagedStore,
    damage: Damage,
    what: string,
    depth = this.#depth(),
  ): Promise<Judgement | undefined> {
    const story = `${store.name}: ${damage.story}`;
    const look = await this.#withinTime(story, lookAtStore(store, damage, depth, this.random));
    await this.#turn();
    if (look === undefined) return undefined;
    const judgement = judgeLook(store, damage, allowedRows(store, damage), look);
    this.add(what, 1);
    if (depth === 'thorough') this.add('thorough looks', 1);
    this.add(judgement.outcome, 1);
    this.add('wrong answers', judgement.wrongAnswers);
    this.add('untyped errors', judgement.untypedErrors);
    for (const fault of judgement.faults) this.#find(`${story}: ${fault}`);
    return judgement;
  }

  /** Tries several damages at once, one in each table. */
  async checkRound(store: DamagedStore, flips: readonly FlippedByte[], what: string): Promise<void> {
    const story = `${store.name}: ${flips.map(({ file, offset, mask }) => `${file}@${offset}^${mask}`).join(' ')}`;
    const outcome = await this.#withinTime(story, lookAtRound(store, flips, this.random));
    await this.#turn();
    if (outcome === undefined) return;
    this.add(what, flips.length);
    this.add('refused at read', flips.length);
    this.add('wrong answers', outcome.wrongAnswers);
    this.add('untyped errors', outcome.untypedErrors);
    for (const fault of outcome.faults) this.#find(`${story}: ${fault}`);
  }

  #find(sentence: string): void {
    this.findings.add(`${sentence} (${describeSeed(testSeed())})`);
  }

  #depth(): Depth {
    return this.random.int(this.#options.thoroughEvery) === 0 ? 'thorough' : 'scan';
  }

  async #turn(): Promise<void> {
    await breathe();
    if (proofSize === 'ci' || performance.now() - this.#progressMs < PROGRESS_MS) return;
    this.#progressMs = performance.now();
    console.info(`${this.#options.name}: ${JSON.stringify(this.figures)}`);
  }

  /** What awaits nothing but memory and never ends is a hang. */
  async #withinTime<Value>(story: string, work: Promise<Value>): Promise<Value | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => {
        this.#find(`${story}: it hangs`);
        resolve(undefined);
      }, HANG_MS);
    });
    try {
      return await Promise.race([work, late]);
    } catch (error) {
      this.add('untyped errors', 1);
      this.#find(`${story}: ${String(error)}`);
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }
}
