/**
 * A node as a server puts it together: the durable log, a state machine of many files, both ends of the transfer of snapshots, and what comes over connections. Everything
 * between nodes is bytes on two streams for each pair: one for messages, one for snapshots.
 */

import { encodeUtf8 } from '@kayadb/codec';
import { seededRandom, testSeed, type VirtualClock } from '@kayadb/testkit';
import type { MemoryFileSystem } from '@kayadb/vfs/testing';

import type { NodeId } from '../../src/core/types.ts';
import type { NodeEvent } from '../../src/node/node-events.ts';
import { bootstrapGroup } from '../../src/node/node-start.ts';
import { PeerIntake } from '../../src/node/peer-intake.ts';
import { type ProposalResult, RaftNode } from '../../src/node/raft-node.ts';
import { SnapshotInstaller } from '../../src/node/snapshot-installer.ts';
import { SnapshotReceiver } from '../../src/node/snapshot-receiver.ts';
import { TransferShipper } from '../../src/node/transfer-shipper.ts';
import type { DurableRaftStorage } from '../../src/storage/durable-storage.ts';
import { openRaftStorage } from '../../src/storage/open-raft-storage.ts';
import type { RaftIdentity } from '../../src/storage/raft-identity.ts';
import { encodePeerMessage } from '../../src/wire/encode-peer-message.ts';
import { encodeTransferMessage } from '../../src/wire/encode-transfer-message.ts';
import { isSenderMessage, type TransferMessage } from '../../src/wire/transfer-message.ts';
import { TableStore } from './table-store.ts';

export type Stream = 'messages' | 'snapshots';
export type Carry = (from: NodeId, to: NodeId, stream: Stream, bytes: Uint8Array) => void;

export interface EmbeddedOptions {
  readonly id: NodeId;
  readonly disk: MemoryFileSystem;
  readonly clock: VirtualClock;
  readonly carry: Carry;
  /** Of a first member. */
  readonly firstGroup: readonly NodeId[] | undefined;
}

const CLUSTER_ID = encodeUtf8('an embedded ring');
const TICK_MS = 100;
export const CHUNK_BYTES = 64;
export const WINDOW_BYTES = 256;
const LIMITS = { tickMs: TICK_MS, snapshotBytes: 1500, keepBytes: 200, keepForSlowBytes: 400 };

export function identityOf(nodeId: NodeId): RaftIdentity {
  return { clusterId: CLUSTER_ID, nodeId, incarnation: 1 };
}

export class EmbeddedNode {
  readonly node: RaftNode<number>;
  readonly store: TableStore;
  readonly events: NodeEvent[];
  readonly shipper: TransferShipper;
  readonly installer: SnapshotInstaller;
  readonly #storage: DurableRaftStorage;
  readonly #clock: VirtualClock;
  readonly #intakes = new Map<string, PeerIntake>();
  #isClosed = false;

  private constructor(
    parts: Pick<EmbeddedNode, 'node' | 'store' | 'events' | 'shipper' | 'installer'>,
    storage: DurableRaftStorage,
    clock: VirtualClock,
  ) {
    this.node = parts.node;
    this.store = parts.store;
    this.events = parts.events;
    this.shipper = parts.shipper;
    this.installer = parts.installer;
    this.#storage = storage;
    this.#clock = clock;
    this.#tickTransfers();
  }

  static async open({ id, disk, clock, carry, firstGroup }: EmbeddedOptions): Promise<EmbeddedNode> {
    const identity = identityOf(id);
    const openLog = (): Promise<DurableRaftStorage> =>
      openRaftStorage('/raft', { fs: disk, identity, segmentBytes: 4096 });
    let storage = await openLog();
    const snapshot = storage.snapshot();
    const store = await TableStore.open(disk, '/data', snapshot === 'unavailable' ? 0 : snapshot.meta.index);
    if (firstGroup !== undefined) {
      const configuration = {
        voters: firstGroup,
        votersOutgoing: [],
        learners: [],
        learnersNext: [],
        autoLeave: false,
      };
      if (await bootstrapGroup(storage, store, configuration)) {
        await storage.close();
        storage = await openLog();
      }
    }
    const random = seededRandom(testSeed()).fork(`node ${id}`);
    const events: NodeEvent[] = [];
    const onEvent = (event: NodeEvent): void => {
      events.push(event);
      // A newer snapshot is durable: the files of those before may go.
      if (event.kind === 'snapshot-made' || event.kind === 'snapshot-installed')
        void store.tidy(storage.snapshotsInUse);
    };
    const sendTransfer = (message: TransferMessage): void => {
      carry(id, message.to, 'snapshots', encodeTransferMessage(message));
    };
    const shipper = new TransferShipper({
      source: store,
      send: sendTransfer,
      random: (limit) => random.int(limit),
      chunkBytes: CHUNK_BYTES,
      windowBytes: WINDOW_BYTES,
      retryTicks: 3,
      maxRetries: 30,
    });
    const node = await RaftNode.open({
      ...LIMITS,
      id,
      storage,
      stateMachine: store,
      sender: { send: (message) => carry(id, message.to, 'messages', encodePeerMessage(message)) },
      shipper,
      clock,
      random: (limit) => random.int(limit),
      yieldTurn: () =>
        new Promise((resolve) => {
          setImmediate(resolve);
        }),
      peers: { clusterId: CLUSTER_ID, incarnationOf: () => 1 },
      onEvent,
      checkInvariants: true,
    });
    const receiver = new SnapshotReceiver({
      fs: disk,
      directory: '/raft',
      identity,
      windowBytes: WINDOW_BYTES,
      checkpointBytes: WINDOW_BYTES,
    });
    const installer = new SnapshotInstaller({ node, receiver, target: store, send: sendTransfer, onEvent });
    return new EmbeddedNode({ node, store, events, shipper, installer }, storage, clock);
  }

  /** Takes bytes as they came over a stream. */
  receive(from: NodeId, stream: Stream, bytes: Uint8Array): void {
    if (this.#isClosed) return;
    const name = `${from} ${stream}`;
    let intake = this.#intakes.get(name);
    if (intake === undefined) {
      const { node, events } = this;
      intake = new PeerIntake({
        origin: identityOf(from),
        node,
        onTransfer: (message) => this.#takeTransfer(message),
        onEvent: (event) => void events.push(event),
      });
      this.#intakes.set(name, intake);
    }
    if (!intake.push(bytes)) throw new Error(`node ${from} sent bytes that are no message`);
  }

  put(key: string, value: string): Promise<ProposalResult<number>> {
    return this.node.propose(encodeUtf8(JSON.stringify([key, value])));
  }

  /** The order in which everything is let go of. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.node.close();
    await this.installer.close();
    await this.#storage.close();
  }

  /** The process ends: nothing is waited for. */
  kill(): void {
    this.#isClosed = true;
    void this.node.close();
  }

  #takeTransfer(message: TransferMessage): void {
    void (isSenderMessage(message) ? this.installer.receive(message) : this.shipper.receive(message));
  }

  #tickTransfers(): void {
    this.#clock.setTimer(TICK_MS, () => {
      if (this.#isClosed) return;
      this.shipper.tick();
      this.installer.tick();
      this.#tickTransfers();
    });
  }
}
