/**
 * One run of a node's process: the real directory and the real group, with the log, the engine and the links of both, from their opening until the process ends.
 *
 * Invariant: everything that wakes it up passes its gate, so that it does nothing more from the moment that it is killed.
 */

import { checkStart, Group, type GroupOptions, NodeDirectory, type PeerSetting } from '@kayadb/server/testing';
import type { SeededRandom } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import type { FakeProcess } from '@kayadb/vfs/testing';

import { ProcessClock, type ProcessGate } from '../world/process-gate.ts';
import type { ServerWorld } from './server-world.ts';
import { hostOf, PEER_PORT } from './sim-tcp.ts';

export interface ServerProcessHost {
  /** A line of the log. */
  onLog(fields: Readonly<Record<string, unknown>>, message: string): void;
  onEngine(event: { readonly kind: string }): void;
  onEnd(cause: Error): void;
}

export interface ServerProcessParts {
  readonly world: ServerWorld;
  readonly gate: ProcessGate;
  readonly fs: FileSystem;
  readonly process: FakeProcess;
  readonly id: number;
  readonly random: SeededRandom;
  readonly clockRate: number;
  /** Milliseconds by which its time of day is wrong. */
  readonly wallOffset: { readonly ms: number };
  /** Those who begin together, or those who are asked by one who is to be added. */
  readonly peers: readonly number[];
  readonly isJoining: boolean;
  readonly host: ServerProcessHost;
}

const DIRECTORY = '/data';
const WALL_START_MS = 1_800_000_000_000;
const CLIENT_PORT = 7379;
const MAX_INCARNATION = 2 ** 32 - 1;

export class ServerProcess {
  readonly group: Group;
  readonly #directory: NodeDirectory;

  private constructor(group: Group, directory: NodeDirectory) {
    this.group = group;
    this.#directory = directory;
  }

  /** @throws What opening a node's directory throws; what comes later is told by `onEnd`. */
  static async open(parts: ServerProcessParts): Promise<ServerProcess> {
    const { world, gate, fs, process, id, random, clockRate } = parts;
    const clock = new ProcessClock(world.timeline, gate, clockRate);
    const look = { fs, directory: DIRECTORY, processes: process, clock, yieldTurn: () => clock.sleep(0) };
    const directory = await NodeDirectory.open({
      fs,
      processes: process,
      directory: DIRECTORY,
      node: id,
      drawIncarnation: () => 1 + random.int(MAX_INCARNATION),
      check: (identity) => checkStart(look, identity),
    });
    const group = new Group(groupOptions(parts, directory));
    await group.listen();
    return new ServerProcess(group, directory);
  }

  /** Of its directory. */
  get incarnation(): number {
    return this.#directory.identity.incarnation;
  }

  /** In good order. */
  async stop(): Promise<void> {
    await this.group.close();
    await this.#directory.close();
  }
}

function groupOptions(parts: ServerProcessParts, directory: NodeDirectory): GroupOptions {
  const { world, gate, fs, process, id, random, clockRate, wallOffset, peers, isJoining, host } = parts;
  const { timing, tuning, keepsLeases, engine } = world.profile;
  const clock = new ProcessClock(world.timeline, gate, clockRate);
  const yieldTurn = (): Promise<void> => clock.sleep(0);
  const log = (fields: Readonly<Record<string, unknown>>, message: string): void => host.onLog(fields, message);
  return {
    directory,
    fileSystem: fs,
    network: world.tcp.networkOf(id, clock),
    clock,
    wallClock: () => WALL_START_MS + Math.floor(clock.now() + wallOffset.ms),
    random: {
      fraction: () => random.next(),
      integer: (limit) => random.int(limit),
      bytes: (count) => random.bytes(count),
    },
    yieldTurn,
    logger: { debug: log, info: log, warn: log, error: log },
    engine: {
      ...engine,
      fileSystem: fs,
      processes: process,
      randomBytes: (count) => random.bytes(count),
      yieldTurn,
      compression: 'none',
      onEvent: (event) => host.onEngine(event),
    },
    peerAddress: { host: hostOf(id), port: PEER_PORT },
    peers: peers.filter((peer) => peer !== id).map(peerSetting),
    isJoining,
    timing,
    keepsLeases,
    tuning,
    clientAddress: () => `${hostOf(id)}:${CLIENT_PORT}`,
    onEnd: (cause) => host.onEnd(cause),
  };
}

function peerSetting(node: number): PeerSetting {
  return { node, address: { host: hostOf(node), port: PEER_PORT } };
}
