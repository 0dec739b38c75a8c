/**
 * A node at one moment, with what several reports draw from the view in the same way: who leads, and whether that is heard.
 * Requires: taken and used within one turn.
 */

import type { HEALTH_ROLES } from '@kayadb/codec';
import { NO_NODE, type NodeId, type NodeStatus } from '@kayadb/raft';

import type { MachineView, NodeView } from '../node-view.ts';

export type ReportedRole = (typeof HEALTH_ROLES)[number];

export interface NodeSnapshot {
  readonly view: NodeView;
  /** Undefined while the log and the store are not open. */
  readonly raft: NodeStatus | undefined;
  readonly machine: MachineView | undefined;
  readonly role: ReportedRole;
  /** Undefined when it is not known. */
  readonly leader: NodeId | undefined;
  /** Whether a leader is heard; of the leader itself, that a majority answers it. */
  readonly hasLeader: boolean;
  /** Entries that are known to be committed and not done yet. */
  readonly applyLag: number;
}

export function takeSnapshot(view: NodeView): NodeSnapshot {
  const { raft, machine } = view;
  return {
    view,
    raft,
    machine,
    role: roleOf(raft),
    leader: leaderOf(raft),
    hasLeader: hearsLeader(raft),
    applyLag: raft === undefined ? 0 : Math.max(0, raft.commit - raft.appliedIndex),
  };
}

export function roleOf(raft: NodeStatus | undefined): ReportedRole {
  if (raft === undefined || raft.endError !== undefined) return 'follower';
  if (raft.role === 'leader') return 'leader';
  if (raft.isLearner) return 'learner';
  return raft.role === 'follower' ? 'follower' : 'candidate';
}

export function leaderOf(raft: NodeStatus | undefined): NodeId | undefined {
  if (raft === undefined || raft.endError !== undefined || raft.leader === NO_NODE) return undefined;
  return raft.leader;
}

/**
 * A leader that no majority answers steps down within an election timeout, and a voter that hears of none for as long forgets it. A learner holds no elections and never forgets, but it
 * knows how long it has heard nothing.
 */
function hearsLeader(raft: NodeStatus | undefined): boolean {
  if (raft === undefined || leaderOf(raft) === undefined) return false;
  return raft.role === 'leader' || raft.electionElapsedTicks <= raft.randomizedElectionTicks;
}
