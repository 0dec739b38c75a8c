/**
 * Log matching (paper figure 3): two entries of one index and term are equal, and so is everything before them. By induction it is enough that each entry
 * always has the same content and follows an entry of the same term.
 */

import { equalBytes } from '@kayadb/codec';
import type { Entry, LogIndex, NodeId, Term } from '@kayadb/raft';

import type { Fail } from './node-view.ts';

interface Known {
  readonly entry: Entry;
  previousTerm: Term | undefined;
}

export class LogCheck {
  readonly #fail: Fail;
  readonly #byTerm = new Map<Term, Map<LogIndex, Known>>();

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  /** `entries` are in the log of `id` now, behind one of `previousTerm`. */
  appended(id: NodeId, entries: readonly Entry[], previousTerm: Term | undefined): void {
    let previous = previousTerm;
    for (const entry of entries) {
      if (previous !== undefined && previous > entry.term) this.#fail(`terms fall at ${entry.index} of ${id}`);
      this.#compare(id, entry, previous);
      previous = entry.term;
    }
  }

  #compare(id: NodeId, entry: Entry, previousTerm: Term | undefined): void {
    const { term, index, kind, data } = entry;
    const ofTerm = this.#byTerm.get(term) ?? new Map<LogIndex, Known>();
    this.#byTerm.set(term, ofTerm);
    const known = ofTerm.get(index);
    if (known === undefined) {
      ofTerm.set(index, { entry, previousTerm });
      return;
    }
    if (known.entry.kind !== kind || !equalBytes(known.entry.data, data)) {
      this.#fail(`log matching: entry ${index} of term ${term} is another at node ${id}`);
    }
    if (known.previousTerm !== undefined && previousTerm !== undefined && known.previousTerm !== previousTerm) {
      this.#fail(`log matching: entry ${index} of term ${term} follows term ${previousTerm} at node ${id}`);
    }
    known.previousTerm ??= previousTerm;
  }
}
