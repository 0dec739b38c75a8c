/**
 * A node that is in a cluster: its log, its state machine, its Raft node and both ends of the transfer of snapshots, opened in the order in which they need each other and closed
 * in the reverse one.
 *
 * Invariant: what the log has durable, the machine has or will be given; the snapshot that the log begins behind is the machine's, or is handed to it first.
 */

import { type Clock, MAX_COMMAND_BYTES } from '@kayadb/codec';
import {
  bootstrapGroup,
  type DurableRaftStorage,
  EMPTY_CONFIGURATION,
  NO_NODE,
  type NodeEvent,
  type NodeEventSink,
  type NodeId,
  type NodeLimits,
  openRaftStorage,
  type PeerMessage,
  type PeerSender,
  type RaftIdentity,
  RaftNode,
  type RaftStorageOptions,
  SnapshotInstaller,
  SnapshotReceiver,
  type TransferMessage,
  TransferShipper,
  type TransferShipperOptions,
} from '@kayadb/raft';
import type { FileSystem } from '@kayadb/vfs';

import { lostLog } from '../directory/directory-error.ts';
import type { CommandResult } from '../machine/command-result.ts';
import { KayaMachine, type KayaMachineOptions } from '../machine/kaya-machine.ts';
import type { GroupTiming, NodeRandom } from '../node-options.ts';

/** Bounds that are as they are, but for tests, which reach them sooner when they are small. */
export interface GroupTuning {
  readonly limits?: Partial<NodeLimits> | undefined;
  readonly log?: Pick<RaftStorageOptions, 'segmentBytes' | 'cacheBytes'> | undefined;
  readonly transfer?: Pick<TransferShipperOptions, 'chunkBytes' | 'windowBytes'> | undefined;
  /** Whether the Raft core checks itself after every input. */
  readonly checkInvariants?: boolean | undefined;
}

export interface GroupMemberOptions {
  readonly fs: FileSystem;
  /** Of the group, `groups/0`. */
  readonly directory: string;
  readonly identity: RaftIdentity;
  /** The log has had an entry before. */
  readonly hasBegun: boolean;
  /** With whom the group begins, if it does so now; it must have all of them the same. */
  readonly founders: readonly NodeId[] | undefined;
  readonly engine: KayaMachineOptions['engine'];
  readonly clock: Clock;
  readonly random: NodeRandom;
  readonly yieldTurn: () => Promise<void>;
  readonly timing: GroupTiming;
  readonly keepsLeases: boolean;
  readonly tuning?: GroupTuning | undefined;
  readonly sender: PeerSender;
  readonly sendTransfer: (message: TransferMessage) => void;
  /** Of the directory that speaks for a node; undefined: any. */
  readonly incarnationOf: (node: NodeId) => number | undefined;
  readonly onEvent: NodeEventSink;
  readonly onWarning: (message: string) => void;
}

/** A leader that can make nothing durable for this long goes silent, so that another one is elected. */
const STORAGE_STALL_MS = 2_000;
/** Without an answer to a snapshot's bytes, before it is offered again. */
const TRANSFER_RETRY_MS = 2_500;
/** Until a proposal that is not known to be committed ends as unknown, and a read without an answer fails. */
const PROPOSAL_MS = 10_000;
const READ_MS = 5_000;
/** Until a read is asked for again. */
const READ_RETRY_MS = 500;

interface MemberParts {
  readonly node: RaftNode<CommandResult>;
  readonly machine: KayaMachine;
  readonly shipper: TransferShipper;
  readonly installer: SnapshotInstaller;
  readonly storage: DurableRaftStorage;
}

export class GroupMember {
  readonly node: RaftNode<CommandResult>;
  readonly machine: KayaMachine;
  readonly shipper: TransferShipper;
  readonly installer: SnapshotInstaller;
  readonly #storage: DurableRaftStorage;

  private constructor({ node, machine, shipper, installer, storage }: MemberParts) {
    this.node = node;
    this.machine = machine;
    this.shipper = shipper;
    this.installer = installer;
    this.#storage = storage;
  }

  /** @throws What opening the log, the store and the node throws; nothing is open then. */
  static async open(options: GroupMemberOptions): Promise<GroupMember> {
    let storage = await openLog(options);
    let machine: KayaMachine | undefined;
    try {
      refuseLostLog(options, storage);
      machine = await openMachine(options, storage);
      if (await bootstrap(options, storage, machine)) {
        await storage.close();
        storage = await openLog(options);
      }
      return new GroupMember(await openNode(options, storage, machine));
    } catch (error) {
      // The first failure is the one to report.
      await machine?.close().catch(ignore);
      await storage.close().catch(ignore);
      throw error;
    }
  }

  /** Nothing has happened in the group since it began, or a leader is known and everything that is known to be committed is applied. */
  get isUpToDate(): boolean {
    const { leader, commit, lastIndex } = this.node.summary();
    return lastIndex <= 1 || (leader !== NO_NODE && this.machine.appliedIndex >= commit);
  }

  /** Time goes by: once in a tick. */
  tick(): void {
    this.shipper.tick();
    this.installer.tick();
  }

  /** @throws What the store's or the log's close fails with; everything is let go of even so. */
  async close(): Promise<void> {
    await this.node.close();
    await this.installer.close();
    try {
      await this.machine.close();
    } finally {
      await this.#storage.close();
    }
  }
}

/** Half a heartbeat, so that elections, whose time is drawn in ticks, are spread well. Rounded up: of an odd time, two ticks are still one heartbeat, and not three. */
export function tickMsOf({ heartbeatMs }: GroupTiming): number {
  return Math.ceil(heartbeatMs / 2);
}

export function electionTicksOf(timing: GroupTiming): number {
  return Math.ceil(timing.electionMs / tickMsOf(timing));
}

function openLog({ fs, directory, identity, tuning }: GroupMemberOptions): Promise<DurableRaftStorage> {
  return openRaftStorage(`${directory}/raft`, { fs, identity, ...tuning?.log });
}

/** A node with nothing in its log votes for nobody: it may be one whose disk was wiped, and what it acknowledged then is not in a log that it would find good enough. */
function isBlankVote({ kind }: PeerMessage, { lastIndex }: DurableRaftStorage): boolean {
  return lastIndex === 0 && (kind === 'vote-response' || kind === 'pre-vote-response');
}

/** @throws DirectoryError KAYA_NODE_LOST */
function refuseLostLog({ hasBegun, directory, identity }: GroupMemberOptions, { lastIndex }: DurableRaftStorage): void {
  if (!hasBegun || lastIndex > 0) return;
  throw lostLog(`${directory}/raft`, identity.nodeId);
}

function openMachine(options: GroupMemberOptions, storage: DurableRaftStorage): Promise<KayaMachine> {
  const { fs, directory, engine, clock, yieldTurn, onWarning } = options;
  const snapshot = storage.snapshot();
  return KayaMachine.open({
    fs,
    directory,
    clock,
    yieldTurn,
    onWarning,
    ...(engine === undefined ? {} : { engine }),
    snapshot: snapshot === 'unavailable' ? undefined : snapshot,
  });
}

async function bootstrap(
  { founders }: GroupMemberOptions,
  storage: DurableRaftStorage,
  machine: KayaMachine,
): Promise<boolean> {
  if (founders === undefined) return false;
  const voters = founders.toSorted((a, b) => a - b);
  return bootstrapGroup(storage, machine, { ...EMPTY_CONFIGURATION, voters });
}

async function openNode(
  options: GroupMemberOptions,
  storage: DurableRaftStorage,
  machine: KayaMachine,
): Promise<MemberParts> {
  const { fs, directory, identity, clock, random, yieldTurn, sender, sendTransfer, onEvent, tuning = {} } = options;
  const tickMs = tickMsOf(options.timing);
  const electionTicks = electionTicksOf(options.timing);
  const shipper = new TransferShipper({
    source: machine,
    send: sendTransfer,
    random: random.integer,
    retryTicks: Math.ceil(TRANSFER_RETRY_MS / tickMs),
    ...tuning.transfer,
  });
  const node = await RaftNode.open({
    id: identity.nodeId,
    storage,
    stateMachine: machine,
    sender: {
      send: (message) => {
        if (!isBlankVote(message, storage)) sender.send(message);
      },
    },
    shipper,
    clock,
    random: random.integer,
    yieldTurn,
    peers: {
      clusterId: identity.clusterId,
      incarnationOf: options.incarnationOf,
    },
    onEvent: (event: NodeEvent): void => {
      if (event.kind === 'snapshot-made' || event.kind === 'snapshot-installed')
        machine.retireSnapshots(storage.snapshotsInUse);
      onEvent(event);
    },
    tickMs,
    electionTicks,
    heartbeatTicks: Math.ceil(options.timing.heartbeatMs / tickMs),
    voteDelayTicks: options.keepsLeases ? electionTicks : 0,
    proposalTicks: Math.ceil(PROPOSAL_MS / tickMs),
    readTicks: Math.ceil(READ_MS / tickMs),
    readRetryTicks: Math.ceil(READ_RETRY_MS / tickMs),
    storageStallTicks: Math.ceil(STORAGE_STALL_MS / tickMs),
    maxEntryBytes: MAX_COMMAND_BYTES,
    ...tuning.limits,
    checkInvariants: tuning.checkInvariants ?? false,
  });
  const receiver = new SnapshotReceiver({ fs, directory, identity });
  const installer = new SnapshotInstaller({ node, receiver, target: machine, send: sendTransfer, onEvent });
  return { node, machine, shipper, installer, storage };
}

function ignore(): void {
  // It was said already, or is of no use to anybody.
}
