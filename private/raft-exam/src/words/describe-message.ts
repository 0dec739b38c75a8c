/**
 * Messages in the words of scripts: `1->2 MsgApp Term:1 Log:1/11 Commit:11 Entries:[1/12 EntryNormal "foo"]`.
 * Scripts know one shape for all kinds: what a kind does not have is 0 there, or left out.
 */

import {
  APPEND_THREAD,
  APPLY_THREAD,
  type Entry,
  type Message,
  NO_NODE,
  type NodeId,
  type Snapshot,
} from '@kayadb/raft';

import { describeEntry } from './describe-entry.ts';
import { describeSnapshot } from './describe-state.ts';
import { MESSAGE_WORDS } from './message-kinds.ts';

interface Shape {
  readonly term: number;
  readonly logTerm: number;
  readonly index: number;
  readonly rejectHint: number | undefined;
  readonly commit: number;
  readonly vote: NodeId;
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | undefined;
  readonly responses: readonly Message[];
}

const NOTHING: Shape = {
  term: 0,
  logTerm: 0,
  index: 0,
  rejectHint: undefined,
  commit: 0,
  vote: NO_NODE,
  entries: [],
  snapshot: undefined,
  responses: [],
};

/** Without a line feed at its end. */
export function describeMessage(message: Message, indent = ''): string {
  const shape = shapeOf(message);
  const { term, logTerm, index, rejectHint, commit, vote, snapshot } = shape;
  const route = `${describeTarget(message.from)}->${describeTarget(message.to)}`;
  let text = `${indent}${route} ${MESSAGE_WORDS[message.kind]} Term:${term} Log:${logTerm}/${index}`;
  if (rejectHint !== undefined) text += ` Rejected (Hint: ${rejectHint})`;
  if (commit !== 0) text += ` Commit:${commit}`;
  if (vote !== NO_NODE) text += ` Vote:${vote}`;
  text += describeEntryList(shape.entries, indent);
  if (snapshot !== undefined && snapshot.meta.index > 0) text += `\n${indent}  Snapshot: ${describeSnapshot(snapshot)}`;
  return text + describeResponses(shape.responses, indent);
}

function describeEntryList(entries: readonly Entry[], indent: string): string {
  if (entries.length === 0) return '';
  if (entries.length === 1) return ` Entries:[${describeEntry(entries[0]!)}]`;
  return ` Entries:[${entries.map((entry) => `\n${indent}  ${describeEntry(entry)}`).join('')}\n${indent}]`;
}

function describeResponses(responses: readonly Message[], indent: string): string {
  if (responses.length === 0) return '';
  const lines = responses.map((response) => `\n${describeMessage(response, `${indent}  `)}`);
  return ` Responses:[${lines.join('')}\n${indent}]`;
}

function describeTarget(id: NodeId): string {
  if (id === NO_NODE) return 'None';
  if (id === APPEND_THREAD) return 'AppendThread';
  return id === APPLY_THREAD ? 'ApplyThread' : id.toString(16);
}

function shapeOf(message: Message): Shape {
  switch (message.kind) {
    case 'vote':
    case 'pre-vote':
      return { ...NOTHING, term: message.term, logTerm: message.lastTerm, index: message.lastIndex };
    case 'append': {
      const { term, prevTerm, prevIndex, entries, commit } = message;
      return { ...NOTHING, term, logTerm: prevTerm, index: prevIndex, entries, commit };
    }
    case 'append-response': {
      const { term, index, isRejected, hintIndex, hintTerm } = message;
      return { ...NOTHING, term, logTerm: hintTerm, index, rejectHint: isRejected ? hintIndex : undefined };
    }
    case 'vote-response':
    case 'pre-vote-response':
      return { ...NOTHING, term: message.term, rejectHint: message.isRejected ? 0 : undefined };
    case 'snapshot-status':
      return { ...NOTHING, rejectHint: message.isRejected ? 0 : undefined };
    case 'snapshot':
      return { ...NOTHING, term: message.term, snapshot: message.snapshot };
    case 'heartbeat':
      return { ...NOTHING, term: message.term, commit: message.commit };
    case 'read-index-response':
      return { ...NOTHING, term: message.term, index: message.index, entries: [contextEntry(message.context)] };
    case 'read-index':
      return { ...NOTHING, entries: [contextEntry(message.context)] };
    case 'storage-append':
      return {
        ...NOTHING,
        ...message.hardState,
        entries: message.entries,
        snapshot: message.snapshot,
        responses: message.responses,
      };
    case 'storage-append-response':
      return {
        ...NOTHING,
        term: message.term,
        logTerm: message.logTerm,
        index: message.index,
        snapshot: message.snapshot,
      };
    case 'storage-apply':
      return { ...NOTHING, entries: message.entries, responses: message.responses };
    case 'storage-apply-response':
    case 'propose':
      return { ...NOTHING, entries: message.entries };
    case 'heartbeat-response':
    case 'transfer-leader':
    case 'timeout-now':
      return { ...NOTHING, term: message.term };
    case 'hup':
    case 'beat':
    case 'check-quorum':
    case 'forget-leader':
    case 'unreachable':
      return NOTHING;
  }
}

/** Scripts have the context of a read as the data of an entry. */
function contextEntry(data: Uint8Array): Entry {
  return { term: 0, index: 0, kind: 'normal', data };
}
