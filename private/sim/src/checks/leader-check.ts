/** Election safety (paper figure 3): at most one node leads in a term. */

import type { NodeId, Term } from '@kayadb/raft';

import type { Fail, NodeView } from './node-view.ts';

export class LeaderCheck {
  readonly #fail: Fail;
  readonly #leaders = new Map<Term, NodeId>();

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  observe({ id, status: { role, term } }: NodeView): void {
    if (role !== 'leader') return;
    const known = this.#leaders.get(term);
    if (known === undefined) this.#leaders.set(term, id);
    else if (known !== id) this.#fail(`nodes ${known} and ${id} lead in term ${term}`);
  }
}
