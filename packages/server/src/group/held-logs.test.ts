import { NO_NODE, type NodeId, type ProgressView } from '@kayadb/raft';
import { describe, expect, test } from 'vitest';

import type { Member } from '../machine/command.ts';
import { HeldLogs } from './held-logs.ts';

function row(node: number, incarnation: number): Member {
  return { node, incarnation, level: 1, isToBePromoted: false, peerAddress: '', clientAddress: '' };
}

/** Node 1 leads, and node 2 has acknowledged up to `match`. */
function leading(match: number, commit: number): Parameters<HeldLogs['observe']>[0] {
  const progress = new Map<NodeId, Pick<ProgressView, 'match'>>([
    [1, { match: commit }],
    [2, { match }],
  ]);
  return { id: 1, commit, progress: progress as unknown as ReadonlyMap<NodeId, ProgressView> };
}

describe('HeldLogs', () => {
  test('remembers the most that a log has held of what is committed', () => {
    const held = new HeldLogs();

    const seen = [leading(7, 5), leading(9, 20), leading(3, 20)].map((status) => {
      held.observe(status, [row(2, 20)]);
      return held.heldBy(2, 20);
    });

    expect(seen).toEqual([5, 9, 9]);
  });

  test('knows nothing of another directory of the node, nor of one that the group does not know', () => {
    const held = new HeldLogs();
    held.observe(leading(9, 9), [row(2, 0)]);
    const unknown = held.heldBy(2, 0);
    held.observe(leading(9, 9), [row(2, 20)]);

    const other = held.heldBy(2, 21);
    held.observe(leading(4, 9), [row(2, 21)]);

    expect([unknown, other, held.heldBy(2, 20), held.heldBy(2, 21)]).toEqual([0, 0, 0, 4]);
  });

  test('keeps what it has seen when it leads no more, and forgets who is no member', () => {
    const held = new HeldLogs();
    held.observe(leading(9, 9), [row(2, 20)]);
    const following = { id: NO_NODE, commit: 9, progress: new Map() };

    held.observe(following, [row(2, 20)]);
    const kept = held.heldBy(2, 20);
    held.observe(following, []);

    expect([kept, held.heldBy(2, 20)]).toEqual([9, 0]);
  });
});
