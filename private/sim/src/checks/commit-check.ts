/**
 * What is committed: it never changes, a quorum holds it durably when a leader commits it, nobody who holds it gives it up, and every later leader has it (paper figure 3,
 * leader completeness).
 */

import type { Entry, LogIndex, NodeId, Term } from '@kayadb/raft';

import type { Ledger } from '../node/ledger.ts';
import type { EntryId } from '../node/watched-storage.ts';
import type { Fail, NodeView } from './node-view.ts';
import { isQuorum } from './quorum.ts';

interface Committed {
  readonly term: Term;
  /** The first term in which it was seen to be committed. */
  readonly inTerm: Term;
}

export class CommitCheck {
  readonly #fail: Fail;
  readonly #ledgerOf: (id: NodeId) => Ledger | undefined;
  /** By index. */
  readonly #committed: (Committed | undefined)[] = [];
  /** Up to where the log of a life was compared. */
  readonly #seen = new Map<number, LogIndex>();
  /** The term that a life led in when it was seen last; 0 when it did not lead. */
  readonly #ledTerm = new Map<number, Term>();

  constructor(fail: Fail, ledgerOf: (id: NodeId) => Ledger | undefined) {
    this.#fail = fail;
    this.#ledgerOf = ledgerOf;
  }

  observe(view: NodeView): void {
    const { role, term } = view.status;
    if (role === 'leader' && this.#ledTerm.get(view.life) !== term) this.#checkCompleteness(view);
    this.#compare(view);
  }

  /** @param before - What stood in the log of `id` from the first of `entries` on, which end the log now. */
  replaced(id: NodeId, before: readonly EntryId[], entries: readonly Entry[]): void {
    const first = entries[0]?.index ?? 0;
    for (const { index, term } of before) {
      if (this.#committed[index]?.term !== term || entries[index - first]?.term === term) continue;
      this.#fail(`node ${id} gives up ${index} of term ${term}, which is committed`);
      return;
    }
  }

  #compare({ id, life, status, storage, configurationBefore }: NodeView): void {
    const { commit, term, role, configuration } = status;
    const before = this.#seen.get(life) ?? Math.max(0, storage.firstIndex - 2);
    let index = before;
    for (; index < commit; index++) {
      const found = storage.term(index + 1);
      // Handed out to be written and not written, as the disk is full.
      if (found === 'unavailable') break;
      if (found !== 'compacted') this.#note(id, index + 1, found, term);
    }
    this.#seen.set(life, index);
    const hasLed = this.#ledTerm.get(life) === term;
    this.#ledTerm.set(life, role === 'leader' ? term : 0);
    if (index === before || role !== 'leader') return;
    const last = storage.term(index);
    if (hasLed && typeof last === 'number' && last !== term) {
      this.#fail(`leader ${id} of term ${term} has committed ${index} of term ${last} by counting`);
    }
    if (last !== term) return;
    const isHeld = (voter: NodeId): boolean => {
      const durable = this.#ledgerOf(voter)?.durableTerm(index);
      return durable === term || durable === 'covered';
    };
    if (isQuorum(configuration, isHeld) || isQuorum(configurationBefore, isHeld)) return;
    this.#fail(`leader ${id} of term ${term} has committed ${index}, which no quorum holds durably`);
  }

  #note(id: NodeId, index: LogIndex, term: Term, inTerm: Term): void {
    const known = this.#committed[index];
    if (known !== undefined && known.term !== term) {
      this.#fail(`entry ${index} was committed with term ${known.term}; node ${id} has committed one of term ${term}`);
    }
    if (known === undefined || inTerm < known.inTerm) this.#committed[index] = { term, inTerm };
  }

  /** Entries that were committed in this term or a later one need not be there: an election may end late. */
  #checkCompleteness({ id, status, storage }: NodeView): void {
    for (let index = Math.max(1, storage.firstIndex - 1); index < this.#committed.length; index++) {
      const committed = this.#committed[index];
      if (committed === undefined || committed.inTerm >= status.term) continue;
      const { term } = committed;
      const found = storage.term(index);
      if (found === term || found === 'compacted') continue;
      this.#fail(`leader ${id} of term ${status.term} has ${found} at ${index}; committed is term ${term}`);
      return;
    }
  }
}
