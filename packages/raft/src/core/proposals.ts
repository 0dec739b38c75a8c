/** What a leader does with proposals, and which changes of the configuration it lets into its log (thesis section 4.1). */

import { assert, DecodeError } from '@kayadb/codec';

import { configChangeOf } from './config-change-encoding.ts';
import type { ConfigChange } from './config-change.ts';
import type { ChangeRefusal } from './events.ts';
import { isJoint } from './membership.ts';
import { dropped, type ProposeOutcome } from './outcome.ts';
import { appendOwnEntries, emptyDraft, type EntryDraft } from './own-entries.ts';
import type { RaftState } from './raft-state.ts';
import { broadcastAppend } from './replication.ts';
import { NO_NODE } from './types.ts';

/** Appends all of `drafts` and sends them out, or none of them. Requires: at least one. */
export function proposeAsLeader(state: RaftState, drafts: readonly EntryDraft[]): ProposeOutcome {
  assert(drafts.length > 0, 'a proposal without entries');
  // Who is removed and goes on leading for a while must not grow the log with what it can not count for.
  if (state.ownProgress === undefined) return dropped('not-member');
  if (state.transferTarget !== NO_NODE) {
    state.emit({ kind: 'proposal-dropped-transferring', target: state.transferTarget, term: state.term });
    return dropped('transferring');
  }
  const index = state.log.lastIndex + 1;
  const { pendingConfigIndex } = state;
  if (!appendOwnEntries(state, screenChanges(state, drafts))) {
    // A change that did not get into the log keeps no other one waiting.
    state.pendingConfigIndex = pendingConfigIndex;
    return dropped('quota');
  }
  broadcastAppend(state);
  return { kind: 'appended', index, term: state.term };
}

/** `drafts`, with entries for nobody in the place of changes that may not get into the log. */
function screenChanges(state: RaftState, drafts: readonly EntryDraft[]): readonly EntryDraft[] {
  if (drafts.every(({ kind }) => kind === 'normal')) return drafts;
  return drafts.map((draft, i) => {
    if (draft.kind === 'normal' || mayPropose(state, draft)) {
      if (draft.kind !== 'normal') state.pendingConfigIndex = state.log.lastIndex + 1 + i;
      return draft;
    }
    return emptyDraft('normal');
  });
}

function mayPropose(state: RaftState, draft: EntryDraft): boolean {
  const change = decodeChange(draft);
  if (change === undefined) {
    state.emit({ kind: 'change-undecodable', entryKind: draft.kind });
    return false;
  }
  const refusal = state.settings.disableConfigChangeValidation ? undefined : findRefusal(state, change);
  if (refusal === undefined) return true;
  const { configuration } = state.tracker;
  state.emit({ kind: 'change-refused', change, entryKind: draft.kind, configuration, refusal });
  return false;
}

function decodeChange(draft: EntryDraft): ConfigChange | undefined {
  try {
    return configChangeOf(draft);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** One change at a time, and a joint configuration is left before the next one. */
function findRefusal(state: RaftState, change: ConfigChange): ChangeRefusal | undefined {
  const { applied } = state.log;
  if (state.pendingConfigIndex > applied) return { kind: 'pending', index: state.pendingConfigIndex, applied };
  const leaves = change.steps.length === 0;
  if (isJoint(state.tracker.configuration)) return leaves ? undefined : { kind: 'joint' };
  return leaves ? { kind: 'not-joint' } : undefined;
}
