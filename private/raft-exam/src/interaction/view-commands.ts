/** The commands that show nodes and change nothing. */

import { describeProgress } from '@kayadb/raft/testing';

import type { Argument } from '../script/parse-line.ts';
import { describeEntries } from '../words/describe-entry.ts';
import { ROLE_WORDS } from '../words/describe-state.ts';
import type { ScriptNode } from './script-node.ts';
import type { World } from './world.ts';

/** `raft-log 1`: what is stored of it. */
export function showLogOf(world: World, args: readonly Argument[]): void {
  showLog(world, world.firstNode(args));
}

export function showLog(world: World, { storage }: ScriptNode): void {
  const { firstIndex, lastIndex } = storage;
  if (lastIndex < firstIndex) {
    world.output.write(`log is empty: first index=${firstIndex}, last index=${lastIndex}`);
    return;
  }
  const entries = storage.entries(firstIndex, lastIndex + 1, Infinity);
  if (typeof entries !== 'string') world.output.write(describeEntries(entries));
}

/** `raft-state`: who each node thinks that it is, and who leads. */
export function showStates(world: World): void {
  for (const { core } of world.nodes) {
    const { id, role, term, leader, configuration } = core.status();
    const isVoter = configuration.voters.includes(id) || configuration.votersOutgoing.includes(id);
    const vote = isVoter ? '(Voter)' : '(Non-Voter)';
    world.output.write(`${id}: ${ROLE_WORDS[role]} ${vote} Term:${term} Lead:${leader}\n`);
  }
}

/** `status 1`: what a leader knows about the others; nothing of anybody else. */
export function showStatus(world: World, args: readonly Argument[]): void {
  for (const [id, progress] of world.firstNode(args).core.status().progress) {
    world.output.write(`${id}: ${describeProgress(progress)}\n`);
  }
}
