/** Events of a core as log lines, without their level. */

import type { NodeId, RaftEvent } from '@kayadb/raft';

import { ELECTION_WORDS, LIFE_WORDS, TERM_WORDS } from './election-words.ts';
import { LOG_WORDS, SNAPSHOT_WORDS } from './log-words.ts';
import { PROPOSAL_WORDS, TRANSFER_WORDS } from './proposal-words.ts';
import { hexId, type Words } from './words.ts';

const WORDS: Words = {
  ...LIFE_WORDS,
  ...ELECTION_WORDS,
  ...TERM_WORDS,
  ...LOG_WORDS,
  ...SNAPSHOT_WORDS,
  ...PROPOSAL_WORDS,
  ...TRANSFER_WORDS,
};

/** @param node - Whose core tells it. */
export function describeEvent(event: RaftEvent, node: NodeId): string {
  // The table has for each kind the function that takes its events; the compiler cannot see that the two kinds are one.
  const describe = WORDS[event.kind] as (event: RaftEvent, node: string) => string;
  return describe(event, hexId(node));
}
