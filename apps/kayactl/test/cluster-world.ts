/** kayactl and real nodes in memory, with time that goes on by itself: a millisecond in each turn of the event loop. */

import { connect } from '@kayadb/client';
import { MemoryCluster, type MemoryClusterOptions } from '@kayadb/server/testing';
import { seededRandom, testSeed } from '@kayadb/testkit';

import { TestWorld } from './test-world.ts';

export class ClusterWorld extends TestWorld implements AsyncDisposable {
  readonly cluster: MemoryCluster;
  #isOver = false;

  constructor(options: Partial<MemoryClusterOptions> = {}) {
    super();
    const random = seededRandom(testSeed());
    this.cluster = new MemoryCluster({
      clock: this.clock,
      random: {
        fraction: () => random.next(),
        integer: (limit) => random.int(limit),
        bytes: (count) => random.bytes(count),
      },
      ...options,
    });
    this.connect = (endpoints, more) =>
      connect(endpoints, { ...more, clock: this.clock, network: this.cluster.network, random: () => 0.5 });
    void this.#passTime();
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
  async until(what: string, isReached: () => boolean, limitMs = 60_000): Promise<void> {
    const end = this.clock.now() + limitMs;
    while (!isReached()) {
      if (this.clock.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
      await new Promise(setImmediate);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
    this.#isOver = true;
  }

  async #passTime(): Promise<void> {
    while (!this.#isOver) await this.clock.advanceAsync(1);
  }
}
