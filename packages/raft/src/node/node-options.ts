/** Everything that a node is given: the world around it, times in ticks, and bounds. */

import type { Clock } from '@kayadb/codec';

import { defaultEntryBytes } from '../core/config.ts';
import type { NodeId } from '../core/types.ts';
import type { RaftStorage } from '../storage/raft-storage.ts';
import { MAX_ENTRY_BYTES, MAX_MESSAGE_ENTRIES } from '../wire/frame-format.ts';
import type { NodeEventSink } from './node-events.ts';
import type { PeerRegistry } from './origin-check.ts';
import type { PeerSender, SnapshotShipper } from './peers.ts';
import type { SnapshotPolicy } from './snapshot-policy.ts';
import type { StateMachine } from './state-machine.ts';

/** The outside world, and what belongs to this node alone. Whoever opened it closes it, after the node. */
export interface NodeWorld<Result> {
  readonly id: NodeId;
  readonly storage: RaftStorage;
  readonly stateMachine: StateMachine<Result>;
  readonly sender: PeerSender;
  readonly shipper: SnapshotShipper;
  readonly clock: Clock;
  /** An integer of 0 or more, below `limit`, which is 2^32 at most. Not for secrets. */
  readonly random: (limit: number) => number;
  /** Lets timers and sockets have a turn. */
  readonly yieldTurn: () => Promise<void>;
  /** What messages are judged by that come with the identity of who is at the other end. */
  readonly peers?: PeerRegistry;
  readonly onEvent?: NodeEventSink;
}

export interface NodeLimits extends SnapshotPolicy {
  /** Time between two ticks. */
  readonly tickMs: number;
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  /**
   * For how long after its start a node gives nobody its vote, but for a hand-over: it does not know whom it has heard of before. As many as `electionTicks` where hosts keep leases
   * (`RaftNode.leaseTerm`). Initially 0.
   */
  readonly voteDelayTicks: number;
  /** Until a proposal that is not known to be committed ends as unknown. */
  readonly proposalTicks: number;
  /** Until a read that was not answered fails. */
  readonly readTicks: number;
  /** Until a read is asked for again. */
  readonly readRetryTicks: number;
  /** Age of its oldest write at which a leader goes silent. */
  readonly storageStallTicks: number;
  /** Between two attempts to write to a full disk. */
  readonly diskFullRetryTicks: number;
  /** Of one proposal. At most what a message can carry. */
  readonly maxEntryBytes: number;
  /** Of entries in one append, and in one proposal to the core. At most so much that the smallest entries are not too many for a message. */
  readonly maxMessageBytes: number;
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
  /** Of entries handed out to be applied. */
  readonly maxCommittedBytesPerReady: number;
  /** Of payload in a leader's log that is not applied. */
  readonly maxUncommittedBytes: number;
  readonly maxProposals: number;
  readonly maxProposalBytes: number;
  readonly maxReads: number;
  /** Requests for reads, of this node and of others, that wait while it leads. */
  readonly maxPendingReads: number;
  readonly maxInboxMessages: number;
  readonly maxInboxBytes: number;
  readonly maxWrites: number;
  readonly maxWriteBytes: number;
}

export interface RaftNodeOptions<Result> extends NodeWorld<Result>, Partial<NodeLimits> {
  /** Whether the core checks itself after every input. For tests. */
  readonly checkInvariants?: boolean;
}

const MIB = 1024 * 1024;

/** What the smallest entry counts for. */
const LEAST_ENTRY_BYTES = defaultEntryBytes({ index: 0, term: 0, kind: 'normal', data: new Uint8Array(0) });

interface Range {
  readonly initial: number;
  readonly min: number;
  readonly max?: number;
}

const RANGES: { readonly [Name in keyof NodeLimits]: Range } = {
  tickMs: { initial: 100, min: 1 },
  electionTicks: { initial: 10, min: 2 },
  heartbeatTicks: { initial: 1, min: 1 },
  voteDelayTicks: { initial: 0, min: 0 },
  proposalTicks: { initial: 100, min: 1 },
  readTicks: { initial: 50, min: 1 },
  readRetryTicks: { initial: 5, min: 1 },
  storageStallTicks: { initial: 10, min: 1 },
  diskFullRetryTicks: { initial: 10, min: 1 },
  maxEntryBytes: { initial: 2 * MIB, min: 1, max: MAX_ENTRY_BYTES },
  maxMessageBytes: { initial: MIB, min: 1, max: MAX_MESSAGE_ENTRIES * LEAST_ENTRY_BYTES },
  maxInflightMessages: { initial: 256, min: 1 },
  maxInflightBytes: { initial: 16 * MIB, min: 1 },
  maxCommittedBytesPerReady: { initial: 16 * MIB, min: 1 },
  maxUncommittedBytes: { initial: 64 * MIB, min: 1 },
  maxProposals: { initial: 16_384, min: 1 },
  maxProposalBytes: { initial: 64 * MIB, min: 1 },
  maxReads: { initial: 65_536, min: 1 },
  maxPendingReads: { initial: 16_384, min: 1 },
  maxInboxMessages: { initial: 8192, min: 1 },
  maxInboxBytes: { initial: 64 * MIB, min: 1 },
  maxWrites: { initial: 1024, min: 1 },
  maxWriteBytes: { initial: 128 * MIB, min: 1 },
  snapshotBytes: { initial: 64 * MIB, min: 1 },
  keepBytes: { initial: 8 * MIB, min: 0 },
  keepForSlowBytes: { initial: 128 * MIB, min: 0 },
};

/** @throws RangeError when a number is none that can be meant. */
export function normalizeLimits(options: Partial<NodeLimits>): NodeLimits {
  const names = Object.keys(RANGES) as (keyof NodeLimits)[];
  const values = names.map((name) => {
    const { initial, min, max = Number.MAX_SAFE_INTEGER } = RANGES[name];
    const value = options[name] ?? initial;
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw new RangeError(`${name} is ${value}; it must be an integer from ${min} to ${max}`);
    }
    return [name, value] as const;
  });
  const limits = Object.fromEntries(values) as unknown as NodeLimits;
  if (limits.keepForSlowBytes < limits.keepBytes) {
    throw new RangeError(`keepForSlowBytes is ${limits.keepForSlowBytes}, less than keepBytes, ${limits.keepBytes}`);
  }
  return limits;
}
