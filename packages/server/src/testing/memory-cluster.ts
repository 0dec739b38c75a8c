/**
 * Whole nodes in one process, for tests of what talks to them: disks and network are in memory, and the caller's clock is the only one.
 *
 * Invariant: each node has a host and ports of its own, since the network in memory tells listeners apart by their ports.
 */

import type { Clock } from '@kayadb/codec';
import { MemoryNetwork, type MemoryNetworkOptions } from '@kayadb/transport/testing';
import { type FakeProcessWorld, fakeProcessWorld, MemoryFileSystem } from '@kayadb/vfs/testing';

import type { Logger } from '../logger.ts';
import type { NodeOptions, NodeRandom } from '../node-options.ts';
import { type RunningNode, startNode } from '../node.ts';

export interface MemoryClusterOptions
  extends Pick<NodeOptions, 'clientToken' | 'operatorToken' | 'limits' | 'keepsLeases'>, MemoryNetworkOptions {
  readonly clock: Clock;
  readonly random: NodeRandom;
  /** Default: nothing is logged. */
  readonly logger?: Logger | undefined;
}

export interface MemoryNodeOptions {
  /** The others to begin a group with; those to ask, where `isJoining`. */
  readonly peers?: readonly number[] | undefined;
  readonly isJoining?: boolean | undefined;
}

/** When the clock shows 0. */
const EPOCH_MS = Date.UTC(2026, 10, 22);

/** So small that flushes and compactions happen in a test. */
const SMALL_BYTES = 64 * 1024;

const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export class MemoryCluster implements AsyncDisposable {
  readonly network: MemoryNetwork;
  readonly #options: MemoryClusterOptions;
  readonly #processes: FakeProcessWorld = fakeProcessWorld();
  readonly #disks = new Map<number, MemoryFileSystem>();
  readonly #running = new Map<number, RunningNode>();

  constructor(options: MemoryClusterOptions) {
    this.#options = options;
    this.network = new MemoryNetwork(options);
  }

  /** Of the nodes that run, for clients; by node. */
  get addresses(): readonly string[] {
    return [...this.#running.keys()].toSorted((a, b) => a - b).map((node) => this.clientAddressOf(node));
  }

  clientAddressOf(node: number): string {
    return `${hostOf(node)}:${clientPortOf(node)}`;
  }

  peerAddressOf(node: number): string {
    return `${hostOf(node)}:${peerPortOf(node)}`;
  }

  /** @throws RangeError for a node that does not run. */
  node(node: number): RunningNode {
    const running = this.#running.get(node);
    if (running === undefined) throw new RangeError(`node ${node} does not run`);
    return running;
  }

  /** Who leads, as far as that knows it itself: of several, whose term is the newest. */
  get leader(): number | undefined {
    const leaders = [...this.#running].flatMap(([node, { view }]) =>
      view.raft?.role === 'leader' ? [{ node, term: view.raft.term }] : [],
    );
    return leaders.toSorted((a, b) => b.term - a.term)[0]?.node;
  }

  /** Starts a node on its disk, which is empty the first time. */
  async start(node: number, { peers = [], isJoining = false }: MemoryNodeOptions = {}): Promise<RunningNode> {
    const { clock, random, logger = SILENT, ...options } = this.#options;
    const fileSystem = this.disk(node);
    const processes = this.#processes.start();
    const running = await startNode({
      ...options,
      fileSystem,
      processes,
      network: this.network.from(hostOf(node)),
      clock,
      wallClock: () => EPOCH_MS + Math.floor(clock.now()),
      random,
      yieldTurn: () => Promise.resolve(),
      logger,
      version: '0.0.0-test',
      nodeId: node,
      directory: '/data',
      engine: {
        fileSystem,
        processes,
        randomBytes: random.bytes,
        memtableBytes: SMALL_BYTES,
        tableBytes: SMALL_BYTES,
        blockCacheBytes: SMALL_BYTES,
      },
      clientAddress: { host: hostOf(node), port: clientPortOf(node) },
      peerAddress: { host: hostOf(node), port: peerPortOf(node) },
      peers: peers
        .filter((peer) => peer !== node)
        .map((peer) => ({ node: peer, address: { host: hostOf(peer), port: peerPortOf(peer) } })),
      isJoining,
    });
    this.#running.set(node, running);
    return running;
  }

  /** Starts nodes that begin a group of all of them. */
  async startAll(nodes: readonly number[]): Promise<void> {
    await Promise.all(nodes.map((node) => this.start(node, { peers: nodes })));
  }

  /** In order, as by SIGTERM. */
  async stop(node: number): Promise<void> {
    const running = this.node(node);
    this.#running.delete(node);
    await running.stop();
  }

  /** From now on nothing comes from the node or goes to it, and its connections are over, until `rejoin`. */
  isolate(node: number): void {
    for (const [port, from] of this.#waysOf(node)) {
      this.network.hold(port, from);
      this.network.cut(port, from);
    }
  }

  rejoin(node: number): void {
    for (const [port, from] of this.#waysOf(node)) this.network.release(port, from);
  }

  /** What the node keeps, with `/data` as its directory; also while it does not run. */
  disk(node: number): MemoryFileSystem {
    const disk = this.#disks.get(node) ?? new MemoryFileSystem();
    this.#disks.set(node, disk);
    return disk;
  }

  /** The node's disk is new and empty from its next start on. */
  wipe(node: number): void {
    this.#disks.delete(node);
  }

  /** Requires: time goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    const nodes = [...this.#running.keys()];
    await Promise.all(nodes.map((node) => this.stop(node)));
  }

  /** Ports, and from where they are dialed: undefined for anywhere. */
  #waysOf(node: number): readonly (readonly [number, string | undefined])[] {
    const others = [...this.#running.keys()].filter((each) => each !== node);
    return [
      [clientPortOf(node), undefined],
      [peerPortOf(node), undefined],
      ...others.map((other) => [peerPortOf(other), hostOf(node)] as const),
    ];
  }
}

function hostOf(node: number): string {
  return `10.0.0.${node}`;
}

function clientPortOf(node: number): number {
  return 7_000 + node;
}

function peerPortOf(node: number): number {
  return 8_000 + node;
}
