/**
 * A cluster of real processes on a real disk, with a proxy on every directed link between them, that can be broken in every way a machine or a network breaks.
 *
 * Invariant: every process is ended by its own id, at the latest when the test that started it has ended.
 */

import { appendFileSync, rmSync } from 'node:fs';

import { type ClientOptions, connect } from '@kayadb/client';
import { type BreakableCluster, LinkProxy, type LinkRules, linksOf, realTime } from '@kayadb/testkit';
import { onTestFinished } from 'vitest';

import { KAYADB_SERVER } from '../repository.ts';
import { ServerProcess } from '../server-process.ts';
import { DiskLoad } from './disk-load.ts';
import { findFreePorts } from './free-ports.ts';
import { openRunFolder, type RunFolder } from './run-folder.ts';
import { tiedNode } from './tied-command.ts';

/** Bound: how long all nodes together may take until they serve. */
const READY_MS = 60_000;
/** Bound: how long a node is asked whether it leads. */
const HEALTH_MS = 500;
const HOST = '127.0.0.1';

export interface ClusterProcessesOptions {
  readonly nodeCount: number;
  /** How many of them begin as a cluster; the others come with `join`. Default: all. */
  readonly initialCount?: number;
  /** For every node, behind those that make it one of this cluster. */
  readonly flags?: readonly string[];
  /** For one node, by place, behind those of all: its certificate, its tokens. */
  readonly flagsOf?: (place: number) => readonly string[];
  /** Where a node's data is. Default: in the run's folder. */
  readonly dataFolderOf?: (place: number) => string;
  /** What this class asks nodes with: whom to trust. */
  readonly client?: ClientOptions;
  /** Nodes serve reports over HTTP, on ports that `node.listening` tells. */
  readonly hasReports?: boolean;
  /** Arguments of `node` in front of the flags. Default: the server. */
  readonly program?: readonly string[];
  /** Nodes dial each other without a proxy between: for figures of time. Links cannot be shaped or cut then. */
  readonly isDirect?: boolean;
  /** Clients reach the nodes through proxies, too, and nodes name those to them. */
  readonly hasClientProxies?: boolean;
}

interface ClusterNode {
  readonly place: number;
  readonly clientPort: number;
  readonly raftPort: number;
  process: ServerProcess | undefined;
  /** How often it was started. */
  life: number;
  /** Whether it waits to be added when it is started without data. */
  isJoining: boolean;
}

export class ClusterProcesses implements BreakableCluster, AsyncDisposable {
  readonly folder: RunFolder;
  /** Ends of nodes that nobody killed. A run in which there is one has found a fault. */
  readonly deaths: string[] = [];
  readonly #options: ClusterProcessesOptions;
  readonly #nodes: readonly ClusterNode[];
  readonly #proxies: ReadonlyMap<string, LinkProxy>;
  /** By place; empty where clients reach the nodes themselves. */
  readonly #doors: readonly LinkProxy[];
  /** Processes whose end is this class's doing. */
  readonly #ended = new Set<ServerProcess>();
  #diskLoad: DiskLoad | undefined;
  #isClosed = false;

  private constructor(
    options: ClusterProcessesOptions,
    folder: RunFolder,
    nodes: readonly ClusterNode[],
    proxies: ReadonlyMap<string, LinkProxy>,
    doors: readonly LinkProxy[],
  ) {
    this.folder = folder;
    this.#options = options;
    this.#nodes = nodes;
    this.#proxies = proxies;
    this.#doors = doors;
  }

  /** Starts all nodes and waits until all of them serve. Requires: a test is running. */
  static async start(options: ClusterProcessesOptions): Promise<ClusterProcesses> {
    const { nodeCount, isDirect = false, hasClientProxies = false } = options;
    const ports = await findFreePorts(2 * nodeCount);
    const nodes = Array.from({ length: nodeCount }, (_, place): ClusterNode => {
      const [clientPort, raftPort] = [ports[2 * place]!, ports[2 * place + 1]!];
      const isJoining = place >= (options.initialCount ?? nodeCount);
      return { place, clientPort, raftPort, process: undefined, life: 0, isJoining };
    });
    const proxies = new Map<string, LinkProxy>();
    for (const [from, to] of isDirect ? [] : linksOf(nodeCount)) {
      const target = { host: HOST, port: nodes[to]!.raftPort };
      proxies.set(linkName(from, to), await LinkProxy.open({ target, clock: realTime }));
    }
    const doors: LinkProxy[] = [];
    for (const { clientPort } of hasClientProxies ? nodes : []) {
      doors.push(await LinkProxy.open({ target: { host: HOST, port: clientPort }, clock: realTime }));
    }
    const cluster = new ClusterProcesses(options, openRunFolder(), nodes, proxies, doors);
    onTestFinished(() => cluster[Symbol.asyncDispose]());
    for (const node of nodes.slice(0, options.initialCount)) cluster.#launch(node);
    await cluster.ready();
    return cluster;
  }

  get nodeCount(): number {
    return this.#nodes.length;
  }

  /** Where clients reach the nodes, by place. The addresses stay over restarts. */
  get addresses(): readonly string[] {
    return this.#nodes.map(({ place, clientPort }) => `${HOST}:${this.#doors[place]?.port ?? clientPort}`);
  }

  /** Where the nodes reach each other, by place. */
  get raftAddresses(): readonly string[] {
    return this.#nodes.map(({ raftPort }) => `${HOST}:${raftPort}`);
  }

  /** The process that runs, or ran last, at that place. */
  process(place: number): ServerProcess {
    return this.#nodes[place]!.process!;
  }

  /** The proxy that one node dials to reach another. */
  link(from: number, to: number): LinkProxy {
    return this.#proxies.get(linkName(from, to))!;
  }

  dataFolder(place: number): string {
    return this.#options.dataFolderOf?.(place) ?? this.folder.at(`data-${place + 1}`);
  }

  /** Resolves when every node that runs serves. @throws Error when that takes too long, or a node has ended. */
  async ready(): Promise<void> {
    const running = this.#nodes.filter((node) => isRunning(node));
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      deadline = setTimeout(() => reject(new Error(`not all nodes serve after ${READY_MS} ms`)), READY_MS);
    });
    try {
      await Promise.race([late, Promise.all(running.map(({ process }) => process!.ready))]);
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Who says that it leads; nobody while more than one does, since one of them is yet to hear of the other. */
  async findLeader(): Promise<number | undefined> {
    const asked = this.#nodes
      .filter((node) => isRunning(node))
      .map(async ({ place, clientPort }) => {
        await using client = connect(`${HOST}:${clientPort}`, {
          protocol: 1,
          retry: { attempts: 1, redirects: 0 },
          ...this.#options.client,
        });
        return (await client.health({ timeoutMs: HEALTH_MS })) === 'leader' ? place : undefined;
      });
    const answers = await Promise.allSettled(asked);
    const leaders = answers.flatMap((answer) => (answer.status === 'fulfilled' ? (answer.value ?? []) : []));
    return leaders.length === 1 ? leaders[0] : undefined;
  }

  async kill(place: number): Promise<void> {
    const node = this.#nodes[place]!;
    if (!isRunning(node)) return;
    this.#ended.add(node.process!);
    await node.process!.kill();
  }

  async start(place: number): Promise<void> {
    const node = this.#nodes[place]!;
    // A node that has not joined is no part of the cluster, and is not healed.
    if (node.life > 0 && !isRunning(node)) this.#launch(node);
  }

  /** Starts a node that is not among the first ones, or has lost its place among them, and waits until it serves; to add it is the caller's part. */
  async join(place: number): Promise<void> {
    const node = this.#nodes[place]!;
    node.isJoining = true;
    this.#launch(node);
    await this.process(place).ready;
  }

  pause(place: number): void {
    this.#nodes[place]!.process?.child.kill('SIGSTOP');
  }

  resume(place: number): void {
    const node = this.#nodes[place]!;
    if (isRunning(node)) node.process!.child.kill('SIGCONT');
  }

  /** SIGTERM, and what became of it. */
  async stop(place: number): ReturnType<ServerProcess['stop']> {
    const node = this.#nodes[place]!;
    this.#ended.add(node.process!);
    return await node.process!.stop();
  }

  /** Kills it and removes its data, as when its disk is replaced. */
  async wipe(place: number): Promise<void> {
    await this.kill(place);
    rmSync(this.dataFolder(place), { recursive: true, force: true });
  }

  /** What one node says to another goes forth on the connection that it dialed, and back on the one that it accepted. */
  shapeLink(from: number, to: number, rules: Partial<LinkRules>): void {
    this.link(from, to).shape(rules, 'forth');
    this.link(to, from).shape(rules, 'back');
  }

  cutLink(from: number, to: number): void {
    this.link(from, to).cut();
  }

  /** Breaks off all connections of clients: what was asked may be done, and its answer is lost. */
  cutClients(): void {
    for (const door of this.#doors) door.cut();
  }

  healLinks(): void {
    for (const proxy of this.#proxies.values()) proxy.heal();
  }

  async loadDisk(isLoaded: boolean): Promise<void> {
    await this.#diskLoad?.[Symbol.asyncDispose]();
    this.#diskLoad = isLoaded && !this.#isClosed ? new DiskLoad(this.folder.at('disk-load')) : undefined;
  }

  /** Ends every process and proxy. Idempotent. The folder stays until the test is over. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.loadDisk(false);
    await Promise.all(this.#nodes.map(({ place }) => this.kill(place)));
    for (const proxy of [...this.#proxies.values(), ...this.#doors]) await proxy[Symbol.asyncDispose]();
  }

  #launch(node: ClusterNode): void {
    if (this.#isClosed) return;
    const { place } = node;
    node.life++;
    const log = this.folder.at('logs', `node-${place + 1}.${node.life}.log`);
    const server = ServerProcess.launch(this.dataFolder(place), {
      address: `${HOST}:${node.clientPort}`,
      hasReports: this.#options.hasReports ?? false,
      flags: [...this.#flagsOf(node), ...(this.#options.flags ?? []), ...(this.#options.flagsOf?.(place) ?? [])],
      command: tiedNode(...(this.#options.program ?? [KAYADB_SERVER])),
      onLine: (line) => appendFileSync(log, `${line}\n`),
    });
    node.process = server;
    void this.#watch(server, `node ${place + 1}`);
  }

  async #watch(server: ServerProcess, name: string): Promise<void> {
    const { exitCode, stderr } = await server.ended;
    const lastLines = stderr.split('\n').slice(-5).join('\n');
    if (!this.#ended.has(server)) this.deaths.push(`${name} ended with ${exitCode}: ${lastLines}`);
  }

  /** The others' addresses are those of this node's own proxies. */
  #flagsOf({ place, raftPort, isJoining }: ClusterNode): readonly string[] {
    const { initialCount = this.nodeCount } = this.#options;
    const peers = this.#nodes.slice(0, initialCount).filter((other) => other.place !== place);
    return [
      `--node-id=${place + 1}`,
      `--raft-addr=${HOST}:${raftPort}`,
      ...(this.#doors.length > 0 ? [`--advertise-client-addr=${this.addresses[place]!}`] : []),
      ...(isJoining ? ['--join-cluster'] : []),
      ...peers.flatMap((peer) => {
        const port = this.#options.isDirect === true ? peer.raftPort : this.link(place, peer.place).port;
        return ['--peer', `${peer.place + 1}=${HOST}:${port},${this.addresses[peer.place]!}`];
      }),
    ];
  }
}

function linkName(from: number, to: number): string {
  return `${from}-${to}`;
}

function isRunning({ process }: ClusterNode): boolean {
  return process?.isRunning === true;
}
