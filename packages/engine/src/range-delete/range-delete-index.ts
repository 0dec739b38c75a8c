/** All range deletes of the store, flushed or not, as readers need them: made anew only after a change. */

import { NO_RANGE_DELETES, RangeDeleteSet } from './range-delete-set.ts';
import type { RangeDelete } from './range-delete.ts';

/** The memtables' lists, the first of which grows, and the manifest's. */
export interface RangeDeleteSources {
  readonly memtables: {
    readonly active: { readonly rangeDeletes: readonly RangeDelete[] };
    all(): readonly { readonly rangeDeletes: readonly RangeDelete[] }[];
  };
  readonly versions: { readonly rangeDeletes: readonly RangeDelete[] };
}

export class RangeDeleteIndex {
  readonly #sources: RangeDeleteSources;
  #set: RangeDeleteSet = NO_RANGE_DELETES;
  /** What the set was made of. */
  #active: readonly RangeDelete[] | undefined;
  #activeCount = 0;
  #flushed: readonly RangeDelete[] | undefined;

  constructor(sources: RangeDeleteSources) {
    this.#sources = sources;
  }

  /** Immutable: a reader that keeps it, with the version of the same turn, keeps seeing what it hides. */
  get current(): RangeDeleteSet {
    const { memtables, versions } = this.#sources;
    const active = memtables.active.rangeDeletes;
    if (active !== this.#active || active.length !== this.#activeCount || versions.rangeDeletes !== this.#flushed) {
      this.#active = active;
      this.#activeCount = active.length;
      this.#flushed = versions.rangeDeletes;
      this.#set = this.#build();
    }
    return this.#set;
  }

  /** A range delete may be in two lists while its memtable is being flushed. */
  #build(): RangeDeleteSet {
    const bySequence = new Map<number, RangeDelete>();
    for (const { rangeDeletes } of [this.#sources.versions, ...this.#sources.memtables.all()]) {
      for (const one of rangeDeletes) bySequence.set(one.sequence, one);
    }
    return bySequence.size === 0 ? NO_RANGE_DELETES : new RangeDeleteSet([...bySequence.values()]);
  }
}
