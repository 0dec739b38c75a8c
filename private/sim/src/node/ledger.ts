/**
 * What a node has promised to remember, kept outside of it: every batch that its storage was given, and which of them it has said to be durable.
 *
 * Invariant: whatever a crash leaves is what a prefix of the batches made, and no promised batch is missing from it.
 */

import { type LogIndex, NO_NODE, type NodeId, type RaftStorage, type StorageBatch, type Term } from '@kayadb/raft';

import { applyBatch, copyLog, describeLog, type DurableLog, emptyLog, holds, termAt } from './durable-log.ts';

export class Ledger {
  #durable: DurableLog = emptyLog();
  #pending: StorageBatch[] = [];
  /** Of each term in which the node has durably voted: for whom. */
  readonly #votes = new Map<Term, NodeId>();
  /** Since something became durable last. */
  #refused: StorageBatch[] = [];

  /** Term of the entry that is durable at `index`; `covered` when a snapshot stands for it. */
  durableTerm(index: LogIndex): Term | 'covered' | undefined {
    return index < this.#durable.baseIndex ? 'covered' : termAt(this.#durable, index);
  }

  /** For whom the node has durably voted in `term`. */
  voteIn(term: Term): NodeId | undefined {
    return this.#votes.get(term);
  }

  begins(batch: StorageBatch): void {
    this.#pending.push(batch);
  }

  /** `batch` is durable, and so is what came before it. */
  becomesDurable(batch: StorageBatch): void {
    const at = this.#pending.indexOf(batch);
    for (const earlier of this.#pending.splice(0, at + 1)) {
      applyBatch(this.#durable, earlier);
      this.#noteVote();
    }
    this.#refused = [];
  }

  /** There was no room for `batch`; what comes before its entries may be on disk nevertheless. */
  wasRefused(batch: StorageBatch): void {
    this.#pending = this.#pending.filter((other) => other !== batch);
    this.#refused.push(batch);
  }

  /** Compares what was found on disk with what was promised. @returns What is wrong, if anything is. */
  reopened(storage: RaftStorage): string | undefined {
    const found = this.#possibleLogs().find((log) => holds(storage, log));
    if (found === undefined) return this.#describeLoss(storage);
    this.#durable = found;
    this.#noteVote();
    this.#pending = [];
    this.#refused = [];
    return undefined;
  }

  #noteVote(): void {
    const { term, vote } = this.#durable;
    if (vote !== NO_NODE) this.#votes.set(term, vote);
  }

  /** What a crash may leave: what is promised, and of the batches behind it a prefix, of whose last one perhaps only the beginning. */
  #possibleLogs(): readonly DurableLog[] {
    const logs: DurableLog[] = [];
    let whole = this.#durable;
    for (const [at, batch] of [undefined, ...this.#pending].entries()) {
      if (batch !== undefined) {
        whole = copyLog(whole);
        applyBatch(whole, batch);
      }
      const next = this.#pending[at];
      const begun = next === undefined ? this.#refused : [next, ...this.#refused];
      logs.push(whole, ...begun.flatMap((one) => partsOf(whole, one)));
    }
    return logs;
  }

  #describeLoss(storage: RaftStorage): string {
    const { term, vote } = storage.initialState().hardState;
    const found = `term ${term}, vote ${vote}, log ${storage.firstIndex} to ${storage.lastIndex}`;
    return `the disk has ${found}; promised was ${describeLog(this.#durable)}, and ${this.#pending.length} batches were under way`;
  }
}

/** Term and vote come first, then the snapshot, then the entries. */
function partsOf(log: DurableLog, batch: StorageBatch): readonly DurableLog[] {
  const withState = copyLog(log);
  applyBatch(withState, { ...batch, snapshot: undefined, entries: [] });
  const withSnapshot = copyLog(log);
  applyBatch(withSnapshot, { ...batch, entries: [] });
  return [withState, withSnapshot];
}
