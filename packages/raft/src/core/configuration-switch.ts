/** A configuration comes into force: when the entry that brings it is applied, or with a snapshot (thesis sections 4.1 to 4.3). */

import { assert } from '@kayadb/codec';

import type { ConfigChange } from './config-change.ts';
import { changeMembership, type MembershipChange } from './membership.ts';
import type { RaftState } from './raft-state.ts';
import { answerConfirmedReads, releaseParkedReads } from './read-index.ts';
import { broadcastAppend, broadcastNewEntries, maybeCommit } from './replication.ts';
import { becomeFollower } from './roles.ts';
import { type Configuration, NO_NODE } from './types.ts';

/** Requires: `change` fits the configuration in force, as every node that applies the same log finds. */
export function applyConfigChange(state: RaftState, change: ConfigChange): Configuration {
  const result = changeMembership(state.tracker.configuration, change);
  if (result.kind === 'refused') assert(false, `a change of the configuration can not be applied: ${result.reason}`);
  switchConfiguration(state, result);
  return state.tracker.configuration;
}

/** What it means for a leader is settled at once: it may have to go, more may be committed, and new members are sent to. */
export function switchConfiguration(state: RaftState, change: MembershipChange): void {
  state.tracker.apply(change, state.log.lastIndex);
  const { configuration } = state.tracker;
  state.emit({ kind: 'configuration-switched', configuration });
  const own = state.ownProgress;
  state.isLearner = own?.isLearner ?? false;
  if (state.role !== 'leader') return;
  if (own === undefined || own.isLearner) {
    if (state.settings.stepDownOnRemoval) becomeFollower(state, state.term, NO_NODE);
    return;
  }
  if (configuration.voters.length > 0) adjustLeader(state);
}

function adjustLeader(state: RaftState): void {
  if (maybeCommit(state)) {
    releaseParkedReads(state);
    broadcastAppend(state);
  } else {
    broadcastNewEntries(state);
  }
  if (state.transferTarget !== NO_NODE && !state.tracker.isVoter(state.transferTarget)) state.transferTarget = NO_NODE;
  answerConfirmedReads(state);
}
