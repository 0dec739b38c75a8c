/** One client and nodes of a real cluster in memory, with time that goes on by itself: a millisecond in each turn of the event loop. */

import { MemoryCluster, type MemoryClusterOptions } from '@kayadb/server/testing';
import { FlowingTime, nodeRandom, seededRandom, testSeed, VirtualClock } from '@kayadb/testkit';

import { type Client, type ClientEvent, type ClientOptions, connect } from '../../src/index.ts';

export class NodeWorld implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly cluster: MemoryCluster;
  readonly events: ClientEvent[] = [];
  readonly #clients: Client[] = [];
  #nodes: readonly number[] = [];
  readonly #time: FlowingTime;

  constructor(options: Partial<MemoryClusterOptions> = {}) {
    const random = seededRandom(testSeed());
    this.cluster = new MemoryCluster({
      clock: this.clock,
      random: nodeRandom(random),
      ...options,
    });
    this.#time = new FlowingTime(this.clock);
  }

  /** Starts nodes 1 to `count` as one group, and waits until somebody leads. */
  static async open(count: number, options: Partial<MemoryClusterOptions> = {}): Promise<NodeWorld> {
    const world = new NodeWorld(options);
    const nodes = Array.from({ length: count }, (_, at) => at + 1);
    world.#nodes = nodes;
    await world.cluster.startAll(nodes);
    await Promise.all(nodes.map((node) => world.cluster.node(node).ready));
    return world;
  }

  /** Stops a node in order and starts it on what it has; it may still be on its way back then. */
  async restart(node: number): Promise<void> {
    await this.cluster.stop(node);
    await this.cluster.start(node, { peers: this.#nodes });
  }

  /** A client, by default of all nodes that run. */
  connect(options: ClientOptions = {}, addresses: readonly string[] = this.cluster.addresses): Client {
    const client = connect(addresses, {
      clock: this.clock,
      network: this.cluster.network,
      random: () => 0.5,
      onEvent: (event) => void this.events.push(event),
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  /** Waits until it is so, or fails. */
  until(what: string, isReached: () => boolean, limitMs?: number): Promise<void> {
    return this.#time.until(what, isReached, limitMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.cluster[Symbol.asyncDispose]();
    this.#time[Symbol.dispose]();
  }
}
