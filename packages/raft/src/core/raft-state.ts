/**
 * All that a node knows (paper figure 2), for the functions of the core that change it. Nobody outside the core sees it.
 * Invariant: assertStateInvariants, in invariants.ts.
 */

import type { CoreSettings } from './config.ts';
import type { RaftEvent } from './events.ts';
import type { AgreementHint, RaftLog } from './log.ts';
import type { ReadIndexRequest } from './message.ts';
import { Outbox } from './outbox.ts';
import type { ProgressTracker } from './progress-tracker.ts';
import type { Progress } from './progress.ts';
import { ReadIndexQueue } from './read-index-queue.ts';
import type { ReadState, Role } from './ready.ts';
import { type LogIndex, NO_NODE, type NodeId, type Term } from './types.ts';

export class RaftState {
  readonly settings: CoreSettings;
  readonly id: NodeId;
  readonly log: RaftLog;
  readonly outbox: Outbox;
  /** Reads that wait for a quorum. */
  readonly reads = new ReadIndexQueue();
  /** The configuration in force, the other nodes' progress, and the votes of an election. */
  tracker: ProgressTracker;

  term: Term = 0;
  vote: NodeId = NO_NODE;
  role: Role = 'follower';
  leader: NodeId = NO_NODE;
  isLearner = false;

  /** To whom a leader hands over. */
  transferTarget: NodeId = NO_NODE;
  /** Whether somebody was told in this term to campaign without regard to leases. */
  wasTimeoutNowSent = false;
  /** At or above the index of the last change of the configuration in a leader's log: no other is taken before this is applied. */
  pendingConfigIndex: LogIndex = 0;
  /** Payload in a leader's log that is not applied yet, at the most: entries of earlier terms do not count. */
  uncommittedBytes = 0;
  /** Reads that a leader may not look at before it has committed an entry of its own term (thesis section 6.4). */
  parkedReads: ReadIndexRequest[] = [];
  /** Reads that may be answered. */
  readStates: ReadState[] = [];

  /** Ticks since a leader was heard of or an election began; of a leader, since the quorum was last checked. */
  electionElapsed = 0;
  /** Ticks of a leader since its last heartbeat. */
  heartbeatElapsed = 0;
  randomizedElectionTicks = 0;

  constructor(settings: CoreSettings, log: RaftLog, tracker: ProgressTracker) {
    this.settings = settings;
    this.id = settings.id;
    this.log = log;
    this.tracker = tracker;
    this.outbox = new Outbox(settings.id);
  }

  /** Of the node itself, if it is in the configuration in force. */
  get ownProgress(): Progress | undefined {
    return this.tracker.progress.get(this.id);
  }

  /** Index and term of the last entry. */
  get last(): AgreementHint {
    const index = this.log.lastIndex;
    return { index, term: this.log.knownTerm(index) };
  }

  /** Whether the node may campaign: as a voter, when no snapshot waits that may say that it is none. */
  get isPromotable(): boolean {
    const own = this.ownProgress;
    return own !== undefined && !own.isLearner && this.log.unstable.snapshot === undefined;
  }

  emit(event: RaftEvent): void {
    this.settings.onEvent?.(event);
  }
}
