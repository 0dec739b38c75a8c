/** What a core is told about itself when it is made. Nothing of it changes later. */

import type { EventSink } from './events.ts';
import type { InflightLimits } from './inflights.ts';
import type { LogStorage } from './log-storage.ts';
import { APPLY_THREAD, type Entry, type LogIndex, type NodeId } from './types.ts';

/**
 * - `safe`: the leader asks a majority, for every batch of reads, whether it still leads (thesis section 6.4).
 * - `lease`: the leader trusts that nobody else can have been elected since it last heard of a majority (thesis section 6.4.1). Wrong reads
 *   happen where clocks run at different speeds, or stop.
 */
export type ReadOnlyMode = 'safe' | 'lease';

export interface CoreConfig {
  readonly id: NodeId;
  /** Ticks without a word from a leader until an election, at the least; each time up to twice as many, at random. */
  readonly electionTicks: number;
  /** Ticks between a leader's heartbeats. Fewer than `electionTicks`. */
  readonly heartbeatTicks: number;
  readonly storage: LogStorage;
  /**
   * The last entry whose effect is in the state machine and in the configuration that `storage` starts with. Where the log goes back further
   * than the snapshot, that is the snapshot's index at least. 0 means: all that is compacted, and nothing else.
   */
  readonly applied?: LogIndex;
  /** Whether messages to the node's own threads take the place of `advance`. */
  readonly asyncStorageWrites?: boolean;
  /** Bound: bytes of entries in one append, by `entryBytes`, though one entry always fits. 0: one entry each. */
  readonly maxMessageBytes?: number;
  /** Bound: bytes of entries handed out to be applied and not applied yet, by `entryBytes`, though one entry always fits. */
  readonly maxCommittedBytesPerReady?: number;
  /** Bound: bytes of payload in a leader's log that are not applied yet; one proposal may exceed it when nothing else is there. */
  readonly maxUncommittedBytes?: number;
  /** Bound: appends to one node that are not answered yet. */
  readonly maxInflightMessages?: number;
  /** Bound: bytes of payload in them. At least `maxMessageBytes`. */
  readonly maxInflightBytes?: number;
  /** Whether a leader that hears of no majority for an election timeout steps down, and votes are refused while a leader is heard of. */
  readonly checkQuorum?: boolean;
  /** Whether elections begin with a question that changes nobody's term (thesis section 9.6). */
  readonly preVote?: boolean;
  /** `lease` needs `checkQuorum`. */
  readonly readOnly?: ReadOnlyMode;
  /** Bound: reads of a leader that wait, for a quorum or for the first commit of its term, its followers' included. More are dropped. */
  readonly maxPendingReads?: number;
  /** Whether followers drop proposals rather than pass them on to their leader. */
  readonly disableProposalForwarding?: boolean;
  /**
   * Whether changes of the configuration get into the log that look as if they did not fit. The host then judges them when it applies them, and sees to it that one is
   * applied before the next one is proposed: two under way at once can lead to two leaders.
   */
  readonly disableConfigChangeValidation?: boolean;
  /** Whether a leader that is removed, or made a learner, steps down when it applies that. */
  readonly stepDownOnRemoval?: boolean;
  /** Whether requests for votes and refusals tell what is committed, so that nobody is kept from winning by not knowing of a change. */
  readonly tellCommitInVotes?: boolean;
  /** A number of 0 or more, below `limit`: for election timeouts. */
  readonly random: (limit: number) => number;
  /** What an entry counts for in `maxMessageBytes` and `maxCommittedBytesPerReady`. Default: `defaultEntryBytes`. */
  readonly entryBytes?: (entry: Entry) => number;
  readonly onEvent?: EventSink;
  /** Whether every input is followed by `assertRaftInvariants`. For tests. */
  readonly checkInvariants?: boolean;
}

/** Every option, with its default. */
export type CoreSettings = Required<Omit<CoreConfig, 'onEvent'>> & { readonly onEvent: EventSink | undefined };

/** Room for term, index, kind and length beside the payload, about what the encodings take. */
const ENTRY_OVERHEAD_BYTES = 24;

export function defaultEntryBytes(entry: Entry): number {
  return entry.data.byteLength + ENTRY_OVERHEAD_BYTES;
}

const DEFAULT_INFLIGHT_MESSAGES = 256;
const DEFAULT_PENDING_READS = 16_384;

/** @throws RangeError when a value makes no sense, alone or beside another. */
export function normalizeConfig(config: CoreConfig): CoreSettings {
  const maxMessageBytes = config.maxMessageBytes ?? config.maxInflightBytes ?? Number.MAX_SAFE_INTEGER;
  const settings: CoreSettings = {
    id: config.id,
    electionTicks: config.electionTicks,
    heartbeatTicks: config.heartbeatTicks,
    storage: config.storage,
    applied: config.applied ?? 0,
    asyncStorageWrites: config.asyncStorageWrites ?? false,
    maxMessageBytes,
    maxCommittedBytesPerReady: config.maxCommittedBytesPerReady ?? Math.max(1, maxMessageBytes),
    maxUncommittedBytes: config.maxUncommittedBytes ?? Number.MAX_SAFE_INTEGER,
    maxInflightMessages: config.maxInflightMessages ?? DEFAULT_INFLIGHT_MESSAGES,
    maxInflightBytes: config.maxInflightBytes ?? Number.MAX_SAFE_INTEGER,
    checkQuorum: config.checkQuorum ?? false,
    preVote: config.preVote ?? false,
    readOnly: config.readOnly ?? 'safe',
    maxPendingReads: config.maxPendingReads ?? DEFAULT_PENDING_READS,
    disableProposalForwarding: config.disableProposalForwarding ?? false,
    disableConfigChangeValidation: config.disableConfigChangeValidation ?? false,
    stepDownOnRemoval: config.stepDownOnRemoval ?? false,
    tellCommitInVotes: config.tellCommitInVotes ?? false,
    random: config.random,
    entryBytes: config.entryBytes ?? defaultEntryBytes,
    onEvent: config.onEvent,
    checkInvariants: config.checkInvariants ?? false,
  };
  requireInteger('id', settings.id, 1);
  if (settings.id >= APPLY_THREAD) throw new RangeError(`id ${settings.id} is that of a thread; ids are smaller`);
  requireInteger('heartbeatTicks', settings.heartbeatTicks, 1);
  requireInteger('electionTicks', settings.electionTicks, settings.heartbeatTicks + 1);
  requireInteger('applied', settings.applied, 0);
  requireInteger('maxMessageBytes', settings.maxMessageBytes, 0);
  requireInteger('maxCommittedBytesPerReady', settings.maxCommittedBytesPerReady, 1);
  requireInteger('maxUncommittedBytes', settings.maxUncommittedBytes, 1);
  requireInteger('maxInflightMessages', settings.maxInflightMessages, 1);
  requireInteger('maxInflightBytes', settings.maxInflightBytes, Math.max(1, settings.maxMessageBytes));
  requireInteger('maxPendingReads', settings.maxPendingReads, 1);
  if (settings.readOnly === 'lease' && !settings.checkQuorum) {
    throw new RangeError('readOnly "lease" needs checkQuorum: without it a leader never notices that it leads nobody');
  }
  return settings;
}

function requireInteger(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name} is ${value}; it must be an integer of at least ${least}`);
  }
}

export function roomForInflights(settings: CoreSettings): InflightLimits {
  return { maxMessages: settings.maxInflightMessages, maxBytes: settings.maxInflightBytes };
}
