/** Known bugs in what is committed, and in how logs become equal. */

import type { Mutant } from './mutant.ts';

export const replicationMutants: readonly Mutant[] = [
  {
    name: 'commits-earlier-terms-by-counting',
    file: 'core/log.ts',
    find: 'if (index <= this.#committed || term === 0 || this.termOrZero(index) !== term) return false;',
    replace: 'if (index <= this.#committed || term === 0) return false;',
    foundBy: ['commits', 'assertion', 'applies'],
    why: "The paper's figure 8.",
  },
  {
    name: 'quorum-of-unsorted',
    file: 'core/quorum.ts',
    find: '  while (at > 0 && scratch[at - 1]! > index) {',
    replace: '  while (at > count && scratch[at - 1]! > index) {',
    foundBy: ['commits', 'assertion'],
    why: 'P29: the structure that counts loses its order, and commits without a quorum.',
  },
  {
    name: 'joint-commit-by-one-half',
    file: 'core/quorum.ts',
    find: '  return Math.min(majorityIndex(voters, source), majorityIndex(outgoing, source));',
    replace: '  return majorityIndex(voters, source) + 0 * outgoing.length;',
    foundBy: ['commits', 'assertion'],
    why: 'In a joint configuration the incoming half commits alone.',
  },
  {
    name: 'commit-past-what-was-verified',
    file: 'core/log.ts',
    find: '    this.commitTo(Math.min(commit, lastNew));',
    replace: '    this.commitTo(Math.min(commit, this.lastIndex));',
    foundBy: ['commits', 'applies', 'assertion'],
    why: 'P32: the commit index of an append counts for entries that it did not compare.',
  },
  {
    name: 'conflict-not-looked-for',
    file: 'core/log.ts',
    find: '      if (this.matches(index, term)) continue;',
    replace: '      if (index <= this.lastIndex) continue;',
    foundBy: ['logs', 'commits', 'applies', 'assertion'],
    why: "A suffix of another term stays where a leader's entries belong.",
  },
  {
    name: 'rejection-below-match',
    file: 'core/progress.ts',
    find: 'this.#next = Math.max(Math.min(rejected, hint + 1), this.#match + 1);',
    replace: 'this.#next = Math.max(Math.min(rejected, hint + 1), 1);',
    foundBy: ['assertion', 'recovery'],
    why: 'P30: a late rejection moves the next index below what is known to match.',
  },
  {
    name: 'never-resumed-by-heartbeats',
    file: 'core/append-responses.ts',
    find: '  progress.isFlowPaused = false;\n',
    replace: '',
    foundBy: ['recovery'],
    why: 'P37: a probe that was lost is never repeated.',
  },
  {
    name: 'window-never-freed',
    file: 'core/append-responses.ts',
    find: '      progress.inflights.freeUpTo(index);\n',
    replace: '',
    foundBy: ['recovery'],
    why: 'P37: a window that was full once stays full.',
  },
  {
    name: 'snapshot-without-its-configuration',
    file: 'core/snapshot-restore.ts',
    find: '  switchConfiguration(state, membership);\n',
    replace: '',
    foundBy: ['assertion', 'recovery', 'leaders', 'commits'],
    why: 'P22: who takes over a snapshot goes by another membership.',
  },
];
