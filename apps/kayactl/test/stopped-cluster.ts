/** Directories of real nodes, which have been stopped: each on a disk of its own, as on machines of their own. */

import { type Client, connect } from '@kayadb/client';
import { MemoryCluster } from '@kayadb/server/testing';
import { nodeRandom, seededRandom, VirtualClock } from '@kayadb/testkit';
import type { MemoryFileSystem } from '@kayadb/vfs/testing';

import { TestWorld } from './test-world.ts';

export class StoppedCluster {
  /** Of all nodes. It goes on within `while`. */
  readonly clock = new VirtualClock();
  readonly #cluster: MemoryCluster;
  #isRunning = false;

  constructor() {
    const random = seededRandom(5);
    this.#cluster = new MemoryCluster({
      clock: this.clock,
      random: nodeRandom(random),
    });
  }

  /** Nodes 1 to `count` have been one group, and `use` was done while they ran; the last of `lags` were stopped before it. */
  static async make(
    count: number,
    use: (client: Client) => Promise<void>,
    lags: readonly number[] = [],
  ): Promise<StoppedCluster> {
    const stopped = new StoppedCluster();
    const nodes = Array.from({ length: count }, (_, i) => i + 1);
    await stopped.while(async (cluster) => {
      await cluster.startAll(nodes);
      await Promise.all(nodes.map((node) => cluster.node(node).ready));
      for (const node of lags) await cluster.stop(node);
      await stopped.withClient(use);
    });
    return stopped;
  }

  disk(node: number): MemoryFileSystem {
    return this.#cluster.disk(node);
  }

  /** The machine of a node. */
  world(node: number): TestWorld {
    const world = new TestWorld();
    world.fileSystem = this.disk(node);
    return world;
  }

  /** Time goes on, and in the end all nodes are stopped. */
  async while(work: (cluster: MemoryCluster) => Promise<void>): Promise<void> {
    this.#isRunning = true;
    void this.#passTime();
    try {
      await work(this.#cluster);
      await this.#cluster[Symbol.asyncDispose]();
    } finally {
      this.#isRunning = false;
    }
  }

  /** Waits until it is so. Requires: within `while`. @throws Error after a minute. */
  async until(isReached: () => boolean): Promise<void> {
    const end = this.clock.now() + 60_000;
    while (!isReached()) {
      if (this.clock.now() > end) throw new Error('it was not so within a minute');
      await new Promise(setImmediate);
    }
  }

  /** A client of the nodes that run. Requires: within `while`. */
  async withClient(use: (client: Client) => Promise<void>): Promise<void> {
    const client = connect(this.#cluster.addresses, {
      clock: this.clock,
      network: this.#cluster.network,
      random: () => 0.5,
    });
    try {
      await use(client);
    } finally {
      await client.close();
    }
  }

  async #passTime(): Promise<void> {
    while (this.#isRunning) await this.clock.advanceAsync(1);
  }
}
