/** All range deletes of the store, flushed or not, as readers need them: made anew only after a change. */

import { NO_RANGE_DELETES, RangeDeleteSet } from './range-delete-set.ts';
import type { RangeDelete } from './range-delete.ts';

export class RangeDeleteIndex {
  readonly #sources: () => Iterable<readonly RangeDelete[]>;
  #set: RangeDeleteSet | undefined = NO_RANGE_DELETES;

  /** @param sources - Every list of range deletes there is; the same one may be in two of them. */
  constructor(sources: () => Iterable<readonly RangeDelete[]>) {
    this.#sources = sources;
  }

  /** Told whenever a list has changed. */
  invalidate(): void {
    this.#set = undefined;
  }

  /** Immutable: a reader that keeps it keeps seeing what it hides. */
  get current(): RangeDeleteSet {
    this.#set ??= this.#build();
    return this.#set;
  }

  #build(): RangeDeleteSet {
    const bySequence = new Map<number, RangeDelete>();
    for (const list of this.#sources()) for (const one of list) bySequence.set(one.sequence, one);
    return bySequence.size === 0 ? NO_RANGE_DELETES : new RangeDeleteSet([...bySequence.values()]);
  }
}
