/**
 * Fuzzes one decoder: samples and corpus, changed, resealed, checked. An input that is refused with a sentence not heard before has
 * come somewhere new, and is kept and changed further. V8's block coverage as the guide, at ten times the cost, reached not one
 * character of source more in any decoder: each refusal has its own sentence here.
 */

import type { Decoder } from '@kayadb/engine/testing';
import { breathe, type SeededRandom, seededRandom } from '@kayadb/testkit';

import { checkInput, toHex } from './check-input.ts';
import { mutate } from './mutate.ts';
import { shrinkInput } from './shrink-input.ts';

const SAMPLES = 48;
/** Fresh samples come after so many executions. */
const ROUND = 50_000;
/** Bound: inputs that are kept. */
const MAX_KEPT = 1000;
const THOROUGH_EVERY = 16;
const BREATHE_EVERY = 128;

export interface FuzzOptions {
  readonly seed: number;
  readonly executions: number;
  /** Whether inputs that reach something new are kept. Default true; false is blind chance, to compare with. */
  readonly isGuided?: boolean;
  readonly corpus: readonly Uint8Array[];
}

/** An input, and the sentence it is refused with, numbers taken out. */
export interface KeptInput {
  readonly input: Uint8Array;
  readonly behaviour: string;
}

export interface FuzzResult {
  readonly executions: number;
  readonly accepted: number;
  /** Different refusals seen. */
  readonly refusals: number;
  /** Inputs that reached something new, in the order they were found, and what came of them. */
  readonly kept: readonly KeptInput[];
  /** The first broken promise, with the input that shows it. */
  readonly failure: string | undefined;
}

export async function fuzzDecoder(decoder: Decoder, options: FuzzOptions): Promise<FuzzResult> {
  return new Fuzzing(decoder, options).run();
}

class Fuzzing {
  readonly #decoder: Decoder;
  readonly #options: FuzzOptions;
  readonly #random: SeededRandom;
  readonly #behaviours = new Set<string>();
  readonly #kept: KeptInput[] = [];
  #pool: Uint8Array[] = [];
  #executions = 0;
  #accepted = 0;
  #failure: string | undefined;

  constructor(decoder: Decoder, options: FuzzOptions) {
    this.#decoder = decoder;
    this.#options = options;
    this.#random = seededRandom(options.seed).fork(decoder.name);
  }

  async run(): Promise<FuzzResult> {
    const { corpus, executions } = this.#options;
    await this.#refill();
    for (const input of [...corpus, ...this.#pool]) await this.#execute(input, true);
    let nextRefill = ROUND;
    while (this.#executions < executions && this.#failure === undefined) {
      if (this.#executions >= nextRefill) {
        await this.#refill();
        nextRefill += ROUND;
      }
      await this.#execute(this.#next(), this.#executions % THOROUGH_EVERY === 0);
    }
    return {
      executions: this.#executions,
      accepted: this.#accepted,
      refusals: this.#behaviours.size - (this.#accepted > 0 ? 1 : 0),
      kept: this.#kept,
      failure: this.#failure,
    };
  }

  async #refill(): Promise<void> {
    const samples: Uint8Array[] = [];
    for (let i = 0; i < SAMPLES; i++) samples.push(await this.#decoder.sample(this.#random));
    this.#pool = [...samples, ...this.#options.corpus, ...this.#kept.map(({ input }) => input)];
  }

  #next(): Uint8Array {
    const random = this.#random;
    const input = mutate(random, this.#pick(), random.pick(this.#pool));
    if (random.chance(0.8)) this.#decoder.reseal?.(input);
    return input;
  }

  /** What was kept is changed as often as all the rest, and what was kept last the most often: it is the furthest in. */
  #pick(): Uint8Array {
    const random = this.#random;
    const count = this.#kept.length;
    if (count === 0 || random.chance(0.5)) return random.pick(this.#pool);
    return this.#kept[random.chance(0.5) ? Math.max(0, count - 1 - random.int(4)) : random.int(count)]!.input;
  }

  async #execute(input: Uint8Array, isThorough: boolean): Promise<void> {
    if (++this.#executions % BREATHE_EVERY === 0) await breathe();
    const { isAccepted, behaviour, violation } = await checkInput(this.#decoder, input, isThorough);
    if (isAccepted) this.#accepted++;
    if (violation !== undefined) this.#failure ??= await this.#describe(input, violation);
    if (this.#behaviours.has(behaviour)) return;
    this.#behaviours.add(behaviour);
    if (this.#options.isGuided === false || this.#kept.length >= MAX_KEPT) return;
    this.#kept.push({ input, behaviour });
    this.#pool.push(input);
  }

  async #describe(input: Uint8Array, violation: string): Promise<string> {
    const shrunk = await shrinkInput(this.#decoder, input);
    const { name } = this.#decoder;
    const { seed } = this.#options;
    return `${name} ${violation}; input ${toHex(shrunk)}, found with seed ${seed} as ${toHex(input)}`;
  }
}
