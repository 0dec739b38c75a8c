/** Log lines about logs, replication and snapshots. */

import type { Configuration, LogEvent, NodeId, ReplicationEvent, SnapshotEvent } from '@kayadb/raft';
import { describeProgress } from '@kayadb/raft/testing';

import { hexId, type Words } from './words.ts';

export const LOG_WORDS: Words<LogEvent | ReplicationEvent> = {
  'log-conflict-found': ({ index, existingTerm, conflictingTerm }) =>
    `found conflict at index ${index} [existing term: ${existingTerm}, conflicting term: ${conflictingTerm}]`,
  'unstable-replaced': ({ from }) => `replace the unstable entries from index ${from}`,
  'unstable-truncated': ({ from }) => `truncate the unstable entries before index ${from}`,
  'stable-entry-missing': ({ index }) => `entry at index ${index} missing from unstable log; ignoring`,
  'stable-entry-in-snapshot': ({ index }) => `entry at index ${index} matched unstable snapshot; ignoring`,
  'stable-entry-mismatched': ({ index, term, unstableTerm }) =>
    `entry at (index,term)=(${index},${term}) mismatched with entry at (${index},${unstableTerm}) in unstable log; ignoring`,
  'log-restoring': (event) =>
    `log [committed=${event.commit}, applied=${event.applied}, applying=${event.applying}, ` +
    `unstable.offset=${event.unstableOffset}, unstable.offsetInProgress=${event.unstableOffsetInProgress}, ` +
    `len(unstable.Entries)=${event.unstableCount}] starts to restore snapshot ` +
    `[index: ${event.snapshot.index}, term: ${event.snapshot.term}]`,
  'append-rejected': ({ from, prev, localTerm }, node) =>
    `${node} [logterm: ${localTerm}, index: ${prev.index}] rejected MsgApp [logterm: ${prev.term}, index: ${prev.index}] ` +
    `from ${hexId(from)}`,
  'progress-missing': ({ from }, node) => `${node} no progress available for ${hexId(from)}`,
  'append-rejection-received': ({ from, index, hint }, node) =>
    `${node} received MsgAppResp(rejected, hint: (index ${hint.index}, term ${hint.term})) from ${hexId(from)} for index ${index}`,
  'progress-decreased': ({ of, progress }, node) =>
    `${node} decreased progress of ${hexId(of)} to [${describeProgress(progress)}]`,
  'peer-unreachable': ({ peer, progress }, node) =>
    `${node} failed to send message to ${hexId(peer)} because it is unreachable [${describeProgress(progress)}]`,
};

export const SNAPSHOT_WORDS: Words<SnapshotEvent> = {
  'snapshot-not-sent-inactive': ({ to }) => `ignore sending snapshot to ${hexId(to)} since it is not recently active`,
  'snapshot-not-sent-unavailable': ({ to }, node) =>
    `${node} failed to send snapshot to ${hexId(to)} because snapshot is temporarily unavailable`,
  'snapshot-sent': ({ to, firstIndex, commit, snapshot, progress }, node) =>
    `${node} [firstindex: ${firstIndex}, commit: ${commit}] sent snapshot[index: ${snapshot.index}, term: ${snapshot.term}] ` +
    `to ${hexId(to)} [${describeProgress(progress)}]`,
  'replication-paused': ({ to, progress }, node) =>
    `${node} paused sending replication messages to ${hexId(to)} [${describeProgress(progress)}]`,
  'snapshot-recovered': ({ to, progress }, node) =>
    `${node} recovered from needing snapshot, resumed sending replication messages to ${hexId(to)} [${describeProgress(progress)}]`,
  'snapshot-succeeded': ({ to, progress }, node) =>
    `${node} snapshot succeeded, resumed sending replication messages to ${hexId(to)} [${describeProgress(progress)}]`,
  'snapshot-failed': ({ to, progress }, node) =>
    `${node} snapshot failed, resumed sending replication messages to ${hexId(to)} [${describeProgress(progress)}]`,
  'snapshot-received': ({ commit, snapshot }, node) =>
    `${node} [commit: ${commit}] restored snapshot [index: ${snapshot.index}, term: ${snapshot.term}]`,
  'snapshot-ignored': ({ commit, snapshot }, node) =>
    `${node} [commit: ${commit}] ignored snapshot [index: ${snapshot.index}, term: ${snapshot.term}]`,
  'snapshot-restored': ({ commit, last, snapshot }, node) =>
    `${node} [commit: ${commit}, lastindex: ${last.index}, lastterm: ${last.term}] restored snapshot ` +
    `[index: ${snapshot.index}, term: ${snapshot.term}]`,
  'snapshot-fast-forwarded': ({ commit, last, snapshot }, node) =>
    `${node} [commit: ${commit}, lastindex: ${last.index}, lastterm: ${last.term}] fast-forwarded commit to snapshot ` +
    `[index: ${snapshot.index}, term: ${snapshot.term}]`,
  'snapshot-restore-not-follower': (_event, node) =>
    `${node} attempted to restore snapshot as leader; should never happen`,
  'snapshot-restore-invalid': ({ configuration, reason }) =>
    `unable to restore config ${describeMembers(configuration)}: ${reason}`,
  'snapshot-restore-not-member': ({ configuration }, node) =>
    `${node} attempted to restore snapshot but it is not in the ConfState ${describeMembers(configuration)}; should never happen`,
};

/** As the text form of protocol buffers has it. */
function describeMembers(configuration: Configuration): string {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = configuration;
  return [
    ...named('voters', voters),
    ...named('learners', learners),
    ...named('voters_outgoing', votersOutgoing),
    ...named('learners_next', learnersNext),
    `auto_leave:${autoLeave}`,
  ].join(' ');
}

function named(name: string, ids: readonly NodeId[]): readonly string[] {
  return ids.map((id) => `${name}:${id}`);
}
