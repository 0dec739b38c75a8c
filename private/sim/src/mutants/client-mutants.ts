/** Known bugs in what clients are told. */

import type { Mutant } from './mutant.ts';

export const clientMutants: readonly Mutant[] = [
  {
    name: 'read-before-own-commit',
    file: 'core/read-index.ts',
    find: '  if (hasCommittedInTerm(state)) beginRead(state, request);',
    replace: '  if (state.term > 0) beginRead(state, request);',
    foundBy: ['clients'],
    why: 'P3: a new leader does not know yet what is committed.',
  },
  {
    name: 'read-without-asking',
    file: 'core/read-index.ts',
    find: '  if (decidesAlone(state) || hasLease(state)) {',
    replace: "  if (decidesAlone(state) || hasLease(state) || state.role === 'leader') {",
    foundBy: ['clients'],
    why: 'P8: a leader that was replaced answers reads.',
  },
  {
    name: 'late-confirmation-counts-for-all',
    file: 'core/read-index-queue.ts',
    find: 'this.#confirmations.set(from, Math.max(this.matchOf(from), number));',
    replace: 'this.#confirmations.set(from, Math.max(this.matchOf(from), this.#lastNumber));',
    foundBy: ['clients'],
    why: 'P4: the answer to an earlier heartbeat confirms a later read.',
  },
  {
    name: 'read-answered-before-applied',
    file: 'node/reads.ts',
    find: '    if (index <= applied) this.#resolve(batch.callers, index);',
    replace: '    if (index <= applied + 3) this.#resolve(batch.callers, index);',
    foundBy: ['clients'],
    why: 'P5: the index is fresh, and the state that is read is not.',
  },
  {
    name: 'unknown-told-as-dropped',
    file: 'node/proposals.ts',
    find: "  return new RaftError('KAYA_RAFT_UNKNOWN_OUTCOME', what, { cause });",
    replace: "  return new RaftError('KAYA_RAFT_DROPPED', what, { cause });",
    foundBy: ['clients'],
    why: 'P47: a client is told that a proposal never happens, and it does.',
  },
];
