/** The document that STATS answers with. Its keys are protocol v1's; docs/reference/server.md, "STATS". */

import type { EngineStats } from '@kayadb/engine';

/** What the node counts itself. */
export interface NodeStats {
  readonly nodeId: number;
  readonly version: string;
  readonly isDraining: boolean;
  readonly connectionsOpen: number;
  readonly connectionsAccepted: number;
  readonly connectionsRefused: number;
  readonly heldBytes: number;
  readonly failedAttempts: number;
  readonly uptimeMs: number;
}

/** Tables are called as v1 calls them. */
const V1_NAMES: Readonly<Record<string, string>> = { tableCount: 'sstable_count', tableBytes: 'sstable_bytes' };

/**
 * A node that runs alone has no Raft: it says `leader`, since it takes writes, and `term` 0, since it was never
 * elected. Everything acknowledged is applied, so both indexes are the last sequence number.
 */
export function buildStatsJson(engine: EngineStats, node: NodeStats): string {
  return JSON.stringify({
    role: 'leader',
    term: 0,
    commit_index: engine.lastSequence,
    applied_index: engine.lastSequence,
    peer_count: 0,
    raft_groups: 1,
    drain: node.isDraining,
    engine: toSnakeCase(engine),
    node: {
      node_id: node.nodeId,
      version: node.version,
      mode: 'single',
      uptime_ms: Math.round(node.uptimeMs),
      connections_open: node.connectionsOpen,
      connections_accepted: node.connectionsAccepted,
      connections_refused: node.connectionsRefused,
      held_bytes: node.heldBytes,
      failed_attempts: node.failedAttempts,
    },
  });
}

function toSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toSnakeCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [snakeName(name), toSnakeCase(each)]));
}

function snakeName(name: string): string {
  return V1_NAMES[name] ?? name.replaceAll(/[A-Z0-9]+/gu, (part) => `_${part.toLowerCase()}`);
}
