import { seededRandom, testSeed, VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { Formation, type Formed } from './formation.ts';

const WAIT_MS = 10_000;

interface Site {
  readonly node: number;
  readonly formation: Formation;
  formed: Formed | undefined;
}

function openSite(node: number, nodes: readonly number[], clock: VirtualClock, isJoining = false): Site {
  const random = seededRandom(node).fork('cluster id');
  const formation = new Formation({
    node,
    nodes,
    isJoining,
    clock,
    randomBytes: (count) => random.bytes(count),
    waitMs: WAIT_MS,
  });
  const site: Site = { node, formation, formed: undefined };
  const note = async (): Promise<void> => {
    site.formed = await formation.formed;
  };
  void note();
  return site;
}

/** Each of the two learns what the other is. */
function meet(a: Site, b: Site): void {
  const [fromA, fromB] = [a, b].map(({ node, formed }) => ({
    sender: node,
    cluster: formed?.cluster,
    hasHistory: false,
  }));
  b.formation.hear(fromA!);
  a.formation.hear(fromB!);
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('Formation', () => {
  test('makes a cluster of a node that is alone', async () => {
    const site = openSite(7, [], new VirtualClock());

    await turn();

    expect(site.formed).toEqual({ cluster: expect.stringMatching(/^[0-9a-f]{32}$/), voters: [7] });
  });

  test('has the smallest of all nodes found the cluster, once all are there', async () => {
    const clock = new VirtualClock();
    const [one, two, three] = [1, 2, 3].map((node) => openSite(node, [1, 2, 3], clock)) as [Site, Site, Site];
    meet(two, three);
    meet(one, two);
    await turn();
    const early = [one, two, three].map(({ formed }) => formed);

    meet(one, three);
    await turn();
    meet(two, three);
    meet(one, two);
    meet(one, three);
    await turn();

    expect(early).toEqual([undefined, undefined, undefined]);
    expect(one.formed!.voters).toEqual([1, 2, 3]);
    expect([two.formed, three.formed]).toEqual([one.formed, one.formed]);
  });

  test('goes on without a minority that is not there, after a while', async () => {
    const clock = new VirtualClock();
    const [two, three] = [2, 3].map((node) => openSite(node, [1, 2, 3], clock)) as [Site, Site];
    meet(two, three);
    await clock.advanceAsync(WAIT_MS - 1);
    const early = two.formed;

    await clock.advanceAsync(1);
    meet(two, three);
    const one = openSite(1, [1, 2, 3], clock);
    meet(one, three);
    await turn();
    meet(one, two);
    await turn();

    expect(early).toBeUndefined();
    expect(two.formed!.voters).toEqual([1, 2, 3]);
    expect(three.formed ?? two.formed).toEqual(two.formed);
    expect(one.formed).toEqual(two.formed);
  });

  test('never founds anything without a majority', async () => {
    const clock = new VirtualClock();
    const sites = [1, 2].map((node) => openSite(node, [1, 2, 3, 4], clock)) as [Site, Site];
    meet(...sites);

    await clock.advanceAsync(WAIT_MS * 10);

    expect(sites.map(({ formed }) => formed)).toEqual([undefined, undefined]);
    expect(sites[0].formation.missing).toEqual([3, 4]);
  });

  test('does not begin together with nodes that were told of others', async () => {
    const clock = new VirtualClock();
    const other = openSite(9, [], clock);
    await turn();
    const site = openSite(1, [1, 9], clock);

    const wrong = site.formation.hear({ sender: 9, cluster: other.formed!.cluster, hasHistory: false });

    expect(wrong).toBe('node 9 is in a cluster that did not begin with nodes 1, 9');
    expect(site.formed).toBeUndefined();
  });

  test('begins nothing anew where something has happened already', async () => {
    const clock = new VirtualClock();
    const [one, two, late] = [1, 2, 3].map((node) => openSite(node, [1, 2, 3], clock)) as [Site, Site, Site];
    meet(one, two);
    await clock.advanceAsync(WAIT_MS);

    late.formation.hear({ sender: 1, cluster: one.formed!.cluster, hasHistory: true });
    await turn();

    expect(late.formed).toEqual({ cluster: one.formed!.cluster, voters: [] });
  });

  test('takes the cluster of the nodes that it is to join, and founds none', async () => {
    const clock = new VirtualClock();
    const old = openSite(1, [], clock);
    await turn();
    const joiner = openSite(4, [1], clock, true);
    joiner.formation.hear({ sender: 1, cluster: undefined, hasHistory: false });
    joiner.formation.hear({ sender: 5, cluster: 'ff'.repeat(16), hasHistory: true });
    await clock.advanceAsync(WAIT_MS * 2);
    const early = joiner.formed;

    meet(old, joiner);
    await turn();

    expect(early).toBeUndefined();
    expect(joiner.formed).toEqual({ cluster: old.formed!.cluster, voters: [] });
  });

  test('puts all nodes into one cluster, in whatever order they meet', async () => {
    const seed = testSeed();
    const random = seededRandom(seed).fork('formation');
    for (let round = 0; round < 40; round++) {
      const clock = new VirtualClock();
      const nodes = Array.from({ length: 2 + random.int(4) }, (_, i) => i + 1);
      const sites = nodes.map((node) => openSite(node, nodes, clock));
      const meetAll = async (): Promise<void> => {
        for (const a of random.shuffle(sites)) {
          for (const b of random.shuffle(sites)) if (a !== b) meet(a, b);
          await clock.advanceAsync(random.int(Math.floor(WAIT_MS / nodes.length)));
        }
      };

      for (let i = 0; i < 3; i++) await meetAll();

      const clusters = new Set(sites.map(({ formed }) => formed?.cluster));
      expect(clusters.size, `seed ${seed}, round ${round}`).toBe(1);
      expect(sites[0]!.formed!.voters).toEqual(nodes);
    }
  });
});
