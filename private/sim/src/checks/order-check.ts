/** What a process never takes back, and how its numbers lie to each other. */

import type { Fail, NodeView } from './node-view.ts';

interface Before {
  readonly term: number;
  readonly vote: number;
  readonly commit: number;
  readonly applied: number;
  readonly durable: number;
  readonly first: number;
  readonly refusals: number;
}

export class OrderCheck {
  readonly #fail: Fail;
  readonly #before = new Map<number, Before>();

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  observe(view: NodeView): void {
    const { id, life, status, storage, appliedIndex, durableIndex } = view;
    const { term, vote, commit } = status;
    const now: Before = {
      term,
      vote,
      commit,
      applied: appliedIndex,
      durable: durableIndex,
      first: storage.firstIndex,
      refusals: storage.refusalCount,
    };
    const before = this.#before.get(life);
    this.#before.set(life, now);
    if (before !== undefined) this.#compare(id, before, now);
    this.#checkOrder(view);
  }

  #compare(id: number, before: Before, now: Before): void {
    this.#assertGrows(id, 'term', before.term, now.term);
    this.#assertGrows(id, 'commit', before.commit, now.commit);
    this.#assertGrows(id, 'applied', before.applied, now.applied);
    this.#assertGrows(id, 'durable', before.durable, now.durable);
    // A snapshot that waits to be written is seen already, and a full disk takes it back.
    if (now.refusals === before.refusals) this.#assertGrows(id, 'first', before.first, now.first);
    const hasChangedVote = now.term === before.term && before.vote !== 0 && now.vote !== before.vote;
    if (hasChangedVote) this.#fail(`node ${id} voted for ${before.vote} and ${now.vote} in term ${now.term}`);
  }

  #assertGrows(id: number, name: string, before: number, now: number): void {
    if (now < before) this.#fail(`${name} of node ${id} went from ${before} to ${now}`);
  }

  /** Purged <= snapshot <= committed <= last; applied <= committed; purged <= durable but while a snapshot is being taken over. */
  #checkOrder({ id, status, storage, appliedIndex, durableIndex }: NodeView): void {
    const { commit, applied, applying, lastIndex } = status;
    const { snapshotIndex } = storage;
    const purged = storage.firstIndex - 1;
    if (purged > snapshotIndex || snapshotIndex > commit || commit > lastIndex) {
      const order = [purged, snapshotIndex, commit, lastIndex].join(', ');
      this.#fail(`node ${id}: purged, snapshot, committed, last are ${order}`);
    }
    if (applied > applying || applying > commit || appliedIndex > commit) {
      this.#fail(`node ${id}: applied ${appliedIndex} (${applied}), applying ${applying}, committed ${commit}`);
    }
    const isTakingOver = snapshotIndex > appliedIndex;
    if (!isTakingOver && durableIndex < purged) this.#fail(`node ${id}: purged ${purged}, durable ${durableIndex}`);
  }
}
