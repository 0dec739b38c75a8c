/**
 * One run of a node's process: the real node on the real storage, from its opening until it is killed. What comes in and goes out is bytes.
 *
 * Invariant: everything that wakes it up passes its gate, so that it does nothing more from the moment that it is killed.
 */

import { AssertionError, encodeUtf8 } from '@kayadb/codec';
import {
  bootstrapGroup,
  type Configuration,
  decodePeerFrame,
  encodePeerMessage,
  encodeTransferMessage,
  isTransferMessage,
  type NodeEvent,
  type NodeId,
  openRaftStorage,
  type PeerMessage,
  type RaftIdentity,
  RaftNode,
  SnapshotReceiver,
  type TransferMessage,
} from '@kayadb/raft';
import type { SeededRandom } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';

import type { SimWorld } from '../sim-world.ts';
import { ProcessClock, type ProcessGate } from '../world/process-gate.ts';
import type { Ledger } from './ledger.ts';
import { type MachineObserver, SimMachine } from './sim-machine.ts';
import { SnapshotCourier } from './snapshot-courier.ts';
import { type StorageObserver, WatchedStorage } from './watched-storage.ts';

export interface ProcessHost extends MachineObserver, StorageObserver {
  send(to: NodeId, frame: Uint8Array): void;
  onEvent(event: NodeEvent): void;
  /** The disk does not have what was promised. */
  onLoss(what: string): void;
  /** Something was thrown that nobody has taken. */
  onError(error: unknown): void;
}

export interface ProcessParts {
  readonly world: SimWorld;
  readonly gate: ProcessGate;
  readonly fs: FileSystem;
  readonly nodeId: NodeId;
  /** In the header of every file. */
  readonly incarnation: number;
  readonly random: SeededRandom;
  readonly clockRate: number;
  readonly ledger: Ledger;
  /** World time before which the state machine stands still. */
  readonly applyStall: { readonly untilMs: number };
  /** Of a first member. */
  readonly firstGroup: Configuration | undefined;
  readonly host: ProcessHost;
}

const CLUSTER_ID = encodeUtf8('a simulated ring');
const RAFT_FOLDER = '/raft';
const MACHINE_FOLDER = '/machine';
const LENGTH_BYTES = 4;
const WINDOW_BYTES = 160;
const CHECKPOINT_BYTES = 100;

export class SimProcess {
  readonly node: RaftNode<number>;
  readonly storage: WatchedStorage;
  readonly machine: SimMachine;
  readonly #courier: SnapshotCourier;
  readonly #host: ProcessHost;

  private constructor(
    node: RaftNode<number>,
    storage: WatchedStorage,
    machine: SimMachine,
    courier: SnapshotCourier,
    host: ProcessHost,
  ) {
    this.node = node;
    this.storage = storage;
    this.machine = machine;
    this.#courier = courier;
    this.#host = host;
  }

  /** @throws What the node's own parts throw when they find a disk that is full, broken or damaged. */
  static async open(parts: ProcessParts): Promise<SimProcess> {
    const { world, gate, fs, nodeId, random, host } = parts;
    const { profile } = world;
    const clock = new ProcessClock(world.timeline, gate, parts.clockRate);
    let storage = await openStorage(parts);
    const machine = await SimMachine.open({
      fs,
      directory: MACHINE_FOLDER,
      clock,
      profile,
      mood: world.mood,
      random: random.fork('machine'),
      observer: host,
      stall: parts.applyStall,
      nowMs: () => world.timeline.nowMs,
      snapshotIndex: () => storage.snapshotIndex,
    });
    if (parts.firstGroup !== undefined && (await bootstrapGroup(storage, machine, parts.firstGroup))) {
      await storage.close();
      storage = await openStorage(parts);
    }
    const identity = identityOf(parts);
    const limits = { windowBytes: WINDOW_BYTES, checkpointBytes: CHECKPOINT_BYTES };
    let node: RaftNode<number> | undefined;
    const courier = new SnapshotCourier({
      machine,
      receiver: new SnapshotReceiver({ fs, directory: RAFT_FOLDER, identity, ...limits }),
      clock,
      random: random.fork('courier'),
      tickMs: profile.limits.tickMs,
      host: {
        send: (message) => sendTransfer(host, message),
        // What ends the node is told by its event.
        deliver: (request) => void node?.installSnapshot(request).catch(() => undefined),
      },
    });
    const nodeRandom = random.fork('node');
    node = await RaftNode.open({
      ...profile.limits,
      id: nodeId,
      storage,
      stateMachine: machine,
      sender: { send: (message) => sendMessage(host, message) },
      shipper: courier,
      clock,
      random: (limit) => nodeRandom.int(limit),
      yieldTurn: () => clock.sleep(0),
      onEvent: (event) => host.onEvent(event),
      checkInvariants: true,
    });
    return new SimProcess(node, storage, machine, courier, host);
  }

  /** Takes a frame as it came over the network. */
  receive(frame: Uint8Array): void {
    const message = decodePeerFrame(frame.subarray(LENGTH_BYTES));
    if (!isTransferMessage(message)) this.node.receive(message);
    else this.#courier.receive(message).catch((error: unknown) => this.#host.onError(error));
  }
}

/** Whether `error` is the node's own fault, whatever the disk did. */
export function isBug(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof AssertionError || cause instanceof TypeError) return true;
  }
  return false;
}

async function openStorage(parts: ProcessParts): Promise<WatchedStorage> {
  const { world, fs, ledger, host } = parts;
  const { segmentBytes, cacheBytes } = world.profile;
  const inner = await openRaftStorage(RAFT_FOLDER, { fs, identity: identityOf(parts), segmentBytes, cacheBytes });
  const loss = ledger.reopened(inner);
  if (loss !== undefined) host.onLoss(loss);
  return new WatchedStorage(inner, ledger, host);
}

function identityOf({ nodeId, incarnation }: ProcessParts): RaftIdentity {
  return { clusterId: CLUSTER_ID, nodeId, incarnation };
}

function sendMessage(host: ProcessHost, message: PeerMessage): void {
  host.send(message.to, encodePeerMessage(message));
}

function sendTransfer(host: ProcessHost, message: TransferMessage): void {
  host.send(message.to, encodeTransferMessage(message));
}
