/** What the core says to its own two threads, append and apply, and the answers that it wants from them (thesis section 10.2). */

import type {
  PeerMessage,
  StorageAppend,
  StorageAppendResponse,
  StorageApply,
  StorageApplyResponse,
} from './message.ts';
import type { RaftState } from './raft-state.ts';
import type { Ready } from './ready.ts';
import { APPEND_THREAD, APPLY_THREAD, type Entry } from './types.ts';

/** What of a `Ready` concerns the storage. */
export type StoredPart = Pick<Ready, 'entries' | 'hardState' | 'snapshot'>;

/** What the append thread has to do, if there is anything, or any answer waits for what it does already. */
export function storageAppendOf(state: RaftState, part: StoredPart): StorageAppend | undefined {
  const { entries, hardState, snapshot } = part;
  const waiting = state.outbox.afterStorage;
  if (entries.length === 0 && hardState === undefined && snapshot === undefined && waiting.length === 0)
    return undefined;
  const response = storageAppendResponseOf(state, part);
  // After the acknowledgements to oneself: those look terms up, which is quicker while the entries are unstable.
  const responses: readonly (PeerMessage | StorageAppendResponse)[] =
    response === undefined ? waiting : [...waiting, response];
  return { kind: 'storage-append', from: state.id, to: APPEND_THREAD, entries, hardState, snapshot, responses };
}

/**
 * What the core has to hear when all handed out so far is durable, if there is anything to hear.
 *
 * It names the last entry of the log, and the term that the node is in: an answer of an earlier term is not believed, as what it tells of may have been
 * replaced since, and be replaced on disk only later (by another leader's entries, and by the first one's again: the same index and term).
 * So that the log is believed to be durable at last, each answer tells of the whole log, also where nothing was added to it.
 */
export function storageAppendResponseOf(state: RaftState, { snapshot }: StoredPart): StorageAppendResponse | undefined {
  const hasUnstable = state.log.unstable.count > 0;
  if (!hasUnstable && snapshot === undefined) return undefined;
  const last = hasUnstable ? state.last : { index: 0, term: 0 };
  return {
    kind: 'storage-append-response',
    from: APPEND_THREAD,
    to: state.id,
    term: state.term,
    index: last.index,
    logTerm: last.term,
    snapshot,
  };
}

/** Requires: at least one entry. */
export function storageApplyOf(state: RaftState, entries: readonly Entry[]): StorageApply {
  const responses = [storageApplyResponseOf(state, entries)];
  return { kind: 'storage-apply', from: state.id, to: APPLY_THREAD, entries, responses };
}

export function storageApplyResponseOf(state: RaftState, entries: readonly Entry[]): StorageApplyResponse {
  return { kind: 'storage-apply-response', from: APPLY_THREAD, to: state.id, entries };
}
