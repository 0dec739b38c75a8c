import { describe, expect, test } from 'vitest';

import { GroupWorld, hostOf, portOf, type Site } from './group-world.ts';

const ALL = [1, 2, 3];

describe('Group', () => {
  test('of a node alone takes writes', async () => {
    await using world = new GroupWorld();
    const site = await world.start(1);

    await world.until('it is ready', () => site.isReady);
    const answer = await world.settle(site.put('k', 'v'));

    expect(answer.revision).toBeGreaterThan(1);
    expect(await world.settle(site.get('k'))).toBe('v');
  });

  test('of three nodes forms, replicates, and answers reads anywhere', async () => {
    await using world = new GroupWorld();
    const sites = await world.startAll(ALL);
    const leader = await world.leader(sites);

    await world.settle(leader.put('k', 'v'));
    const values = await world.settle(Promise.all(sites.map((site) => site.get('k'))));

    expect(values).toEqual(['v', 'v', 'v']);
    expect(new Set(sites.map(({ directory }) => directory.identity.cluster)).size).toBe(1);
  });

  test('refuses what comes before there is a group, and says what it waits for', async () => {
    await using world = new GroupWorld();
    const site = await world.start(1, { peers: ALL });

    const write = site.put('k', 'v');

    await expect(write).rejects.toMatchObject({
      code: 'KAYA_NO_QUORUM',
      message: 'node 1 has no cluster yet: it waits for nodes 2, 3',
    });
  });

  test('takes in one of the founders that comes a day late', async () => {
    await using world = new GroupWorld();
    const sites = await Promise.all([1, 2].map((node) => world.start(node, { peers: ALL })));
    const leader = await world.leader(sites);
    await world.settle(leader.put('k', 'v'));
    await world.clock.advanceAsync(60_000);

    const late = await world.start(3, { peers: ALL });
    await world.until('it is ready', () => late.isReady);
    const value = await world.settle(late.get('k'));
    await world.until('the group knows it', () => knowsAll(leader));

    expect(value).toBe('v');
    expect(leader.group.member!.node.summary().configuration.voters).toEqual(ALL);
  });

  test('goes on from what was acknowledged when all of it loses power', async () => {
    await using world = new GroupWorld();
    const sites = await world.startAll(ALL);
    const leader = await world.leader(sites);
    for (let i = 0; i < 20; i++) await world.settle(leader.put(`k${i}`, `v${i}`));

    for (const site of sites) await site.crash();
    const again = await world.startAll(ALL);
    await world.leader(again);
    const values = await world.settle(Promise.all(again.map((site, i) => site.get(`k${i * 9}`))));

    expect(values).toEqual(['v0', 'v9', 'v18']);
  });

  test('has another leader well within a second when the process of one ends', async () => {
    await using world = new GroupWorld();
    const sites = await world.startAll(ALL);
    const leader = await world.leader(sites);
    await world.settle(leader.put('k', 'v'));
    const rest = sites.filter((site) => site !== leader);

    await leader.crash();
    const atMs = world.clock.now();
    const next = await world.leader(rest);
    await world.settle(next.put('k', 'w'));
    const tookMs = world.clock.now() - atMs;

    expect(tookMs).toBeLessThan(400);
    expect(await world.settle(next.get('k'))).toBe('w');
  });

  test('takes a restarted node back, which catches up', async () => {
    await using world = new GroupWorld();
    const sites = await world.startAll(ALL);
    const leader = await world.leader(sites);
    const other = sites.find((site) => site !== leader)!;
    await other.crash();
    for (let i = 0; i < 50; i++) await world.settle(leader.put(`k${i}`, 'v'));

    const again = await world.start(other.node, { peers: ALL });
    await world.until('it is ready', () => again.isReady);

    expect(await world.settle(again.get('k49'))).toBe('v');
  });

  test('fences a member whose disk was wiped', async () => {
    await using world = new GroupWorld();
    const sites = await world.startAll(ALL);
    const leader = await world.leader(sites);
    await world.until('the group knows its directories', () => knowsAll(leader));
    const other = sites.find((site) => site !== leader)!;
    await other.crash();
    world.wipe(other.node);

    const again = await world.start(other.node, { peers: ALL });
    await world.until('it is told', () => again.ended !== undefined);

    expect(again.ended).toMatchObject({ code: 'KAYA_FENCED' });
  });

  test('fences nobody as long as it can not ask its group, which may know another directory by now', async () => {
    await using world = new GroupWorld();
    const sites = await world.startAll(ALL);
    const leader = await world.leader(sites);
    await world.until('the group knows its directories', () => sites.every((site) => knowsAll(site)));
    const [other, third] = sites.filter((site) => site !== leader);
    for (const site of [other!, third!]) await site.crash();
    world.wipe(other!.node);

    const again = await world.start(other!.node, { peers: ALL });
    await world.clock.advanceAsync(20_000);
    const before = again.ended;
    await world.start(third!.node, { peers: ALL });
    await world.until('it is told', () => again.ended !== undefined);

    expect(before).toBeUndefined();
    expect(again.ended).toMatchObject({ code: 'KAYA_FENCED' });
  });

  test('fences a member that comes back with a copy of its directory from earlier', async () => {
    await using world = new GroupWorld();
    const sites = await world.startAll(ALL);
    const leader = await world.leader(sites);
    await world.until('the group knows its directories', () => knowsAll(leader));
    const other = sites.find((site) => site !== leader)!;
    const putBack = world.copyDisk(other.node);
    for (let i = 0; i < 5; i++) await world.settle(leader.put(`k${i}`, 'v'));
    await world.clock.advanceAsync(200);
    await other.crash();
    putBack();

    const again = await world.start(other.node, { peers: ALL });
    await world.until('it is told', () => again.ended !== undefined);

    expect(again.ended).toMatchObject({ code: 'KAYA_FENCED', message: expect.stringContaining('earlier state') });
  });

  test('hears no vote and no acknowledgement of a fenced member, even before that is closed', async () => {
    await using world = new GroupWorld();
    const sites = await world.startAll(ALL);
    const leader = await world.leader(sites);
    await world.until('the group knows its directories', () => knowsAll(leader));
    const other = sites.find((site) => site !== leader)!;
    const putBack = world.copyDisk(other.node);
    for (let i = 0; i < 5; i++) await world.settle(leader.put(`k${i}`, 'v'));
    await world.clock.advanceAsync(200);
    await other.crash();
    putBack();

    const again = await world.start(other.node, { peers: ALL });
    await world.until('it is told', () => again.ended !== undefined);

    expect(again.group.member?.node.endError).toMatchObject({ code: 'KAYA_RAFT_STOPPED' });
  });

  test('is not joined by a node that is closed while it opens its log', async () => {
    await using world = new GroupWorld();
    const site = await world.start(1);

    await world.settle(site.group.close());

    expect(world.log.map(({ event }) => event)).not.toContain('group.member');
    expect(site.isReady).toBe(false);
    await expect(site.put('k', 'v')).rejects.toMatchObject({ code: 'KAYA_STOPPING' });
  });

  test('brings back a member that was away when another one got a new directory, and leads', async () => {
    await using world = new GroupWorld();
    const five = [1, 2, 3, 4, 5];
    const sites = await world.startAll(five);
    const leader = await world.leader(sites);
    await world.until('all know its directories', () => sites.every((site) => knowsAll(site, five)));
    const [replaced, away] = sites.filter((site) => site !== leader);
    const { node } = replaced!;
    await away!.crash();
    await replaced!.crash();
    world.wipe(node);
    const options = { isDryRun: false };
    await world.settle(leader.group.membership.remove(node, options));
    const again = await world.start(node, { peers: [leader.node], isJoining: true });
    const addresses = { peerAddress: `${hostOf(node)}:${portOf(node)}`, clientAddress: `${hostOf(node)}:7379` };
    const member = { node, ...addresses, staysLearner: false };
    await world.settle(leader.group.membership.add(member, options));
    const votes = (): boolean => again.group.member?.node.summary().configuration.voters.includes(node) === true;
    await world.until('it votes again', votes);
    await world.settle(leader.group.membership.transfer(node));
    await world.settle(again.put('k', 'v'));

    const back = await world.start(away!.node, { peers: five });
    await world.until('it has caught up', () => back.isReady);

    expect(await world.settle(back.get('k'))).toBe('v');
    expect(again.ended).toBeUndefined();
  });

  test.each([
    [[1, 2, 4], ['did not begin with nodes 1, 2, 4, and its log is empty'], 0],
    [ALL, [], 1],
  ])(
    'that ended between its cluster and its first state says so if it comes with others: %j',
    async (peers, told, lastIndex) => {
      await using world = new GroupWorld();
      const sites = await world.startAll(ALL);
      await world.until('it has a cluster', () => sites[0]!.directory.identity.cluster !== undefined);
      const { cluster } = sites[0]!.directory.identity;
      for (const site of sites) await site.crash();
      world.wipe(1);
      await world.joinOnly(1, cluster!);

      const again = await world.start(1, { peers });
      await world.until('its log is open', () => again.group.member !== undefined);

      const doubts = world.log.filter(({ event }) => event === 'group.doubt').map(({ message }) => message);
      expect(doubts.map((message) => /did not begin .* empty/.exec(message)?.[0])).toEqual(told);
      expect(again.group.member!.node.summary().lastIndex).toBe(lastIndex);
    },
  );

  test('does not start a member whose log is gone', async () => {
    await using world = new GroupWorld();
    const sites = await world.startAll(ALL);
    await world.leader(sites);
    const other = sites[2]!;
    await world.until('its log has an entry', () => other.directory.identity.hasBegun);
    await other.crash();
    const disk = world.disk(other.node);
    for (const { name } of await disk.readDirectory(`${other.directory.groupPath}/raft`)) {
      await disk.unlink(`${other.directory.groupPath}/raft/${name}`);
    }

    const again = await world.start(other.node, { peers: ALL });
    await world.until('it ends', () => again.ended !== undefined);

    expect(again.ended).toMatchObject({ code: 'KAYA_NODE_LOST' });
    expect(again.group.member).toBeUndefined();
  });

  test('gives a node nothing of another cluster', async () => {
    await using world = new GroupWorld();
    const sites = await world.startAll(ALL);
    await world.leader(sites);
    await world.start(4);

    const stranger = await world.start(5, { peers: [1, 4] });
    await world.clock.advanceAsync(15_000);

    expect(stranger.group.member).toBeUndefined();
  });
});

function knowsAll({ group }: Site, nodes: readonly number[] = ALL): boolean {
  return group.members.length === nodes.length && group.members.every(({ incarnation }) => incarnation > 0);
}
