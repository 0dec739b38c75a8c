/** Whole nodes, alone or of one group, on in-memory disks and an in-memory network, with a clock that the test moves. */

import { advanceUntil, advanceWhile, nodeRandom, seededRandom, testSeed, VirtualClock } from '@kayadb/testkit';
import type { Connection, Network } from '@kayadb/transport';
import { MemoryNetwork, type MemoryNetworkOptions } from '@kayadb/transport/testing';
import { fakeProcessWorld, FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';

import { type NodeOptions, type RunningNode, startNode, type StopOptions } from '../../src/index.ts';
import { gated, SyncGate } from './gated-file-system.ts';
import { RawClient } from './raw-client.ts';
import { type LogLine, recordingLogger } from './recording-logger.ts';

export const DATA = '/data';

export interface TestNodeOptions extends Partial<
  Pick<
    NodeOptions,
    | 'clientToken'
    | 'operatorToken'
    | 'limits'
    | 'timing'
    | 'engine'
    | 'isJoining'
    | 'clientAddress'
    | 'peerAddress'
    | 'nodeId'
  >
> {
  /** Numbers, this node's own among them or not. */
  readonly peers?: readonly number[];
  /** Around the network of the node. */
  readonly wrap?: (network: Network) => Network;
}

export class NodeWorld {
  readonly clock = new VirtualClock();
  readonly network: MemoryNetwork;
  readonly log: LogLine[] = [];
  readonly processes: ReturnType<typeof fakeProcessWorld> = fakeProcessWorld();
  readonly #disks = new Map<number, MemoryFileSystem>();
  readonly #started = new Set<TestNode>();

  constructor({ nextChunkBytes }: Pick<MemoryNetworkOptions, 'nextChunkBytes'> = {}) {
    this.network = new MemoryNetwork({
      clock: this.clock,
      ...(nextChunkBytes === undefined ? {} : { nextChunkBytes }),
    });
  }

  disk(node = 1): MemoryFileSystem {
    const disk = this.#disks.get(node) ?? new MemoryFileSystem();
    this.#disks.set(node, disk);
    return disk;
  }

  /** What the node finds from its next start on. */
  setDisk(node: number, disk: MemoryFileSystem): void {
    this.#disks.set(node, disk);
  }

  /** The node finds an empty disk from its next start on. */
  wipe(node: number): void {
    this.#disks.delete(node);
  }

  /** From now on the node's disk has so much room. */
  async leaveRoom(bytes: number, node = 1): Promise<void> {
    const disk = this.disk(node);
    const { totalBytes, availableBytes } = await disk.diskSpace(DATA);
    disk.setCapacity(totalBytes - availableBytes + bytes);
  }

  /** @throws As `startNode`. */
  async start(id = 1, options: TestNodeOptions = {}): Promise<TestNode> {
    const process = this.processes.start();
    const faulty = new FaultyFileSystem(this.disk(id));
    const gate = new SyncGate();
    const { peers = [], wrap = (network) => network, engine, ...more } = options;
    const fileSystem = gated(faulty, gate);
    const random = seededRandom(testSeed()).fork(`process ${process.self().pid}`);
    const node = await startNode({
      fileSystem,
      processes: process,
      network: wrap(this.network.from(hostOf(id))),
      clock: this.clock,
      wallClock: () => 1_800_000_000_000 + this.clock.now(),
      random: nodeRandom(random),
      yieldTurn: () => Promise.resolve(),
      logger: recordingLogger(this.log),
      version: '0.0.0-test',
      nodeId: id,
      directory: DATA,
      engine: { fileSystem, processes: process, randomBytes: (count) => random.bytes(count), ...engine },
      clientAddress: { host: hostOf(id), port: clientPortOf(id) },
      peerAddress: { host: hostOf(id), port: peerPortOf(id) },
      peers: peers.filter((peer) => peer !== id).map((peer) => peerSetting(peer)),
      ...more,
    });
    const test = new TestNode(this, id, node, { faulty, gate, kill: () => process.kill() });
    this.#started.add(test);
    return test;
  }

  /** A node alone, which leads when it resolves. */
  async startLone(options: TestNodeOptions = {}): Promise<TestNode> {
    const test = await this.start(1, options);
    await this.settle(test.node.ready);
    return test;
  }

  /** Nodes of one group, ready. */
  async startGroup(ids: readonly number[], options: TestNodeOptions = {}): Promise<readonly TestNode[]> {
    const group = await Promise.all(ids.map((id) => this.start(id, { peers: ids, ...options })));
    await this.settle(Promise.all(group.map(({ node }) => node.ready)));
    return group;
  }

  /** Who leads of `nodes`, as soon as somebody does. */
  async leader(nodes: readonly TestNode[]): Promise<TestNode> {
    const leading = (): TestNode | undefined => nodes.find(({ node }) => node.view.raft?.role === 'leader');
    await this.until('somebody leads', () => leading() !== undefined);
    return leading()!;
  }

  /** Moves time on until `isReached`, or fails. */
  until(what: string, isReached: () => boolean, limitMs?: number): Promise<void> {
    return advanceUntil(this.clock, what, isReached, limitMs);
  }

  /** Waits for `work` while time goes on. */
  settle<T>(work: Promise<T>): Promise<T> {
    return advanceWhile(this.clock, work);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.settle(Promise.allSettled(Array.from(this.#started, (test) => test.stop())));
  }
}

interface TestNodeParts {
  readonly faulty: FaultyFileSystem;
  readonly gate: SyncGate;
  readonly kill: () => void;
}

export class TestNode {
  readonly id: number;
  readonly node: RunningNode;
  /** What its disk does wrong. */
  readonly faulty: FaultyFileSystem;
  readonly gate: SyncGate;
  failure: Error | undefined;
  readonly #world: NodeWorld;
  readonly #kill: () => void;

  constructor(world: NodeWorld, id: number, node: RunningNode, { faulty, gate, kill }: TestNodeParts) {
    this.id = id;
    this.node = node;
    this.faulty = faulty;
    this.gate = gate;
    this.#world = world;
    this.#kill = kill;
    const noteFailure = async (): Promise<void> => {
      this.failure = await node.failed;
    };
    void noteFailure();
  }

  /** In version 1. */
  readonly connect = async (host?: string): Promise<RawClient> => new RawClient(await this.#dial(host));

  /** The process ends in order, while time goes on. */
  async stop(options?: StopOptions): Promise<void> {
    try {
      await this.#world.settle(this.node.stop(options));
    } finally {
      this.#kill();
    }
  }

  #dial(host = '10.0.0.99'): Promise<Connection> {
    return this.#world.network.from(host).dial({ ...this.node.address, timeoutMs: 1_000 });
  }
}

export function hostOf(node: number): string {
  return `10.0.0.${node}`;
}

/** The in-memory network tells listeners apart by their ports. */
export function clientPortOf(node: number): number {
  return 7_300 + node;
}

export function peerPortOf(node: number): number {
  return 7_480 + node;
}

function peerSetting(node: number): NonNullable<NodeOptions['peers']>[number] {
  return { node, address: { host: hostOf(node), port: peerPortOf(node) } };
}
