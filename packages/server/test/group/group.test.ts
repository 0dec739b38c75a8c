import { expect, describe, test } from 'vitest';

import { GroupWorld } from './group-world.ts';

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
    const sites = await world.startAll([1, 2, 3]);
    const leader = await world.leader(sites);

    await world.settle(leader.put('k', 'v'));
    const values = await world.settle(Promise.all(sites.map((site) => site.get('k'))));

    expect(values).toEqual(['v', 'v', 'v']);
    expect(new Set(sites.map(({ directory }) => directory.identity.cluster)).size).toBe(1);
  });
});
