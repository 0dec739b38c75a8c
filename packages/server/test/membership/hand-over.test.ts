/** Leaders that stop, and who leads then. */

import { describe, expect, test } from 'vitest';

import { handOver } from '../../src/membership/hand-over.ts';
import { MembershipWorld, type Site } from './membership-world.ts';

function handOverFrom(world: MembershipWorld, { access, steward }: Site, deadlineMs = 2000): Promise<boolean> {
  return handOver({ access, hearing: steward.hearing, clock: world.clock }, deadlineMs);
}

describe('handOver', { timeout: 30_000 }, () => {
  test('has another voter lead, within a few heartbeats', async () => {
    await using world = await MembershipWorld.open([1, 2, 3]);
    await world.ticks(20);
    const since = world.clock.now();

    const isHandedOver = await world.settle(handOverFrom(world, world.site(1)));

    expect(isHandedOver).toBe(true);
    expect(world.leader()?.id).not.toBe(1);
    expect(world.clock.now() - since).toBeLessThanOrEqual(100);
  });

  test('does so whenever it is asked, also right after the leader has asked for its quorum', async () => {
    for (let ticks = 0; ticks < 12; ticks++) {
      await using world = await MembershipWorld.open([1, 2, 3]);
      await world.ticks(20 + ticks);

      expect(await world.settle(handOverFrom(world, world.site(1))), `after ${ticks} ticks`).toBe(true);
    }
  });

  test('takes the next one when the best does not take it', async () => {
    await using world = await MembershipWorld.open([1, 2, 3]);
    await world.ticks(20);
    // It answers, and does not take over.
    world.passes = ({ kind, to }) => kind !== 'timeout-now' || to !== 2;

    const isHandedOver = await world.settle(handOverFrom(world, world.site(1), 5000));

    expect([isHandedOver, world.leader()?.id]).toEqual([true, 3]);
  });

  test.each([
    [1, 2],
    [2, 3],
    [3, 1],
  ])('goes round by number when it is asked to: from %i to %i', async (from, to) => {
    await using world = await MembershipWorld.open([1, 2, 3]);
    await world.ticks(20);
    if (from !== 1) await world.settle(world.site(1).access.transferLeader(from));
    await world.ticks(20);
    const { access, steward } = world.site(from);

    const parts = { access, hearing: steward.hearing, clock: world.clock };
    await world.settle(handOver(parts, 2000, 'round'));

    expect(world.leader()?.id).toBe(to);
  });

  test('gives up at its deadline', async () => {
    await using world = await MembershipWorld.open([1, 2, 3]);
    await world.ticks(20);
    world.site(1).intercept = async (what) => {
      if (what === 'transfer') world.isolate(2, 3);
    };
    const since = world.clock.now();

    const isHandedOver = await world.settle(handOverFrom(world, world.site(1), 300));

    expect(isHandedOver).toBe(false);
    expect(world.clock.now() - since).toBeLessThanOrEqual(350);
  });

  test('waits for nothing where there is nobody', async () => {
    await using world = await MembershipWorld.open([1]);

    expect(await handOverFrom(world, world.site(1))).toBe(false);
  });

  test('tells of a follower whether somebody leads', async () => {
    await using world = await MembershipWorld.open([1, 2, 3]);
    await world.until('node 2 follows', () => world.site(2).node.summary().leader === 1);

    expect(await handOverFrom(world, world.site(2))).toBe(true);
  });

  test('of a leader that was just elected has the time to hear the others', async () => {
    await using world = await MembershipWorld.open([1, 2, 3]);
    await world.deafen(2);

    const handing = handOverFrom(world, world.site(2));
    await world.ticks(2);
    world.passes = () => true;

    expect(await world.settle(handing)).toBe(true);
  });
});
