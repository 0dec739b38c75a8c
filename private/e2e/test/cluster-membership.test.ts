/**
 * What an operator does with a cluster while it is in use: grows it, shrinks it, replaces a node that has lost its disk, restarts all nodes one after the other. Clients follow redirects and
 * try again by themselves, within their default deadlines; not one of their requests may fail, and nothing that was acknowledged may be missing on any member.
 */

import { type Client, connect } from '@kayadb/client';
import { publishFigures, sized, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { ClusterProcesses, type ClusterProcessesOptions } from './support/cluster/cluster-processes.ts';
import { Operator, placeOperatorToken } from './support/cluster/operator.ts';
import { openRunFolder } from './support/cluster/run-folder.ts';
import { readSettled } from './support/cluster/settled-contents.ts';
import { SteadyLoad } from './support/cluster/steady-load.ts';

const TIMEOUT_MS = 300_000;
const CLIENTS = 4;
/** Writes that are acknowledged between two steps, so that each is taken under load. */
const WRITES = sized({ ci: 50, long: 5000 });
const ROUNDS = sized({ ci: 1, long: 5 });
const VALUE_BYTES = 200;
const RESULTS = new URL('../results/', import.meta.url);

class World implements AsyncDisposable {
  readonly cluster: ClusterProcesses;
  readonly operator: Operator;
  readonly load: SteadyLoad;
  readonly #clients: readonly Client[];
  readonly #startedMs = performance.now();

  private constructor(cluster: ClusterProcesses, operator: Operator) {
    this.cluster = cluster;
    this.operator = operator;
    this.#clients = Array.from({ length: CLIENTS }, () => connect(cluster.addresses));
    this.load = new SteadyLoad({ clients: this.#clients, valueBytes: VALUE_BYTES });
  }

  static async start(options: Omit<ClusterProcessesOptions, 'flags'>): Promise<World> {
    const key = placeOperatorToken(openRunFolder(), 'membership-test-operator-token');
    const cluster = await ClusterProcesses.start({ ...options, flags: key.flags });
    return new World(cluster, new Operator(cluster, key));
  }

  /** Ends the load and reads every member. Fails when anything was lost, or anything failed. */
  async judge(name: string, places: readonly number[]): Promise<void> {
    await this.load.takes(WRITES);
    await this.load.stop();
    const missing = places.map(() => new Map(this.load.acknowledged));
    const addresses = places.map((place) => this.cluster.addresses[place]!);
    const nodes = await readSettled(addresses, (place, key, value) => {
      if (missing[place]!.get(key) === value) missing[place]!.delete(key);
    });
    expect(this.load.failures).toEqual([]);
    expect(missing.map(({ size }) => size)).toEqual(places.map(() => 0));
    expect(new Set(nodes.map(({ hash }) => hash)).size).toBe(1);
    const writes = this.load.acknowledged.size;
    const seconds = Math.round((performance.now() - this.#startedMs) / 1000);
    publishFigures(name, { rounds: ROUNDS, writes, 'failed requests': 0, 'lost writes': 0, seconds }, RESULTS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Clients first: a load whose cluster is gone would wait for its deadlines.
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.load[Symbol.asyncDispose]();
    await this.cluster[Symbol.asyncDispose]();
  }
}

describe('a cluster in use', { timeout: timeoutFor(TIMEOUT_MS) }, () => {
  test('grows from one node to three and to five, and shrinks to three, and no request fails', async () => {
    await using world = await World.start({ nodeCount: 5, initialCount: 1 });
    const { cluster, operator, load } = world;

    await load.takes(WRITES);
    for (const place of [1, 2]) await operator.add(place);
    await load.takes(WRITES);
    const three = await operator.kinds();
    for (const place of [3, 4]) await operator.add(place);
    await load.takes(WRITES);
    const five = await operator.kinds();
    // The leader is among those who leave.
    const removed = [...new Set([(await cluster.findLeader()) ?? 0, 0, 1])].slice(0, 2);
    for (const place of removed) {
      await operator.do('remove-node', String(place + 1));
      await load.takes(WRITES);
    }
    const ends = await Promise.all(removed.map((place) => cluster.process(place).ended));
    const left = [0, 1, 2, 3, 4].filter((place) => !removed.includes(place));
    const shrunk = await operator.kinds();

    expect(three).toEqual({ 1: 'voter', 2: 'voter', 3: 'voter' });
    expect(five).toEqual({ 1: 'voter', 2: 'voter', 3: 'voter', 4: 'voter', 5: 'voter' });
    expect(shrunk).toEqual(Object.fromEntries(left.map((place) => [place + 1, 'voter'])));
    expect(ends.map(({ exitCode }) => exitCode)).toEqual([1, 1]);
    expect(ends.map(({ stderr }) => stderr)).toEqual(removed.map(() => expect.stringContaining('KAYA_REMOVED')));
    expect(cluster.deaths).toHaveLength(removed.length);
    await world.judge('membership-grow-shrink', left);
  });

  test('has a node replaced that lost its disk, and no request fails', async () => {
    await using world = await World.start({ nodeCount: 3 });
    const { cluster, operator, load } = world;

    for (let round = 0; round < ROUNDS; round++) {
      const place = (2 + round) % 3;
      await load.takes(WRITES);
      await cluster.wipe(place);
      await cluster.start(place);
      const { exitCode, stderr } = await cluster.process(place).ended;
      await operator.do('remove-node', String(place + 1));
      await cluster.wipe(place);
      await operator.add(place);

      expect(exitCode).toBe(1);
      expect(stderr).toContain('KAYA_FENCED');
    }

    expect(await operator.kinds()).toEqual({ 1: 'voter', 2: 'voter', 3: 'voter' });
    expect(cluster.deaths).toHaveLength(ROUNDS);
    await world.judge('membership-replace', [0, 1, 2]);
  });

  test('has all its nodes restarted one after the other, and no request fails', async () => {
    await using world = await World.start({ nodeCount: 3 });
    const { cluster, operator, load } = world;

    for (let round = 0; round < ROUNDS; round++) {
      for (const place of [0, 1, 2]) {
        await load.takes(WRITES);
        const { exitCode, seconds } = await cluster.stop(place);
        await cluster.start(place);
        await cluster.ready();

        expect(exitCode).toBe(0);
        expect(seconds).toBeLessThan(10);
      }
    }

    expect(await operator.kinds()).toEqual({ 1: 'voter', 2: 'voter', 3: 'voter' });
    expect(cluster.deaths).toEqual([]);
    await world.judge('membership-rolling-restart', [0, 1, 2]);
  });
});
