/** Term, vote and the terms of a log: what a node remembers, as far as promises about it go. */

import type { LogIndex, RaftStorage, StorageBatch, Term } from '@kayadb/raft';

export interface DurableLog {
  term: Term;
  vote: number;
  /** A snapshot stands for everything up to here. */
  baseIndex: LogIndex;
  baseTerm: Term;
  /** Of the entries behind `baseIndex`. */
  terms: Term[];
}

export function emptyLog(): DurableLog {
  return { term: 0, vote: 0, baseIndex: 0, baseTerm: 0, terms: [] };
}

export function copyLog(log: DurableLog): DurableLog {
  return { ...log, terms: [...log.terms] };
}

export function lastIndexOf(log: DurableLog): LogIndex {
  return log.baseIndex + log.terms.length;
}

/** @returns undefined below the snapshot, and behind the end. */
export function termAt(log: DurableLog, index: LogIndex): Term | undefined {
  return index === log.baseIndex ? log.baseTerm : log.terms[index - log.baseIndex - 1];
}

/** Does to `log` what a storage does with `batch`. */
export function applyBatch(log: DurableLog, { hardState, snapshot, entries }: StorageBatch): void {
  if (hardState !== undefined) {
    log.term = hardState.term;
    log.vote = hardState.vote;
  }
  if (snapshot !== undefined && termAt(log, snapshot.meta.index) !== snapshot.meta.term) {
    log.baseIndex = snapshot.meta.index;
    log.baseTerm = snapshot.meta.term;
    log.terms = [];
  }
  const [first] = entries;
  if (first === undefined) return;
  log.terms.length = Math.min(log.terms.length, first.index - log.baseIndex - 1);
  for (const { term } of entries) log.terms.push(term);
}

/** Whether `storage`, just opened, holds what `log` says. What it has compacted it need not hold. */
export function holds(storage: RaftStorage, log: DurableLog): boolean {
  const { term, vote } = storage.initialState().hardState;
  if (term !== log.term || vote !== log.vote || storage.lastIndex !== lastIndexOf(log)) return false;
  for (let index = Math.max(storage.firstIndex - 1, log.baseIndex); index <= storage.lastIndex; index++) {
    if (storage.term(index) !== termAt(log, index)) return false;
  }
  return true;
}

export function describeLog(log: DurableLog): string {
  const { term, vote, baseIndex, terms } = log;
  return `term ${term}, vote ${vote}, log behind ${baseIndex} of terms ${terms.slice(-8).join(' ')} up to ${lastIndexOf(log)}`;
}
