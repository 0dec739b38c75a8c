/** Log entries in the words of scripts: `1/12 EntryNormal "foo"`. */

import type { Entry } from '@kayadb/raft';
import { configChangeOf, describeSteps } from '@kayadb/raft/testing';

import { quote } from './quote.ts';

const KIND_WORDS = { normal: 'EntryNormal', config: 'EntryConfChangeV2', 'config-v1': 'EntryConfChange' } as const;

export function describeEntry(entry: Entry): string {
  const content = entry.kind === 'normal' ? quote(entry.data) : describeSteps(configChangeOf(entry).steps);
  return `${entry.term}/${entry.index} ${KIND_WORDS[entry.kind]}${content === '' ? '' : ` ${content}`}`;
}

/** A line for each. */
export function describeEntries(entries: readonly Entry[]): string {
  return entries.map((entry) => `${describeEntry(entry)}\n`).join('');
}
