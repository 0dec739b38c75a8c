/**
 * How soon a group notices that its leader is gone. The rule between the two times stands here alone: a program that reads them as settings asks this file too.
 * What is wrong with them is told at the start, and not by a node that runs and then fails.
 */

import type { GroupTiming } from './node-options.ts';

export const DEFAULT_GROUP_TIMING: GroupTiming = { heartbeatMs: 100, electionMs: 500 };

/** Heartbeats that may be lost before anybody doubts the leader: with fewer, a pause of the process or one lost packet brings an election. */
export const LEAST_HEARTBEATS = 5;

/** Bound: of either time. Longer than anybody waits for a leader, and far from what a timer can count. */
const MAX_MS = 1_000_000;

/**
 * The defaults with `changes`.
 *
 * @throws RangeError for a time that is no integer from 1 to 1,000,000, or an election of fewer than `LEAST_HEARTBEATS` heartbeats.
 */
export function resolveTiming(changes: Partial<GroupTiming> = {}): GroupTiming {
  const timing = { ...DEFAULT_GROUP_TIMING, ...changes };
  for (const name of ['heartbeatMs', 'electionMs'] as const) {
    const value = timing[name];
    if (!Number.isInteger(value) || value < 1 || value > MAX_MS) {
      throw new RangeError(`timing ${name} must be an integer of 1 to ${MAX_MS}, got ${String(value)}`);
    }
  }
  const { heartbeatMs, electionMs } = timing;
  if (electionMs < LEAST_HEARTBEATS * heartbeatMs) {
    throw new RangeError(
      `timing electionMs must be at least ${LEAST_HEARTBEATS} heartbeats of ${heartbeatMs} ms, got ${electionMs}`,
    );
  }
  return timing;
}
