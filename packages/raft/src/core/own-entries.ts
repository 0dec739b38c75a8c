/** A leader's own log: what it appends, and the quota of what may wait there. */

import { payloadBytes } from './entry-size.ts';
import type { RaftState } from './raft-state.ts';
import { acknowledgeAppend } from './responses.ts';
import type { Entry, EntryKind } from './types.ts';

/** An entry before it has a place in the log. */
export type EntryDraft = Pick<Entry, 'kind' | 'data'>;

const NO_DATA = new Uint8Array(0);

/** For nobody. */
export function emptyDraft(kind: EntryKind): EntryDraft {
  return { kind, data: NO_DATA };
}

/**
 * Appends `drafts`, and says to itself, when they are durable, that they are (thesis section 10.2.1: the others may have them before).
 *
 * @returns Whether the quota allowed it.
 */
export function appendOwnEntries(state: RaftState, drafts: readonly EntryDraft[]): boolean {
  const { log, term } = state;
  const first = log.lastIndex + 1;
  const entries: Entry[] = [];
  for (let i = 0; i < drafts.length; i++) {
    const { kind, data } = drafts[i] as EntryDraft;
    entries.push({ term, index: first + i, kind, data });
  }
  if (!takeQuota(state, payloadBytes(entries))) {
    state.emit({ kind: 'proposal-dropped-quota' });
    return false;
  }
  const index = log.append(entries);
  acknowledgeAppend(state, state.id, index);
  return true;
}

/**
 * Empty payloads are always taken: a term's first entry, and the one that leaves a joint configuration, depend on it. So is anything when nothing
 * waits, or a proposal above the bound could never be made.
 */
function takeQuota(state: RaftState, bytes: number): boolean {
  const used = state.uncommittedBytes;
  if (used > 0 && bytes > 0 && used + bytes > state.settings.maxUncommittedBytes) return false;
  state.uncommittedBytes = used + bytes;
  return true;
}

/** `entries` are applied. What came from earlier terms was never counted, so the count stops at 0. */
export function releaseQuota(state: RaftState, entries: readonly Entry[]): void {
  if (state.uncommittedBytes > 0) {
    state.uncommittedBytes = Math.max(0, state.uncommittedBytes - payloadBytes(entries));
  }
}
