/** Metrics of the group, as this node sees it: who leads, where the log is, and how far the others are. */

import { HEALTH_ROLES } from '@kayadb/codec';

import type { MemberKind, MemberRow } from '../../reports/member-rows.ts';
import { counter, counters, flag, gauge, gauges, type Metric, type MetricSource, oneOf } from './metric.ts';

const KINDS: readonly MemberKind[] = ['voter', 'learner', 'leaving', 'none'];

export const GROUP_METRICS: readonly Metric[] = [
  gauges('kayadb_raft_role', ['role'], 'The role of the node: 1 for the one that it has.', ({ snapshot }) =>
    oneOf(HEALTH_ROLES, snapshot.role),
  ),
  gauge(
    'kayadb_raft_has_leader',
    'Whether a leader is heard; of the leader, whether a majority answers.',
    ({ snapshot }) => flag(snapshot.hasLeader),
  ),
  gauge('kayadb_raft_leader', 'The node that leads; 0: not known.', ({ snapshot }) => snapshot.leader ?? 0),
  gauge('kayadb_raft_term', 'The term; each election begins one.', ({ snapshot: { raft } }) => raft?.term),
  gauge(
    'kayadb_raft_first_index',
    'The first entry of the log that was not compacted.',
    ({ snapshot: { raft } }) => raft?.firstIndex,
  ),
  gauge('kayadb_raft_last_index', 'The last entry of the log.', ({ snapshot: { raft } }) => raft?.lastIndex),
  gauge(
    'kayadb_raft_commit_index',
    'The last entry that is known to be committed.',
    ({ snapshot: { raft } }) => raft?.commit,
  ),
  gauge('kayadb_raft_applied_index', 'The last entry that is done.', ({ snapshot: { raft } }) => raft?.appliedIndex),
  gauge('kayadb_raft_apply_lag_entries', 'Entries that are committed and not done.', ({ snapshot }) =>
    snapshot.raft === undefined ? undefined : snapshot.applyLag,
  ),
  gauge(
    'kayadb_raft_proposals',
    'Changes that were proposed here and have no outcome yet.',
    ({ snapshot: { raft } }) => raft?.proposalCount,
  ),
  gauge('kayadb_raft_reads', 'Reads that wait to be confirmed.', ({ snapshot: { raft } }) => raft?.readCount),
  gauge(
    'kayadb_raft_pending_writes',
    'Writes to the log that are not durable.',
    ({ snapshot: { raft } }) => raft?.writeCount,
  ),
  gauge(
    'kayadb_raft_uncommitted_bytes',
    'Bytes in the log of a leader that are not done.',
    ({ snapshot: { raft } }) => raft?.uncommittedBytes,
  ),
  gauge(
    'kayadb_raft_inbox_messages',
    'Messages of other nodes that wait.',
    ({ snapshot: { raft } }) => raft?.inboxLength,
  ),
  counter(
    'kayadb_raft_refused_messages_total',
    'Messages of other nodes that made no sense.',
    ({ snapshot: { raft } }) => raft?.refusedMessages,
  ),
  counter(
    'kayadb_raft_dropped_messages_total',
    'Messages of other nodes that there was no room for.',
    ({ snapshot: { raft } }) => raft?.droppedMessages,
  ),
  gauge('kayadb_raft_disk_full', 'Whether the log found no room.', ({ snapshot: { raft } }) =>
    raft === undefined ? undefined : flag(raft.isDiskFull),
  ),
  gauge('kayadb_raft_making_snapshot', 'Whether a snapshot is being made.', ({ snapshot: { raft } }) =>
    raft === undefined ? undefined : flag(raft.isMakingSnapshot),
  ),
  gauges(
    'kayadb_raft_members',
    ['kind'],
    'Members of the group: voters, learners, those that leave, and those that have only addresses.',
    ({ members }) => KINDS.map((kind) => [kind, members.filter((member) => member.kind === kind).length]),
  ),
  gauges('kayadb_raft_member_answering', ['node'], 'On the leader: whether it hears from the member.', ({ members }) =>
    members.flatMap(({ node, is_answering: isAnswering }) =>
      isAnswering === null ? [] : [[String(node), flag(isAnswering)] as const],
    ),
  ),
  gauges(
    'kayadb_raft_member_lag_entries',
    ['node'],
    'On the leader: entries that the member does not have.',
    ({ members }) => ofProgress(members, ({ lag }) => lag),
  ),
  gauges(
    'kayadb_raft_snapshot_arrived_bytes',
    ['node'],
    'Of a snapshot that is being sent to the node: what has arrived.',
    (source) => ofShipments(source, 'arrivedBytes'),
  ),
  gauges(
    'kayadb_raft_snapshot_size_bytes',
    ['node'],
    'Of a snapshot that is being sent to the node: all of it.',
    (source) => ofShipments(source, 'totalBytes'),
  ),
  gauge(
    'kayadb_sessions',
    'Sessions of clients that the group remembers.',
    ({ snapshot: { machine } }) => machine?.sessionCount,
  ),
  gauge('kayadb_feature_level', 'The feature level of the group.', ({ snapshot: { machine } }) => machine?.level),
  gauges('kayadb_peer_link_up', ['node'], 'Whether the link to another node is up.', (source) =>
    ofLinks(source, ({ state }) => flag(state === 'up')),
  ),
  gauges('kayadb_peer_link_queued_bytes', ['node'], 'Bytes that wait to be sent to it.', (source) =>
    ofLinks(source, ({ counts }) => counts.queuedBytes),
  ),
  counters('kayadb_peer_link_dropped_frames_total', ['node'], 'Messages to it that were given up.', (source) =>
    ofLinks(source, ({ counts }) => counts.droppedFrames),
  ),
  counters('kayadb_peer_link_connections_total', ['node'], 'Connections to it that came up.', (source) =>
    ofLinks(source, ({ counts }) => counts.connections),
  ),
];

type Rows = readonly (readonly [string, number])[];
type Links = MetricSource['snapshot']['view']['links'];
type Link = Links extends ReadonlyMap<number, infer Each> ? Each : never;

function ofProgress(
  members: readonly MemberRow[],
  read: (progress: NonNullable<MemberRow['progress']>) => number,
): Rows {
  return members.flatMap(({ node, progress }) => (progress === null ? [] : [[String(node), read(progress)] as const]));
}

function ofShipments({ snapshot: { view } }: MetricSource, name: 'arrivedBytes' | 'totalBytes'): Rows {
  return [...view.shipments].map(([node, shipment]) => [String(node), shipment[name]]);
}

function ofLinks({ snapshot: { view } }: MetricSource, read: (link: Link) => number): Rows {
  return [...view.links].map(([node, link]) => [String(node), read(link)]);
}
