/** What a core hands out, in the words of scripts. */

import type { Ready } from '@kayadb/raft';

import { describeEntries } from './describe-entry.ts';
import { describeMessage } from './describe-message.ts';
import { describeHardState, describeSnapshot, isEmptyHardState, ROLE_WORDS } from './describe-state.ts';
import { quote } from './quote.ts';

export function describeReady(ready: Ready): string {
  const text = describeStates(ready) + describeWork(ready);
  return text === '' ? '<empty Ready>' : `Ready MustSync=${ready.mustSync}:\n${text}`;
}

function describeStates({ softState, hardState, readStates }: Ready): string {
  let text = '';
  if (softState !== undefined) text += `Lead:${softState.leader} State:${ROLE_WORDS[softState.role]}\n`;
  if (hardState !== undefined && !isEmptyHardState(hardState)) text += `HardState ${describeHardState(hardState)}\n`;
  if (readStates.length > 0) {
    text += `ReadStates [${readStates.map(({ index, context }) => `{${index} ${quote(context)}}`).join(' ')}]\n`;
  }
  return text;
}

function describeWork({ entries, snapshot, committedEntries, messages }: Ready): string {
  let text = '';
  if (entries.length > 0) text += `Entries:\n${describeEntries(entries)}`;
  if (snapshot !== undefined && snapshot.meta.index > 0) text += `Snapshot ${describeSnapshot(snapshot)}\n`;
  if (committedEntries.length > 0) text += `CommittedEntries:\n${describeEntries(committedEntries)}`;
  if (messages.length > 0) text += `Messages:\n${messages.map((message) => `${describeMessage(message)}\n`).join('')}`;
  return text;
}
