/** The bounds of an iterator, asked by its seeks: in Level a seek to somewhere outside of them ends the iterator. */

import type { KeyRange } from '@kayadb/engine';

import type { LevelKey } from './level-key.ts';

export class KeyBounds {
  readonly #gt: Buffer | undefined;
  readonly #gte: Buffer | undefined;
  readonly #lt: Buffer | undefined;
  readonly #lte: Buffer | undefined;

  /** Copies the bounds. */
  constructor({ gt, gte, lt, lte }: KeyRange) {
    this.#gt = copy(gt);
    this.#gte = copy(gte);
    this.#lt = copy(lt);
    this.#lte = copy(lte);
  }

  /** As bytes, which for text is another order than JavaScript's own. */
  includes(key: LevelKey): boolean {
    const bytes = typeof key === 'string' ? Buffer.from(key) : key;
    if (this.#gt !== undefined && Buffer.compare(bytes, this.#gt) <= 0) return false;
    if (this.#gte !== undefined && Buffer.compare(bytes, this.#gte) < 0) return false;
    if (this.#lt !== undefined && Buffer.compare(bytes, this.#lt) >= 0) return false;
    return this.#lte === undefined || Buffer.compare(bytes, this.#lte) <= 0;
  }
}

function copy(bound: LevelKey | undefined): Buffer | undefined {
  return bound === undefined ? undefined : Buffer.from(bound);
}
