/** Everything that a node is given: the world around it, times in ticks, and bounds. */

import type { Clock } from '@kayadb/codec';

import type { NodeId } from '../core/types.ts';
import type { RaftStorage } from '../storage/raft-storage.ts';
import type { NodeEventSink } from './node-events.ts';
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
  readonly onEvent?: NodeEventSink;
}

export interface NodeLimits extends SnapshotPolicy {
  /** Time between two ticks. */
  readonly tickMs: number;
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
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
  /** Of one proposal. */
  readonly maxEntryBytes: number;
  /** Of entries in one append, and in one proposal to the core. */
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

const RANGES: { readonly [Name in keyof NodeLimits]: { readonly initial: number; readonly min: number } } = {
  tickMs: { initial: 100, min: 1 },
  electionTicks: { initial: 10, min: 2 },
  heartbeatTicks: { initial: 1, min: 1 },
  proposalTicks: { initial: 100, min: 1 },
  readTicks: { initial: 50, min: 1 },
  readRetryTicks: { initial: 5, min: 1 },
  storageStallTicks: { initial: 10, min: 1 },
  diskFullRetryTicks: { initial: 10, min: 1 },
  maxEntryBytes: { initial: 2 * MIB, min: 1 },
  maxMessageBytes: { initial: MIB, min: 1 },
  maxInflightMessages: { initial: 256, min: 1 },
  maxInflightBytes: { initial: 16 * MIB, min: 1 },
  maxCommittedBytesPerReady: { initial: 16 * MIB, min: 1 },
  maxUncommittedBytes: { initial: 64 * MIB, min: 1 },
  maxProposals: { initial: 16_384, min: 1 },
  maxProposalBytes: { initial: 64 * MIB, min: 1 },
  maxReads: { initial: 65_536, min: 1 },
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
    const { initial, min } = RANGES[name];
    const value = options[name] ?? initial;
    if (!Number.isSafeInteger(value) || value < min) {
      throw new RangeError(`${name} is ${value}; it must be an integer of at least ${min}`);
    }
    return [name, value] as const;
  });
  const limits = Object.fromEntries(values) as unknown as NodeLimits;
  if (limits.keepForSlowBytes < limits.keepBytes) {
    throw new RangeError(`keepForSlowBytes is ${limits.keepForSlowBytes}, less than keepBytes, ${limits.keepBytes}`);
  }
  return limits;
}
