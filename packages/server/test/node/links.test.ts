/** Links between whole nodes that hear nothing from each other for a while, since a machine stands still. */

import { describe, expect, test } from 'vitest';

import type { GroupTiming } from '../../src/node-options.ts';
import { NodeWorld, peerPortOf } from '../support/node-world.ts';

const PAUSE_MS = 4_000;

/** What the log tells of links when nobody hears a follower for a while, and who leads then. */
async function pauseFollower(timing: GroupTiming): Promise<{ readonly down: number; readonly isLeaderKept: boolean }> {
  await using world = new NodeWorld();
  const nodes = await world.startGroup([1, 2, 3], { timing });
  const leader = await world.leader(nodes);
  const { term } = leader.node.view.raft!;
  const follower = nodes.find(({ id }) => id !== leader.id)!;
  const ports = nodes.map(({ id }) => peerPortOf(id));
  const isTold = world.log.length;

  for (const port of ports) world.network.hold(port, `10.0.0.${follower.id}`);
  await world.clock.advanceAsync(PAUSE_MS);
  for (const port of ports) world.network.release(port, `10.0.0.${follower.id}`);
  await world.clock.advanceAsync(2_000);

  const down = world.log.slice(isTold).filter(({ code }) => code === 'KAYA_PEER_SILENT').length;
  return { down, isLeaderKept: leader.node.view.raft?.role === 'leader' && leader.node.view.raft.term === term };
}

describe('a link to a node that is silent for four seconds', () => {
  test('stays where elections have longer', async () => {
    const timing = { heartbeatMs: 300, electionMs: 10_000 };

    expect(await pauseFollower(timing)).toEqual({ down: 0, isLeaderKept: true });
  });

  test('is given up for a new one where elections do not', async () => {
    const { down } = await pauseFollower({ heartbeatMs: 100, electionMs: 500 });

    expect(down).toBeGreaterThan(0);
  });
});
