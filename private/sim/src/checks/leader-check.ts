/** Election safety (paper figure 3): at most one node leads in a term, and a quorum of its configuration has durably voted for it. */

import type { NodeId, Term } from '@kayadb/raft';

import type { Ledger } from '../node/ledger.ts';
import type { Fail, NodeView } from './node-view.ts';
import { isQuorum } from './quorum.ts';

export class LeaderCheck {
  readonly #fail: Fail;
  readonly #ledgerOf: (id: NodeId) => Ledger | undefined;
  readonly #leaders = new Map<Term, NodeId>();

  constructor(fail: Fail, ledgerOf: (id: NodeId) => Ledger | undefined) {
    this.#fail = fail;
    this.#ledgerOf = ledgerOf;
  }

  observe({ id, status: { role, term, configuration }, configurationBefore }: NodeView): void {
    if (role !== 'leader') return;
    const known = this.#leaders.get(term);
    if (known === id) return;
    if (known !== undefined) this.#fail(`nodes ${known} and ${id} lead in term ${term}`);
    this.#leaders.set(term, id);
    const hasVoted = (voter: NodeId): boolean => this.#ledgerOf(voter)?.voteIn(term) === id;
    if (isQuorum(configuration, hasVoted) || isQuorum(configurationBefore, hasVoted)) return;
    this.#fail(`node ${id} leads in term ${term}, and no quorum has durably voted for it`);
  }
}
