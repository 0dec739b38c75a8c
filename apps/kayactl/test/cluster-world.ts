/** kayactl and real nodes in memory, with time that goes on by itself: a millisecond in each turn of the event loop. */

import { connect } from '@kayadb/client';
import { MemoryCluster, type MemoryClusterOptions } from '@kayadb/server/testing';
import { FlowingTime, nodeRandom, seededRandom, testSeed } from '@kayadb/testkit';

import { TestWorld } from './test-world.ts';

export class ClusterWorld extends TestWorld implements AsyncDisposable {
  readonly cluster: MemoryCluster;
  readonly #time: FlowingTime;

  constructor(options: Partial<MemoryClusterOptions> = {}) {
    super();
    const random = seededRandom(testSeed());
    this.cluster = new MemoryCluster({
      clock: this.clock,
      random: nodeRandom(random),
      ...options,
    });
    this.connect = (endpoints, more) =>
      connect(endpoints, { ...more, clock: this.clock, network: this.cluster.network, random: () => 0.5 });
    this.#time = new FlowingTime(this.clock);
  }

  /** Starts nodes 1 to `count` as one group, and waits until somebody leads. */
  static async open(count: number, options: Partial<MemoryClusterOptions> = {}): Promise<ClusterWorld> {
    const world = new ClusterWorld(options);
    const nodes = Array.from({ length: count }, (_, at) => at + 1);
    await world.cluster.startAll(nodes);
    await Promise.all(nodes.map((node) => world.cluster.node(node).ready));
    return world;
  }

  /** Flags that name these nodes. */
  serversOf(...nodes: readonly number[]): readonly string[] {
    return nodes.flatMap((node) => ['--server', this.cluster.clientAddressOf(node)]);
  }

  /** Waits until it is so, or fails. */
  until(what: string, isReached: () => boolean, limitMs?: number): Promise<void> {
    return this.#time.until(what, isReached, limitMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
    this.#time[Symbol.dispose]();
  }
}
