/** STATUS and MEMBERS of nodes, as docs/reference/server.md has them, of which a test changes what it is about. */

import type { JsonDocument } from '@kayadb/client';

export function member(node: number, changes: JsonDocument = {}): JsonDocument {
  return {
    node,
    kind: 'voter',
    is_self: false,
    is_leader: false,
    peer_address: `10.0.0.${node}:7481`,
    client_address: `10.0.0.${node}:${7000 + node}`,
    incarnation: 1_000 + node,
    level: 1,
    is_to_be_promoted: false,
    is_answering: true,
    progress: { match_index: 40, lag: 2, state: 'replicate', in_flight: 0, snapshot: null },
    ...changes,
  };
}

/** Of node 1, which leads two others. */
export function members(changes: JsonDocument = {}, list?: readonly JsonDocument[]): JsonDocument {
  return {
    cluster: '00112233445566778899aabbccddeeff',
    term: 3,
    leader: 1,
    leader_address: '10.0.0.1:7001',
    index: 42,
    is_joint: false,
    members: list ?? [member(1, { is_self: true, is_leader: true, progress: null }), member(2), member(3)],
    ...changes,
  };
}

/** What a node that does not lead knows of its group. */
export function membersOfFollower(node: number, changes: JsonDocument = {}): JsonDocument {
  const list = [1, 2, 3].map((each) =>
    member(each, { is_self: each === node, is_leader: each === 1, is_answering: null, progress: null }),
  );
  return members(changes, list);
}

export function status(node: number, changes: JsonDocument = {}, engine: JsonDocument = {}): JsonDocument {
  const isLeader = node === 1;
  return {
    node_id: node,
    version: '0.1.0',
    incarnation: 1_000 + node,
    boot: 1,
    uptime_ms: 3_720_000,
    phase: 'running',
    is_stopping: false,
    role: isLeader ? 'leader' : 'follower',
    term: 3,
    leader: 1,
    leader_address: '10.0.0.1:7001',
    has_leader: true,
    last_index: 42,
    commit_index: 42,
    applied_index: isLeader ? 42 : 40,
    members: (isLeader ? members() : membersOfFollower(node))['members'],
    raft: { is_disk_full: false },
    door: { connections_open: 4 },
    storage: { oldest_sync_ms: 0, sync_count: 10, sync_total_ms: 25, sync_max_ms: 4 },
    engine: {
      get_count: 100,
      scan_count: 1,
      compaction_bytes_written: 0,
      stall_count: 2,
      stall_total_us: 0,
      slowed_total_us: 0,
      memtable_bytes: 2048,
      sstable_bytes: 3 * 1024 * 1024,
      levels: [
        { sstable_count: 1, bytes: 1024 * 1024, entry_count: 10 },
        { sstable_count: 0, bytes: 0, entry_count: 0 },
        { sstable_count: 2, bytes: 2 * 1024 * 1024, entry_count: 20 },
      ],
      disk_state: 'ok',
      scrub_damage_count: 0,
      ...engine,
    },
    ...changes,
  };
}
