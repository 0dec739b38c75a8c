/** What a change of the membership does to what the cluster can bear, for people. docs/reference/server.md, "Membership". */

import type { JsonDocument } from '@kayadb/client';

import { countText } from '../count-text.ts';
import { formatTable } from '../table-text.ts';
import { numberOf, numbersOf, objectOf, textOf, textsOf } from './fields.ts';

const SAID: Readonly<Record<string, string>> = { add: 'add', promote: 'promote', remove: 'remove' };

/** The plan as a table of before and after, and its notes. */
export async function describePlan(change: JsonDocument): Promise<string> {
  const verb = SAID[textOf(change, 'change') ?? ''] ?? 'change';
  const head = ['', 'VOTERS', 'QUORUM', 'TOLERATES', 'ANSWERING'];
  const rows = ['before', 'after'].map((when) => rowOf(when, objectOf(change, when)));
  const notes = textsOf(change, 'notes').map((note) => `NOTE: ${note}`);
  const title = `${verb} node ${numberOf(change, 'node') ?? '?'}`;
  return [title, await formatTable(head, rows), ...notes].join('\n');
}

function rowOf(when: string, strength: JsonDocument | undefined): readonly string[] {
  const tolerates = numberOf(strength, 'tolerates');
  return [
    when,
    listText(numbersOf(strength, 'voters')),
    String(numberOf(strength, 'quorum') ?? '-'),
    tolerates === undefined ? '-' : countText(tolerates, 'failure'),
    listText(numbersOf(strength, 'answering')),
  ];
}

function listText(nodes: readonly number[]): string {
  return nodes.length === 0 ? 'none' : nodes.join(',');
}
