/** What one client does next: puts, deletes, batches with conditions, reads and appends, on few keys, so that clients meet. Every value is written once. */

import {
  type Change,
  type Condition,
  plainWrite,
  type ReadAction,
  type SeenRow,
  type WriteAction,
} from '../history/operation.ts';
import type { SeededRandom } from '../seeded-random.ts';

export const OPERATION_KINDS = ['get', 'get-many', 'put', 'delete', 'compare', 'batch', 'append'] as const;

export type OperationKind = (typeof OPERATION_KINDS)[number];

/** How often each kind comes, against the others. */
export type Mix = Readonly<Record<OperationKind, number>>;

export const DEFAULT_MIX: Mix = { get: 30, 'get-many': 8, put: 20, delete: 6, compare: 16, batch: 8, append: 12 };

export interface MixOptions {
  readonly client: number;
  readonly random: SeededRandom;
  readonly mix: Mix;
  readonly registers: readonly string[];
  readonly lists: readonly string[];
}

export type NextOperation =
  | ReadAction
  | WriteAction
  | { readonly kind: 'append'; readonly key: string; readonly word: string };

export class OperationMix {
  readonly #options: MixOptions;
  readonly #kinds: readonly OperationKind[];
  /** What the client saw last under each key: what its compares are about. */
  readonly #seen = new Map<string, SeenRow | null>();
  #serial = 0;

  constructor(options: MixOptions) {
    this.#options = options;
    this.#kinds = OPERATION_KINDS.flatMap((kind) => Array.from({ length: options.mix[kind] }, () => kind));
  }

  remember(key: string, row: SeenRow | null): void {
    this.#seen.set(key, row);
  }

  next(): NextOperation {
    const { random, registers, lists } = this.#options;
    const kind = random.pick(this.#kinds);
    const key = random.pick(registers);
    switch (kind) {
      case 'get':
        return { kind: 'read', keys: [random.pick([...registers, ...lists])] };
      case 'get-many':
        return { kind: 'read', keys: random.shuffle(registers).slice(0, 2) };
      case 'put':
        return plainWrite({ kind: 'put', key, value: this.#newWord() });
      case 'delete':
        return plainWrite({ kind: 'delete', key });
      case 'compare':
        return { kind: 'write', conditions: [this.#condition(key)], changes: [this.#change(key)], otherwise: [] };
      case 'batch':
        return this.#batch();
      case 'append':
        return { kind, key: random.pick(lists), word: this.#newWord() };
    }
  }

  /** Two keys at once; now and then with conditions, or with something else to do. */
  #batch(): WriteAction {
    const { random, registers } = this.#options;
    const [first = '', second = ''] = random.shuffle(registers);
    return {
      kind: 'write',
      conditions: random.chance(0.5) ? [this.#condition(first)] : [],
      changes: [first, second].map((key) => this.#change(key)),
      otherwise: random.chance(0.3) ? [this.#change(second)] : [],
    };
  }

  #change(key: string): Change {
    return this.#options.random.chance(0.85) ? { kind: 'put', key, value: this.#newWord() } : { kind: 'delete', key };
  }

  #condition(key: string): Condition {
    const seen = this.#seen.get(key);
    const how = this.#options.random.int(4);
    if (seen === undefined || how === 0) return { kind: 'exists', key, exists: this.#options.random.chance(0.7) };
    if (seen === null) return { kind: 'exists', key, exists: false };
    if (how === 1 || seen.revision === undefined) return { kind: 'value', key, value: seen.value };
    return { kind: 'revision', key, revision: seen.revision };
  }

  #newWord(): string {
    return `${this.#options.client}.${++this.#serial}`;
  }
}
