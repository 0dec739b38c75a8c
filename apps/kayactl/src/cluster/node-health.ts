/** One word for how a node is, from what it says of itself: the worst of what there is to say. */

import type { JsonDocument } from '@kayadb/client';

import { flagOf, numberOf, objectOf, textOf } from './fields.ts';

/** In the order of how bad they are, worst first. Those from `ok` backwards to `no-leader` do not serve. */
export const NODE_HEALTH = [
  'ended',
  'forming',
  'no-leader',
  'disk-full',
  'damaged',
  'stopping',
  'disk-low',
  'behind',
  'ok',
] as const;

export type NodeHealth = (typeof NODE_HEALTH)[number];

/** Entries that a node may be behind without a word: it applies more than that between two looks at it. */
const BEHIND_ENTRIES = 10_000;

/** @param lag - Entries that the leader has committed and this node has not applied; `undefined`: not known. */
export function healthOf(document: JsonDocument, lag: number | undefined): NodeHealth {
  const engine = objectOf(document, 'engine');
  const disk = textOf(engine, 'disk_state');
  const signs: Readonly<Record<NodeHealth, boolean>> = {
    ended: textOf(document, 'phase') === 'ended',
    forming: textOf(document, 'phase') === 'forming',
    'no-leader': flagOf(document, 'has_leader') === false,
    'disk-full': disk === 'full' || flagOf(objectOf(document, 'raft'), 'is_disk_full') === true,
    damaged: (numberOf(engine, 'scrub_damage_count') ?? 0) > 0,
    stopping: flagOf(document, 'is_stopping') === true,
    'disk-low': disk === 'low',
    behind: (lag ?? 0) > BEHIND_ENTRIES,
    ok: true,
  };
  return NODE_HEALTH.find((health) => signs[health]) ?? 'ok';
}

/** Whether clients of the node get anything but stale reads. */
export function isServing(health: NodeHealth): boolean {
  return health !== 'ended' && health !== 'forming' && health !== 'no-leader';
}
