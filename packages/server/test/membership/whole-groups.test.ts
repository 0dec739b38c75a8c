/** Groups that grow, shrink and have members replaced, with doors, links and transfers of snapshots as they are. */

import { describe, expect, test } from 'vitest';

import type { NewMember } from '../../src/membership/membership-operations.ts';
import { GroupWorld, hostOf, portOf, type Site } from '../group/group-world.ts';

const FOR_GOOD = { isDryRun: false } as const;

function newMember(node: number): NewMember {
  return {
    node,
    peerAddress: `${hostOf(node)}:${portOf(node)}`,
    clientAddress: `${hostOf(node)}:7379`,
    staysLearner: false,
  };
}

function votersOf({ group }: Site): string {
  return group.member?.node.summary().configuration.voters.join(' ') ?? '';
}

async function addAndWait(world: GroupWorld, leader: Site, node: number): Promise<Site> {
  await world.settle(leader.group.membership.add(newMember(node), FOR_GOOD));
  const site = await world.start(node, { peers: [leader.node], isJoining: true });
  await world.until(`node ${node} votes`, () => votersOf(leader).split(' ').includes(String(node)));
  return site;
}

describe('a group', { timeout: 120_000 }, () => {
  test('grows from one node to three, which promote themselves, and has everything on all of them', async () => {
    await using world = new GroupWorld();
    const first = await world.start(1);
    await world.leader([first]);
    for (let i = 0; i < 20; i++) await world.settle(first.put(`k${i}`, 'x'.repeat(1000)));

    const second = await addAndWait(world, first, 2);
    const third = await addAndWait(world, first, 3);
    await world.settle(first.put('last', '1'));

    for (const site of [second, third]) {
      expect(await world.settle(site.get('k7'))).toBe('x'.repeat(1000));
      expect(await world.settle(site.get('last'))).toBe('1');
      expect(site.group.members.map(({ node, incarnation }) => [node, incarnation > 0])).toEqual([
        [1, true],
        [2, true],
        [3, true],
      ]);
    }
  });

  test('takes a node back with an empty disk under its old number, and not with its old one', async () => {
    await using world = new GroupWorld();
    const sites = await world.startAll([1, 2, 3]);
    const leader = await world.leader(sites);
    const lost = sites.find((site) => site !== leader)!;
    await world.settle(leader.put('k', 'v'));
    await world.until(
      'all rows are there',
      () => leader.group.members.every(({ incarnation }) => incarnation > 0) && leader.group.members.length === 3,
    );
    const oldDirectory = lost.directory.identity.incarnation;
    await lost.crash();

    await world.settle(leader.group.membership.remove(lost.node, FOR_GOOD));
    world.wipe(lost.node);
    const again = await addAndWait(world, leader, lost.node);

    expect(await world.settle(again.get('k'))).toBe('v');
    const machine = leader.group.member!.machine;
    expect(machine.wasRemoved(lost.node, oldDirectory)).toBe(true);
    expect(machine.members.find(({ node }) => node === lost.node)?.incarnation).toBe(
      again.directory.identity.incarnation,
    );
  });

  test('goes from its leader to another and back to fewer nodes, and who was removed ends', async () => {
    await using world = new GroupWorld();
    const sites = await world.startAll([1, 2, 3]);
    const old = await world.leader(sites);
    await world.until('all rows are there', () => old.group.members.length === 3);

    const failure = await world.settle(
      old.group.membership.remove(old.node, FOR_GOOD).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    const leader = await world.leader(sites.filter((site) => site !== old));
    await world.settle(leader.group.membership.remove(old.node, FOR_GOOD));
    await world.until('the removed node has ended', () => old.ended !== undefined);
    await world.settle(leader.put('k', 'v'));

    expect(failure).toMatchObject({ code: 'KAYA_NOT_LEADER', leaderAddress: `${hostOf(leader.node)}:7379` });
    expect(old.ended).toMatchObject({ code: 'KAYA_REMOVED' });
    expect(votersOf(leader).split(' ')).not.toContain(String(old.node));
  });
});
