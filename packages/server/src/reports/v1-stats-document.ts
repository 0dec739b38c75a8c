/** STATS of protocol v1, as plain values to be written as JSON; its names are the protocol's. docs/reference/server.md, "STATS". */

import { kindOf, memberRows } from './member-rows.ts';
import type { NodeSnapshot } from './node-snapshot.ts';
import { toSnakeCase } from './snake-case.ts';

export function v1StatsDocument(snapshot: NodeSnapshot): Readonly<Record<string, unknown>> {
  const { view, raft, role, machine } = snapshot;
  const { counts, heldBytes, failedAttempts } = view.door;
  const others = memberRows(snapshot).filter(({ node, kind }) => node !== view.nodeId && kind !== 'none');
  return {
    role: role === 'leader' ? 'leader' : 'follower',
    term: raft?.term ?? 0,
    commit_index: raft?.commit ?? 0,
    applied_index: raft?.appliedIndex ?? 0,
    last_log_index: raft?.lastIndex ?? 0,
    peer_count: others.length,
    voter: raft !== undefined && ['voter', 'leaving'].includes(kindOf(raft.configuration, view.nodeId)),
    raft_groups: 1,
    drain: view.isStopping,
    engine: machine === undefined ? null : toSnakeCase(machine.stats()),
    node: {
      node_id: view.nodeId,
      version: view.version,
      mode: others.length === 0 ? 'single' : 'cluster',
      uptime_ms: Math.round(view.uptimeMs),
      connections_open: counts.open,
      connections_accepted: counts.accepted,
      connections_refused: counts.refusedTotal + counts.refusedPerAddress,
      held_bytes: heldBytes,
      failed_attempts: failedAttempts,
    },
  };
}
