/** Three nodes that are all linked to each other, in one process and on one clock. */

import { decodeUtf8 } from '@kayadb/codec';
import { seededRandom, settle, testSeed, VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { Endpoint, Listener, Network } from '../src/network.ts';
import { PEER_LISTENER_LIMITS } from '../src/peer/peer-limits.ts';
import { PeerMesh } from '../src/peer/peer-mesh.ts';
import { MemoryNetwork } from '../src/testing/memory-network.ts';
import type { SecureIdentity } from '../src/tls/secure-identity.ts';
import { TransportError } from '../src/transport-error.ts';
import { frame, greetingBytes, TestPolicy } from './peer-world.ts';

const NODES = [1, 2, 3] as const;

type Node = (typeof NODES)[number];

function addressOf(node: number): Endpoint {
  return { host: `node-${node}.example`, port: 7480 + node };
}

class Cluster implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork({ clock: this.clock });
  readonly log: string[] = [];
  readonly policies = new Map(NODES.map((node) => [node, new TestPolicy(node)]));
  readonly #meshes = new Map<Node, PeerMesh>();
  readonly #listeners: Listener[] = [];

  static async open(): Promise<Cluster> {
    const cluster = new Cluster();
    for (const node of NODES) await cluster.#start(node);
    for (const node of NODES) cluster.mesh(node).setPeers(peersOf(node));
    await settle();
    return cluster;
  }

  mesh(node: Node): PeerMesh {
    return this.#meshes.get(node)!;
  }

  async #start(node: Node): Promise<void> {
    const random = seededRandom(testSeed()).fork(`${node}`);
    const mesh = new PeerMesh({
      network: this.network.from(`10.0.0.${node}`),
      clock: this.clock,
      random: () => random.next(),
      policy: this.policies.get(node)!,
      events: {
        handleFrame: (peer, bytes) => void this.log.push(`${node} < ${peer.node} ${decodeUtf8(bytes)}`),
        handleIn: (peer) => void this.log.push(`${node} < ${peer.node} in ${peer.stream}`),
        handleOut: (peer, reason) => void this.log.push(`${node} < ${peer.node} out ${peer.stream} ${reason?.code}`),
        handleUp: (to, stream) => void this.log.push(`${node} > ${to} up ${stream}`),
        handleDown: (to, stream, { code }) => void this.log.push(`${node} > ${to} down ${stream} ${code}`),
        handleStopped: (to, { code }) => void this.log.push(`${node} > ${to} stopped ${code}`),
      },
    });
    this.#meshes.set(node, mesh);
    const onConnection = mesh.accept.bind(mesh);
    this.#listeners.push(await this.network.listen({ ...addressOf(node), limits: PEER_LISTENER_LIMITS, onConnection }));
  }

  /** Each node sends each other one a heartbeat ten times a second. */
  async chat(durationMs: number): Promise<void> {
    for (let ms = 0; ms < durationMs; ms += 100) {
      for (const from of NODES)
        for (const to of peersOf(from).keys()) this.mesh(from).send(to, 'messages', frame('beat'), 'urgent');
      await this.clock.advanceAsync(100);
    }
  }

  /** What was logged since the last call, without heartbeats. */
  takeLog(): readonly string[] {
    return this.log.splice(0).filter((line) => !line.endsWith('beat'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closing = [...this.#meshes.values()].map((mesh) => mesh.close());
    await this.clock.advanceAsync(10_000);
    await Promise.all(closing);
    for (const listener of this.#listeners) await listener.close();
  }
}

function peersOf(node: number): ReadonlyMap<number, Endpoint> {
  return new Map(NODES.filter((other) => other !== node).map((other) => [other, addressOf(other)]));
}

describe('PeerMesh', () => {
  test('links each node with each other one, once per stream', async () => {
    await using cluster = await Cluster.open();

    cluster.mesh(1).send(2, 'messages', frame('hello'), 'normal');
    cluster.mesh(2).send(1, 'snapshots', frame('chunk'), 'normal');
    await settle();

    const log = cluster.takeLog();
    expect(log.filter((line) => line.includes(' up '))).toHaveLength(12);
    expect(log.slice(-2)).toEqual(['2 < 1 hello', '1 < 2 chunk']);
    expect(cluster.mesh(1).send(7, 'messages', frame('who?'), 'urgent')).toBe(false);
  });

  test('asks at each attempt whose certificate a node has, which may have moved', async () => {
    const clock = new VirtualClock();
    const dialed: unknown[] = [];
    const network: Pick<Network, 'dial'> = {
      dial: ({ host, tls }) => {
        dialed.push([host, tls?.expected]);
        return Promise.reject(new TransportError('KAYA_DIAL_FAILED', 'nobody is there'));
      },
    };
    let name = 'old.example';
    const tlsOf = () => ({ identity: {} as SecureIdentity, expected: { kind: 'name', name } }) as const;
    const policy = new TestPolicy(1);
    const events = { handleFrame: () => {} };
    const mesh = new PeerMesh({ network: network as Network, clock, random: () => 0, policy, events, tlsOf });
    mesh.setPeers(new Map([[2, { host: name, port: 1 }]]));
    await settle();

    name = 'new.example';
    mesh.setPeers(new Map([[2, { host: name, port: 1 }]]));
    await settle();
    await mesh.close();

    expect(dialed).toEqual(
      ['old.example', 'old.example', 'new.example', 'new.example'].map((host) => [host, { kind: 'name', name: host }]),
    );
  });

  test('tells the others at once when a node goes, in both directions', async () => {
    await using cluster = await Cluster.open();
    cluster.takeLog();

    const closing = cluster.mesh(1).close();
    await settle();
    await closing;

    const log = cluster.takeLog();
    for (const other of [2, 3]) {
      expect(log).toContain(`${other} < 1 out messages undefined`);
      expect(log).toContain(`${other} > 1 down messages KAYA_CONNECTION_LOST`);
    }
  });

  test('follows the list of peers: links come, go and move', async () => {
    await using cluster = await Cluster.open();
    cluster.takeLog();

    cluster.mesh(1).setPeers(new Map([[2, addressOf(2)]]));
    await settle();
    const without = [cluster.mesh(1).link(3, 'messages'), cluster.takeLog()];
    cluster.mesh(1).setPeers(
      new Map([
        [2, { host: 'other.example', port: 7482 }],
        [3, addressOf(3)],
      ]),
    );
    await settle();

    expect(without).toEqual([undefined, ['3 < 1 out messages undefined', '3 < 1 out snapshots undefined']]);
    expect(cluster.takeLog()).toEqual(
      expect.arrayContaining(['1 > 2 down messages KAYA_CONNECTION_DESTROYED', '1 > 3 up messages']),
    );
    expect(cluster.mesh(1).link(2, 'messages')?.address.host).toBe('other.example');
  });

  test('leaves working connections alone', async () => {
    await using cluster = await Cluster.open();
    cluster.takeLog();

    await cluster.chat(20_000);

    expect(cluster.takeLog()).toEqual([]);
  });

  test('has new connections in both directions soon after a partition of a minute', async () => {
    await using cluster = await Cluster.open();
    const between: readonly (readonly [port: number, from: string])[] = [
      [7481, '10.0.0.2'],
      [7481, '10.0.0.3'],
      [7482, '10.0.0.1'],
      [7483, '10.0.0.1'],
    ];
    for (const [port, from] of between) cluster.network.hold(port, from);
    await cluster.chat(60_000);
    cluster.takeLog();

    for (const [port, from] of between) cluster.network.release(port, from);
    await cluster.chat(5_000);
    const whileHealing = cluster.takeLog();
    await cluster.chat(20_000);

    expect(whileHealing).toEqual(
      expect.arrayContaining(['1 > 2 up messages', '2 > 1 up messages', '3 > 1 up messages']),
    );
    expect(cluster.takeLog()).toEqual([]);
  });

  test.each([
    [2_900, ['2 < 1 out messages KAYA_PEER_REPLACED', '2 < 1 in messages']],
    [
      3_000,
      [
        '2 < 1 out messages KAYA_PEER_REPLACED',
        '2 > 1 down messages KAYA_PEER_SILENT',
        '2 < 1 in messages',
        '1 < 2 out messages KAYA_CONNECTION_LOST',
        '1 < 2 in messages',
        '2 > 1 up messages',
        // The real node 1 takes the place of who spoke in its name.
        '2 < 1 out messages KAYA_PEER_REPLACED',
        '2 < 1 in messages',
      ],
    ],
  ])('dials back a node that connects anew although it had not left, after %s ms', async (ageMs, expected) => {
    await using cluster = await Cluster.open();
    await cluster.chat(ageMs);
    cluster.takeLog();

    const again = await cluster.network.from('10.0.0.9').dial({ ...addressOf(2), timeoutMs: 1000 });
    again.send(greetingBytes(1));
    await settle();

    expect(cluster.takeLog().filter((line) => !line.startsWith('1 > 2'))).toEqual(expected);
    again.destroy();
  });

  test('tells that this node is to stop, when the policy says so', async () => {
    await using cluster = await Cluster.open();
    cluster.policies.get(2)!.judgement = { verdict: 'removed', reason: 'node 1 is no member any more' };
    cluster.takeLog();

    cluster.network.cut(7482, '10.0.0.1');
    await cluster.clock.advanceAsync(1_000);

    expect(cluster.takeLog()).toContain('1 > 2 stopped KAYA_PEER_REFUSED');
    expect(cluster.mesh(1).link(2, 'messages')?.state).toBe('stopped');
  });
});
