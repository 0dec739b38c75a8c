/** The house in which clusters are broken, with nodes that only say that they are there: what it promises about processes, links and disks. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { type PlannedFault, playFaults } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { ClusterProcesses } from './support/cluster/cluster-processes.ts';
import type { LogLine } from './support/server-process.ts';

const STAND_IN = fileURLToPath(new URL('support/cluster/stand-in-node.ts', import.meta.url));
const TIMEOUT_MS = 90_000;

function openCluster(initialCount = 3): Promise<ClusterProcesses> {
  return ClusterProcesses.start({ nodeCount: 3, initialCount, program: ['--import', 'tsx', STAND_IN] });
}

/** The next beats of one node at another, by place. */
async function hear(cluster: ClusterProcesses, from: number, at: number, count = 3): Promise<readonly number[]> {
  const beats: number[] = [];
  const isOfPeer = ({ event, from: peer }: LogLine): boolean => event === 'peer.heard' && peer === from + 1;
  while (beats.length < count) beats.push(Number((await cluster.process(at).next(isOfPeer))['beat']));
  return beats;
}

/** All beats of one node that another has heard so far. */
function heard(cluster: ClusterProcesses, from: number, at: number): readonly number[] {
  const lines = cluster.process(at).log.filter(({ event, from: peer }) => event === 'peer.heard' && peer === from + 1);
  return lines.map(({ beat }) => Number(beat));
}

function isAlive(pid: number | undefined): boolean {
  try {
    return process.kill(pid!, 0);
  } catch {
    return false;
  }
}

describe('a cluster of processes', { timeout: TIMEOUT_MS }, () => {
  test('gives each node its own way to each other one, and a client the way to all', async () => {
    await using cluster = await openCluster();

    await Promise.all([hear(cluster, 0, 1), hear(cluster, 1, 2), hear(cluster, 2, 0)]);
    const [first] = cluster.process(0).log.filter(({ event }) => event === 'node.ready');

    const ports = [0, 1, 2].map((place) => cluster.addresses[place]!.split(':')[1]);
    expect(first?.['peers']).toEqual([
      `2=127.0.0.1:${cluster.link(0, 1).port},127.0.0.1:${ports[1]}`,
      `3=127.0.0.1:${cluster.link(0, 2).port},127.0.0.1:${ports[2]}`,
    ]);
    expect(first?.['data']).toBe(cluster.dataFolder(0));
    expect(await cluster.findLeader()).toBe(0);
    expect(cluster.deaths).toEqual([]);
  });

  test('starts nodes that join later with the first ones as their peers, and not before they are told to', async () => {
    await using cluster = await openCluster(2);

    await cluster.start(2);
    const before = readdirSync(cluster.folder.at('logs'));
    await cluster.join(2);
    await hear(cluster, 2, 0);

    const [first, joined] = [0, 2].map((place) => cluster.process(place).event('node.ready'));
    expect(before.toSorted()).toEqual(['node-1.1.log', 'node-2.1.log']);
    expect(first).toMatchObject({ isJoining: false, peers: [expect.stringMatching(/^2=/)] });
    expect(joined).toMatchObject({
      isJoining: true,
      peers: [expect.stringMatching(/^1=/), expect.stringMatching(/^2=/)],
    });
  });

  test('blocks one direction between two nodes, and loses nothing of it', async () => {
    await using cluster = await openCluster();
    await hear(cluster, 0, 1);
    cluster.shapeLink(0, 1, { isBlocked: true });
    await hear(cluster, 2, 1);
    const before = heard(cluster, 0, 1).length;

    await Promise.all([hear(cluster, 1, 0, 10), hear(cluster, 2, 1, 10)]);
    const during = heard(cluster, 0, 1).length - before;
    cluster.healLinks();
    await hear(cluster, 0, 1, 12);

    const beats = heard(cluster, 0, 1);
    expect(during).toBe(0);
    expect(beats).toEqual(beats.map((_, at) => beats[0]! + at));
  });

  test('kills, starts again, stops and goes on with single nodes, and notices an end that nobody asked for', async () => {
    await using cluster = await openCluster();
    const killed = cluster.process(1).child.pid;

    await cluster.kill(1);
    const isKilledAlive = isAlive(killed);
    await cluster.start(1);
    await hear(cluster, 1, 0);
    cluster.pause(2);
    await hear(cluster, 1, 0);
    const before = heard(cluster, 2, 0).length;
    await hear(cluster, 1, 0, 10);
    const whilePaused = heard(cluster, 2, 0).length - before;
    cluster.resume(2);
    await hear(cluster, 2, 0);
    cluster.process(0).child.kill('SIGKILL');
    await cluster.process(0).ended;

    expect([isKilledAlive, cluster.process(1).child.pid === killed, whilePaused]).toEqual([false, false, 0]);
    expect(cluster.deaths).toEqual([expect.stringMatching(/^node 1 ended with null: /)]);
    expect(readdirSync(cluster.folder.at('logs')).toSorted()).toEqual([
      'node-1.1.log',
      'node-2.1.log',
      'node-2.2.log',
      'node-3.1.log',
    ]);
    expect(readFileSync(cluster.folder.at('logs', 'node-3.1.log'), 'utf8')).toContain('"event":"peer.heard"');
  });

  test('is whole again after a plan of faults, and leaves no process behind', async () => {
    const pids: (number | undefined)[] = [];
    const notes: string[] = [];
    const fault: PlannedFault = {
      name: 'kill',
      target: { kind: 'leader' },
      afterMs: 0,
      forMs: 10,
      links: [],
      delayMs: 0,
      isCutAtEnd: true,
    };
    const plan: readonly PlannedFault[] = [fault, { ...fault, name: 'pause' }, { ...fault, name: 'slow-disk' }];
    let folder = '';
    {
      await using cluster = await openCluster();
      folder = cluster.folder.at('disk-load');
      const pause = async (): Promise<void> => {
        await cluster.findLeader();
      };

      const count = await playFaults(plan, { cluster, pause, note: (text) => notes.push(text) });
      await cluster.ready();
      await Promise.all([hear(cluster, 0, 1), hear(cluster, 1, 2), hear(cluster, 2, 0)]);

      pids.push(...[0, 1, 2].map((place) => cluster.process(place).child.pid));
      expect(count).toBe(3);
      expect(notes[0]).toBe('kill at node 1 for 10 ms');
      expect(cluster.deaths).toEqual([]);
    }

    expect(pids.map(isAlive)).toEqual([false, false, false]);
    expect(existsSync(folder)).toBe(false);
  });
});
