/**
 * What is committed: it never changes, a quorum holds it durably when a leader commits it, and every later leader has it (paper figure 3, leader completeness).
 */

import type { LogIndex, NodeId, Term } from '@kayadb/raft';

import type { Ledger } from '../node/ledger.ts';
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
  readonly #committed = new Map<LogIndex, Committed>();
  /** Up to where the log of a life was compared. */
  readonly #seen = new Map<number, LogIndex>();
  readonly #leaders = new Map<Term, NodeId>();

  constructor(fail: Fail, ledgerOf: (id: NodeId) => Ledger | undefined) {
    this.#fail = fail;
    this.#ledgerOf = ledgerOf;
  }

  observe(view: NodeView): void {
    const { role, term } = view.status;
    if (role === 'leader' && !this.#leaders.has(term)) this.#checkCompleteness(view);
    if (role === 'leader' && (this.#leaders.get(term) ?? view.id) !== view.id) {
      this.#fail(`election safety: nodes ${this.#leaders.get(term)} and ${view.id} lead in term ${term}`);
    }
    if (role === 'leader') this.#leaders.set(term, view.id);
    this.#compare(view);
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
    const isOwnCommit = index > before && role === 'leader' && storage.term(index) === term;
    if (!isOwnCommit) return;
    const isHeld = (voter: NodeId): boolean => {
      const durable = this.#ledgerOf(voter)?.durableTerm(index);
      return durable === term || durable === 'covered';
    };
    if (isQuorum(configuration, isHeld) || isQuorum(configurationBefore, isHeld)) return;
    this.#fail(`leader ${id} of term ${term} has committed ${index}, which no quorum holds durably`);
  }

  #note(id: NodeId, index: LogIndex, term: Term, inTerm: Term): void {
    const known = this.#committed.get(index);
    if (known !== undefined && known.term !== term) {
      this.#fail(`entry ${index} was committed with term ${known.term}; node ${id} has committed one of term ${term}`);
    }
    if (known === undefined || inTerm < known.inTerm) this.#committed.set(index, { term, inTerm });
  }

  /** Entries that were committed in this term or a later one need not be there: an election may end late. */
  #checkCompleteness({ id, status, storage }: NodeView): void {
    for (const [index, { term, inTerm }] of this.#committed) {
      if (inTerm >= status.term || index < storage.firstIndex - 1) continue;
      const found = storage.term(index);
      if (found === term || found === 'compacted') continue;
      this.#fail(`leader ${id} of term ${status.term} has ${found} at ${index}; committed is term ${term}`);
      return;
    }
  }
}
