/** STATUS and MEMBERS, as plain values to be written as JSON. docs/reference/server.md, "STATUS" and "MEMBERS". */

import { NO_NODE } from '@kayadb/raft';

import type { ServerLimits } from '../limits.ts';
import type { DoorView, NodeView } from '../node-view.ts';
import { memberRows } from './member-rows.ts';
import type { NodeSnapshot } from './node-snapshot.ts';
import { toSnakeCase } from './snake-case.ts';

/** Where clients reach a node, if that is known. */
export type ClientAddressOf = (node: number) => string | undefined;

type Document = Readonly<Record<string, unknown>>;

/** Limits that somebody who sees a node refuse something wants to know. */
const SHOWN_LIMITS = [
  'maxConnections',
  'maxConnectionsPerAddress',
  'reservedConnections',
  'maxFrameBytes',
  'maxInFlightRequests',
  'maxInFlightBytes',
  'softTotalBytes',
  'hardTotalBytes',
  'maxScans',
] as const satisfies readonly (keyof ServerLimits)[];

export function statusDocument(snapshot: NodeSnapshot, clientAddressOf: ClientAddressOf): Document {
  const { view, machine } = snapshot;
  return {
    ...identityPart(view),
    ...groupPart(snapshot, clientAddressOf),
    level: machine?.level ?? null,
    session_count: machine?.sessionCount ?? 0,
    time_ms: machine?.timeMs ?? null,
    is_joint: isJoint(snapshot),
    members: memberRows(snapshot, clientAddressOf),
    raft: raftPart(snapshot),
    links: linksPart(view),
    door: doorPart(view.door),
    storage: {
      oldest_sync_ms: round(view.storage.oldestSyncMs),
      sync_count: view.storage.syncCount,
      sync_total_ms: round(view.storage.syncTotalMs),
      sync_max_ms: round(view.storage.syncMaxMs),
    },
    engine: machine === undefined ? null : toSnakeCase(machine.stats()),
    tls: {
      is_on_for_nodes: view.tls.isOnForNodes,
      is_on_for_clients: view.tls.isOnForClients,
      certificate: view.tls.own === undefined ? null : certificatePart(view.tls.own),
    },
    access: { has_client_token: view.hasClientToken, has_operator_token: view.hasOperatorToken },
    settings: settingsPart(view),
  };
}

export function membersDocument(snapshot: NodeSnapshot, clientAddressOf: ClientAddressOf): Document {
  const { view, raft, leader } = snapshot;
  return {
    cluster: view.cluster ?? null,
    term: raft?.term ?? 0,
    leader: leader ?? null,
    leader_address: leaderAddressOf(snapshot, clientAddressOf) ?? null,
    index: raft?.appliedIndex ?? 0,
    is_joint: isJoint(snapshot),
    members: memberRows(snapshot, clientAddressOf),
  };
}

export function leaderAddressOf(
  { view, leader }: Pick<NodeSnapshot, 'view' | 'leader'>,
  clientAddressOf: ClientAddressOf,
): string | undefined {
  if (leader === undefined) return undefined;
  return leader === view.nodeId ? view.clientAddress : clientAddressOf(leader);
}

function identityPart(view: NodeView): Document {
  const { endError } = view;
  return {
    node_id: view.nodeId,
    version: view.version,
    cluster: view.cluster ?? null,
    incarnation: view.incarnation,
    boot: view.boot,
    uptime_ms: Math.round(view.uptimeMs),
    phase: view.phase,
    waiting_for: view.missing,
    is_stopping: view.isStopping,
    end_error: endError === undefined ? null : { code: codeOf(endError), message: endError.message },
    peer_address: view.peerAddress,
    client_address: view.clientAddress,
  };
}

function groupPart(snapshot: NodeSnapshot, clientAddressOf: ClientAddressOf): Document {
  const { raft, role, leader, hasLeader, applyLag } = snapshot;
  const target = raft?.transferTarget ?? NO_NODE;
  return {
    role,
    term: raft?.term ?? 0,
    leader: leader ?? null,
    leader_address: leaderAddressOf(snapshot, clientAddressOf) ?? null,
    has_leader: hasLeader,
    transfer_target: target === NO_NODE ? null : target,
    first_index: raft?.firstIndex ?? 0,
    last_index: raft?.lastIndex ?? 0,
    commit_index: raft?.commit ?? 0,
    applied_index: raft?.appliedIndex ?? 0,
    apply_lag: applyLag,
  };
}

function raftPart({ raft }: NodeSnapshot): Document {
  return {
    proposal_count: raft?.proposalCount ?? 0,
    read_count: raft?.readCount ?? 0,
    write_count: raft?.writeCount ?? 0,
    inbox_length: raft?.inboxLength ?? 0,
    uncommitted_bytes: raft?.uncommittedBytes ?? 0,
    refused_messages: raft?.refusedMessages ?? 0,
    dropped_messages: raft?.droppedMessages ?? 0,
    is_making_snapshot: raft?.isMakingSnapshot ?? false,
    is_disk_full: raft?.isDiskFull ?? false,
  };
}

function linksPart({ links }: NodeView): readonly Document[] {
  return [...links]
    .toSorted(([a], [b]) => a - b)
    .map(([node, { state, counts }]) => ({
      node,
      state,
      queued_frames: counts.queuedFrames,
      queued_bytes: counts.queuedBytes,
      dropped_frames: counts.droppedFrames,
      connection_count: counts.connections,
    }));
}

function doorPart({ counts, heldBytes, failedAttempts, openScans }: DoorView): Document {
  return {
    connections_open: counts.open,
    connections_accepted: counts.accepted,
    connections_refused: counts.refusedTotal + counts.refusedPerAddress,
    handshaking: counts.handshaking,
    failed_handshakes: counts.failedHandshakes,
    held_bytes: heldBytes,
    failed_attempts: failedAttempts,
    open_scans: openScans,
  };
}

function certificatePart(own: NonNullable<NodeView['tls']['own']>): Document {
  return {
    subject: own.subject,
    dns_names: own.dnsNames,
    ip_addresses: own.ipAddresses,
    spki_sha256: own.spkiSha256,
    not_before_ms: own.notBeforeMs,
    not_after_ms: own.notAfterMs,
  };
}

function settingsPart({ keepsLeases, timing, limits }: NodeView): Document {
  return {
    keeps_leases: keepsLeases,
    heartbeat_ms: timing.heartbeatMs,
    election_ms: timing.electionMs,
    limits: toSnakeCase(Object.fromEntries(SHOWN_LIMITS.map((name) => [name, limits[name]]))),
  };
}

function isJoint({ raft }: NodeSnapshot): boolean {
  return raft !== undefined && raft.configuration.votersOutgoing.length > 0;
}

function codeOf(error: Error): string | null {
  return 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** Times of a real clock have more digits than they mean. */
function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
