/** The house in which clusters are broken: what it promises about processes, links and disks. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';

import { connect } from '@kayadb/client';
import { breathe, linksOf, type PlannedFault, playFaults } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { ClusterProcesses } from './support/cluster/cluster-processes.ts';
import type { LogLine } from './support/server-process.ts';

const TIMEOUT_MS = 120_000;

function openCluster(initialCount = 3): Promise<ClusterProcesses> {
  return ClusterProcesses.start({ nodeCount: 3, initialCount });
}

function isElected({ event, role }: LogLine): boolean {
  return event === 'raft.role-changed' && role === 'leader';
}

function termOf(line: LogLine): number {
  return Number(line['term']);
}

/** Who leads, as soon as a node says that it does. */
async function leaderOf(cluster: ClusterProcesses): Promise<number> {
  for (;;) {
    const leader = await cluster.findLeader();
    if (leader !== undefined) return leader;
  }
}

function isAlive(pid: number | undefined): boolean {
  try {
    return process.kill(pid!, 0);
  } catch {
    return false;
  }
}

/** Bound: the time of the test, which fails when the process goes on. */
async function untilStopped(pid: number): Promise<void> {
  for (;;) {
    const state = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2];
    if (state === 'T') return;
    await breathe();
  }
}

describe('a cluster of processes', { timeout: TIMEOUT_MS }, () => {
  test('gives each node its own way to each other one, and a client the way to all', async () => {
    await using cluster = await openCluster();

    await using client = connect(cluster.addresses);
    await client.put('k', 'v');
    const idle = linksOf(3).filter(([from, to]) => cluster.link(from, to).connectionCount === 0);
    const members = (await client.members())['members'] as readonly Readonly<Record<string, unknown>>[];

    expect(idle).toEqual([]);
    expect(members.map((member) => member['client_address'])).toEqual(cluster.addresses);
    expect(cluster.deaths).toEqual([]);
  });

  test('starts no node that has not joined', async () => {
    await using cluster = await openCluster(2);

    await cluster.start(2);

    expect(readdirSync(cluster.folder.at('logs')).toSorted()).toEqual(['node-1.1.log', 'node-2.1.log']);
  });

  test('takes the leader its voice, and the others elect one that it follows when it is heard again', async () => {
    await using cluster = await openCluster();
    const leader = await leaderOf(cluster);
    const others = [0, 1, 2].filter((place) => place !== leader);
    const { log } = cluster.process(leader);
    const terms = [termOf(log.findLast(isElected)!)];
    const elected = Promise.any(others.map((place) => cluster.process(place).next(isElected)));
    // Of a later term: a leader that steps down by itself says so of its own.
    const follows = cluster
      .process(leader)
      .next((line) => line.event === 'raft.role-changed' && line['role'] === 'follower' && termOf(line) > terms[0]!);

    for (const other of others) cluster.shapeLink(leader, other, { isBlocked: true });
    terms.push(termOf(await elected));
    cluster.healLinks();
    terms.push(termOf(await follows));
    await using client = connect(cluster.addresses[leader]!);
    await client.put('k', 'v');

    // Elections may go on, but nobody is elected who could not be heard, and who could not be heard takes the term of who could.
    expect(terms[1]).toBeGreaterThan(terms[0]!);
    expect(terms[2]).toBeGreaterThan(terms[0]!);
    expect(log.filter((line) => isElected(line) && termOf(line) === terms[1])).toEqual([]);
    expect(cluster.deaths).toEqual([]);
  });

  test('kills, starts again, stops and goes on with single nodes, and notices an end that nobody asked for', async () => {
    await using cluster = await openCluster();
    const killed = cluster.process(1).child.pid;

    await cluster.kill(1);
    const isKilledAlive = isAlive(killed);
    await cluster.start(1);
    await cluster.ready();
    cluster.pause(2);
    await untilStopped(cluster.process(2).child.pid!);
    cluster.resume(2);
    const { exitCode } = await cluster.stop(2);
    cluster.process(0).child.kill('SIGKILL');
    await cluster.process(0).ended;

    expect([isKilledAlive, cluster.process(1).child.pid === killed, exitCode]).toEqual([false, false, 0]);
    expect(cluster.deaths).toEqual([expect.stringMatching(/^node 1 ended with null: /)]);
    expect(readdirSync(cluster.folder.at('logs')).toSorted()).toEqual([
      'node-1.1.log',
      'node-2.1.log',
      'node-2.2.log',
      'node-3.1.log',
    ]);
    expect(readFileSync(cluster.folder.at('logs', 'node-3.1.log'), 'utf8')).toContain('"event":"node.stopped"');
  });

  test('is whole again after a plan of faults, and leaves no process behind', async () => {
    const pids: (number | undefined)[] = [];
    const notes: string[] = [];
    const fault: PlannedFault = {
      name: 'kill',
      target: { kind: 'node', place: 0 },
      afterMs: 0,
      forMs: 10,
      links: [],
      delayMs: 0,
      isCutAtEnd: true,
    };
    const plan: readonly PlannedFault[] = [fault, { ...fault, name: 'pause' }, { ...fault, name: 'slow-disk' }];
    let load = '';
    {
      await using cluster = await openCluster();
      load = cluster.folder.at('disk-load');
      const pause = async (): Promise<void> => void (await cluster.findLeader());

      const count = await playFaults(plan, { cluster, pause, note: (text) => notes.push(text) });
      await using client = connect(cluster.addresses);
      await client.put('k', 'v');

      pids.push(...[0, 1, 2].map((place) => cluster.process(place).child.pid));
      expect(count).toBe(3);
      expect(notes[0]).toBe('kill at node 1 for 10 ms');
      expect(pids.map(isAlive)).toEqual([true, true, true]);
      expect(cluster.deaths).toEqual([]);
    }

    expect(pids.map(isAlive)).toEqual([false, false, false]);
    expect(existsSync(load)).toBe(false);
  });
});
