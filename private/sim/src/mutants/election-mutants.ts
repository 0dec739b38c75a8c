/** Known bugs in who leads. */

import type { Mutant } from './mutant.ts';

export const electionMutants: readonly Mutant[] = [
  {
    name: 'votes-for-an-older-log',
    file: 'core/election.ts',
    find: 'if (!mayVote || !state.log.isUpToDate(request.lastIndex, request.lastTerm)) {',
    replace: 'if (!mayVote) {',
    foundBy: ['commits', 'assertion', 'applies'],
    why: 'Leaders may lack what is committed (paper section 5.4.1).',
  },
  {
    name: 'joint-vote-by-one-half',
    file: 'core/quorum.ts',
    find: "return first === 'won' && second === 'won' ? 'won' : 'pending';",
    replace: "return first === 'won' ? 'won' : 'pending';",
    foundBy: ['leaders', 'commits', 'logs', 'assertion'],
    why: 'In a joint configuration the incoming half elects alone.',
  },
  {
    name: 'one-vote-too-few',
    file: 'core/quorum.ts',
    find: '  if (granted >= needed)',
    replace: '  if (granted >= Math.max(1, needed - 1))',
    foundBy: ['leaders', 'commits', 'logs', 'assertion'],
    why: 'Two leaders in one term.',
  },
  {
    name: 'campaigns-with-unapplied-change',
    file: 'core/election.ts',
    find: '  if (hasUnappliedChange(state)) {',
    replace: '  if (state.term < 0 && hasUnappliedChange(state)) {',
    foundBy: ['leaders', 'commits', 'assertion'],
    why: 'P26: a candidate counts by a configuration that is not in force any more.',
  },
  {
    name: 'pre-vote-of-the-past-unanswered',
    file: 'core/terms.ts',
    find: '    refuseVote(state, message);\n  } else if',
    replace: '  } else if',
    foundBy: ['recovery'],
    why: 'P27: a node of an earlier term with the longest log never learns the term that it has to win in.',
  },
  {
    name: 'transfer-never-given-up',
    file: 'core/tick.ts',
    find: "    if (state.role === 'leader') state.transferTarget = NO_NODE;",
    replace: '',
    foundBy: ['recovery'],
    why: 'P34: a leader whose transfer failed takes no proposals any more.',
  },
  {
    name: 'change-before-own-commit',
    file: 'core/roles.ts',
    find: '  state.pendingConfigIndex = state.log.lastIndex;\n',
    replace: '',
    foundBy: ['commits', 'leaders', 'assertion', 'logs'],
    why: 'P23: a new leader lets a change in while another one is in its log.',
  },
];
