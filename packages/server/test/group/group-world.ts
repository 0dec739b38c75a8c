/** Nodes of one group on in-memory disks and an in-memory network, with a clock that the test moves. */

import { decodeUtf8, encodeUtf8, type WriteAnswer } from '@kayadb/codec';
import { advanceUntil, advanceWhile, nodeRandom, seededRandom, testSeed, VirtualClock } from '@kayadb/testkit';
import { MemoryNetwork } from '@kayadb/transport/testing';
import { crashClone, type FakeProcess, fakeProcessWorld, MemoryFileSystem } from '@kayadb/vfs/testing';

import { NodeDirectory } from '../../src/directory/node-directory.ts';
import type { GroupOptions } from '../../src/group/group-options.ts';
import { Group } from '../../src/group/group.ts';
import type { PeerSetting } from '../../src/group/peer-setting.ts';
import type { LogFields, Logger } from '../../src/logger.ts';
import { MortalClock, MortalNetwork } from './mortal-world.ts';

export interface SiteOptions {
  readonly peers?: readonly number[];
  readonly isJoining?: boolean;
  readonly keepsLeases?: boolean;
}

const DATA = '/data';

export class GroupWorld {
  readonly clock = new VirtualClock();
  readonly network: MemoryNetwork = new MemoryNetwork({ clock: this.clock });
  readonly log: (LogFields & { readonly node: number; readonly level: string; readonly message: string })[] = [];
  readonly processes: ReturnType<typeof fakeProcessWorld> = fakeProcessWorld();
  readonly #sites = new Map<number, Site>();
  readonly #disks = new Map<number, MemoryFileSystem>();

  disk(node: number): MemoryFileSystem {
    const disk = this.#disks.get(node) ?? new MemoryFileSystem();
    this.#disks.set(node, disk);
    return disk;
  }

  /** The power goes, and comes back: what was not synced is gone. */
  losePower(node: number): void {
    const random = seededRandom(testSeed()).fork(`power of node ${node} at ${this.clock.now()}`);
    this.#disks.set(
      node,
      crashClone(this.disk(node), { kind: 'nothing-unsynced' }, () => random.next()),
    );
  }

  /** Of the node's disk as it is, to be put in its place later. */
  copyDisk(node: number): () => void {
    const copy = crashClone(this.disk(node), { kind: 'everything' }, () => 0);
    return () => this.#disks.set(node, copy);
  }

  /** The node's disk is new and empty from its next start on. */
  wipe(node: number): void {
    this.#disks.delete(node);
  }

  /** As a first start leaves it that ended in front of the first state of its group. */
  async joinOnly(node: number, cluster: string): Promise<void> {
    const process = this.processes.start();
    const directory = await NodeDirectory.open({
      fs: this.disk(node),
      processes: process,
      directory: DATA,
      node,
      drawIncarnation: () => 1,
    });
    await directory.joinCluster(cluster);
    await directory.close();
    process.kill();
  }

  async start(node: number, options: SiteOptions = {}): Promise<Site> {
    const site = await Site.start(this, node, options);
    this.#sites.set(node, site);
    return site;
  }

  async startAll(nodes: readonly number[], options: SiteOptions = {}): Promise<readonly Site[]> {
    return Promise.all(nodes.map((node) => this.start(node, { peers: nodes, ...options })));
  }

  /** Moves time on until `isReached`, or fails. */
  until(what: string, isReached: () => boolean, limitMs?: number): Promise<void> {
    return advanceUntil(this.clock, what, isReached, limitMs);
  }

  /** Waits for `work` while time goes on. */
  settle<T>(work: Promise<T>): Promise<T> {
    return advanceWhile(this.clock, work);
  }

  async leader(sites: readonly Site[]): Promise<Site> {
    const leading = (): Site | undefined => sites.find(({ group }) => group.member?.node.summary().role === 'leader');
    await this.until('somebody leads', () => leading() !== undefined);
    return leading()!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopping = [...this.#sites.values()].map((site) => site.stop());
    await this.settle(Promise.all(stopping));
  }
}

export class Site {
  readonly node: number;
  readonly group: Group;
  readonly directory: NodeDirectory;
  ended: Error | undefined;
  isReady = false;
  readonly #world: GroupWorld;
  readonly #process: FakeProcess;
  readonly #clock: MortalClock;
  readonly #network: MortalNetwork;
  #isStopped = false;

  private constructor(world: GroupWorld, directory: NodeDirectory, process: FakeProcess, options: SiteOptions) {
    this.node = directory.identity.node;
    this.directory = directory;
    this.#world = world;
    this.#process = process;
    this.#clock = new MortalClock(world.clock);
    this.#network = new MortalNetwork(world.network.from(hostOf(this.node)));
    const random = seededRandom(testSeed()).fork(`node ${this.node} boot ${directory.identity.boot}`);
    const fileSystem = world.disk(this.node);
    const groupOptions: GroupOptions = {
      directory,
      fileSystem,
      network: this.#network,
      clock: this.#clock,
      wallClock: () => 1_800_000_000_000 + world.clock.now(),
      random: nodeRandom(random),
      yieldTurn: () => Promise.resolve(),
      logger: recordingLogger(world, this.node),
      engine: {
        fileSystem,
        processes: process,
        randomBytes: (count) => random.bytes(count),
        memtableBytes: 64 * 1024,
        tableBytes: 64 * 1024,
        blockCacheBytes: 64 * 1024,
      },
      peerAddress: { host: hostOf(this.node), port: portOf(this.node) },
      peers: (options.peers ?? []).filter((peer) => peer !== this.node).map(peerSetting),
      isJoining: options.isJoining ?? false,
      timing: { heartbeatMs: 100, electionMs: 500 },
      keepsLeases: options.keepsLeases ?? false,
      clientAddress: () => `${hostOf(this.node)}:7379`,
      onEnd: (cause) => {
        this.ended = cause;
      },
    };
    this.group = new Group(groupOptions);
    const noteReady = async (): Promise<void> => {
      await this.group.ready;
      this.isReady = true;
    };
    void noteReady();
  }

  static async start(world: GroupWorld, node: number, options: SiteOptions): Promise<Site> {
    const process = world.processes.start();
    const random = seededRandom(testSeed()).fork(`incarnation of node ${node} at ${world.clock.now()}`);
    const directory = await NodeDirectory.open({
      fs: world.disk(node),
      processes: process,
      directory: DATA,
      node,
      drawIncarnation: () => 1 + random.int(2 ** 32 - 1),
    });
    const site = new Site(world, directory, process, options);
    await site.group.listen();
    return site;
  }

  put(key: string, value: string): Promise<WriteAnswer> {
    const operations = [{ kind: 'put' as const, key: encodeUtf8(key), value: encodeUtf8(value) }];
    return this.group.replica.write({ conditions: [], operations, otherwise: [] });
  }

  get(key: string): Promise<string | undefined> {
    const { replica } = this.group;
    return replica.read({ kind: 'linearizable' }, async () => {
      const row = await replica.get(encodeUtf8(key));
      return row === undefined ? undefined : decodeUtf8(row.value);
    });
  }

  /** The process is killed, and the power goes. */
  async crash(): Promise<void> {
    this.#isStopped = true;
    this.#clock.kill();
    this.#process.kill();
    this.#world.losePower(this.node);
    await this.#network.kill();
  }

  /** In order. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    await this.group.close();
    await this.directory.close();
    this.#process.kill();
  }
}

export function hostOf(node: number): string {
  return `10.0.0.${node}`;
}

/** The in-memory network tells listeners apart by their ports. */
export function portOf(node: number): number {
  return 7480 + node;
}

function peerSetting(node: number): PeerSetting {
  return { node, address: { host: hostOf(node), port: portOf(node) } };
}

function recordingLogger({ log }: GroupWorld, node: number): Logger {
  const at = (level: string) => (fields: LogFields, message: string) =>
    void log.push({ ...fields, node, level, message });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
