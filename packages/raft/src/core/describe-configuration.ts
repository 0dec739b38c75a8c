/** Configurations and progress in the words of log lines and golden files: `voters=(1 2)&&(2 3) learners=(4) autoleave`. */

import type { ConfigStep } from './config-change.ts';
import type { ProgressView } from './status.ts';
import type { Configuration, NodeId } from './types.ts';

/** `voters=(1 2)&&(3) learners=(4) learners_next=(3) autoleave`: what is empty is left out. */
export function describeConfiguration(configuration: Configuration): string {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = configuration;
  const parts = [`voters=${describeNodes(voters)}`];
  if (votersOutgoing.length > 0) parts[0] += `&&${describeNodes(votersOutgoing)}`;
  if (learners.length > 0) parts.push(`learners=${describeNodes(learners)}`);
  if (learnersNext.length > 0) parts.push(`learners_next=${describeNodes(learnersNext)}`);
  if (autoLeave) parts.push('autoleave');
  return parts.join(' ');
}

/** `v1 l2 r3 u4`. */
export function describeSteps(steps: readonly ConfigStep[]): string {
  return steps.map(({ kind, node }) => `${STEP_LETTERS[kind]}${node}`).join(' ');
}

const STEP_LETTERS = { 'add-voter': 'v', 'add-learner': 'l', remove: 'r', update: 'u' } as const;
const STATE_WORDS = { probe: 'StateProbe', replicate: 'StateReplicate', snapshot: 'StateSnapshot' } as const;

/** `StateReplicate match=11 next=12 learner paused pendingSnap=11 inactive inflight=3[full]`: what does not apply is left out. */
export function describeProgress(progress: ProgressView): string {
  const { state, match, next, pendingSnapshot, inflightCount } = progress;
  let text = `${STATE_WORDS[state]} match=${match} next=${next}`;
  if (progress.isLearner) text += ' learner';
  if (progress.isPaused) text += ' paused';
  if (pendingSnapshot > 0) text += ` pendingSnap=${pendingSnapshot}`;
  if (!progress.isRecentlyActive) text += ' inactive';
  if (inflightCount > 0) text += ` inflight=${inflightCount}${progress.isInflightFull ? '[full]' : ''}`;
  return text;
}

function describeNodes(ids: readonly NodeId[]): string {
  return `(${ids.join(' ')})`;
}
