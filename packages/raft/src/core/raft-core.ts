/**
 * One node's part in the consensus (paper section 5): inputs go in, and what is to be stored, sent and applied comes out in `ready`.
 * Touches nothing: no clock, no disk, no network, and chance is injected. Same inputs, same outputs.
 * The host's duties are the contract of docs/internals/raft.md, "The host's loop".
 */

import { assert } from '@kayadb/codec';

import { encodeConfigChange, encodeConfigChangeV1 } from './config-change-encoding.ts';
import type { ConfigChange, ConfigChangeV1 } from './config-change.ts';
import { type CoreConfig, normalizeConfig } from './config.ts';
import { applyConfigChange } from './configuration-switch.ts';
import { assertBetweenLogChanges, assertEntries, assertStateInvariants } from './invariants.ts';
import type { Message, ProposeRequest } from './message.ts';
import { openRaftState } from './open-state.ts';
import { FOREIGN_LOCAL_MESSAGE, type ProposeOutcome, type StepOutcome, UNKNOWN_PEER } from './outcome.ts';
import type { EntryDraft } from './own-entries.ts';
import type { RaftState } from './raft-state.ts';
import { ReadyQueue } from './ready-queue.ts';
import type { Ready, Role } from './ready.ts';
import { statusOf, summaryOf } from './state-status.ts';
import type { Status, StatusSummary } from './status.ts';
import { isLocalKind, isResponseKind, stepMessage } from './step.ts';
import { tickState } from './tick.ts';
import { type Configuration, isLocalThread, type LogIndex, NO_NODE, type NodeId, type Term } from './types.ts';

export class RaftCore {
  readonly #state: RaftState;
  readonly #ready: ReadyQueue;
  readonly #checksInvariants: boolean;
  /** Of the log whose terms were checked last. */
  #checkedRevision = -1;

  /** @throws RangeError when an option makes no sense, or what the storage remembers does not fit together. */
  constructor(config: CoreConfig) {
    const settings = normalizeConfig(config);
    this.#state = openRaftState(settings);
    this.#ready = new ReadyQueue(this.#state);
    this.#checksInvariants = settings.checkInvariants;
    this.#check();
  }

  get id(): NodeId {
    return this.#state.id;
  }

  get term(): Term {
    return this.#state.term;
  }

  get role(): Role {
    return this.#state.role;
  }

  /** As far as this node knows. */
  get leader(): NodeId {
    return this.#state.leader;
  }

  /** The term in which this node leads and has told nobody to take over; undefined otherwise. A lease that a host keeps ends with it (thesis section 6.4.1). */
  get leaseTerm(): Term | undefined {
    const { role, term, transferTarget, wasTimeoutNowSent } = this.#state;
    return role === 'leader' && transferTarget === NO_NODE && !wasTimeoutNowSent ? term : undefined;
  }

  /** Of the log, what is not durable yet included. */
  get lastIndex(): LogIndex {
    return this.#state.log.lastIndex;
  }

  /**
   * Takes a message from another node, or from one of this node's threads. Keeps its entries and its bytes, not its lists.
   *
   * @throws AssertionError when it can not come from a node that keeps to the protocol and to its own memory, as a commit index beyond the log.
   */
  step(message: Message): StepOutcome {
    const { kind, from } = message;
    if (!isLocalThread(from)) {
      if (isLocalKind(kind)) return FOREIGN_LOCAL_MESSAGE;
      if (isResponseKind(kind) && !this.#state.tracker.progress.has(from)) return UNKNOWN_PEER;
    }
    return this.#input(message);
  }

  /** Time goes on by one tick. */
  tick(): void {
    tickState(this.#state);
    this.#check();
  }

  /** Holds an election at once, where the node may. */
  campaign(): void {
    this.#input({ kind: 'hup', ...this.#self() });
  }

  /**
   * Proposes entries for the state machine: all of them, or none. Keeps `payloads`' bytes, which must not change any more.
   *
   * @param payloads - At least one.
   */
  propose(payloads: readonly Uint8Array[]): ProposeOutcome {
    return this.#propose(payloads.map((data) => ({ kind: 'normal', data })));
  }

  /**
   * Proposes a change of the configuration: in the older encoding if it is of the older form. It comes into force when the host, having it
   * applied, calls `applyConfigChange`. One that does not fit becomes an entry for nobody, and is told by the event `change-refused`.
   */
  proposeConfigChange(change: ConfigChange | ConfigChangeV1): ProposeOutcome {
    return this.#propose([draftOf(change)]);
  }

  /**
   * Puts a change into force that was committed and comes to be applied, and not one that the host turned down.
   *
   * @returns The configuration in force now: it belongs into snapshots.
   */
  applyConfigChange(change: ConfigChange): Configuration {
    const configuration = applyConfigChange(this.#state, change);
    this.#check();
    return configuration;
  }

  /**
   * Asks from which index on a read is linearizable: told by a `readStates` of a later `ready`, with `context`, or never, when a message was lost
   * or the leader changes. Contexts of a host that asks again are to be new ones.
   */
  readIndex(context: Uint8Array): StepOutcome {
    return this.#input({ kind: 'read-index', context, ...this.#self() });
  }

  /** Asks for leadership to be handed to `id`. Whether it comes to that is seen in who leads. */
  transferLeader(id: NodeId): void {
    this.#input({ kind: 'transfer-leader', from: id, to: this.id, term: 0 });
  }

  /** A follower forgets who leads, so that it votes for others at once. */
  forgetLeader(): void {
    this.#input({ kind: 'forget-leader', ...this.#self() });
  }

  /** `id` did not get the last message. */
  reportUnreachable(id: NodeId): void {
    this.#input({ kind: 'unreachable', from: id, to: this.id });
  }

  /** The snapshot that was sent to `id` has arrived there, or did not. */
  reportSnapshot(id: NodeId, hasArrived: boolean): void {
    this.#input({ kind: 'snapshot-status', from: id, to: this.id, isRejected: !hasArrived });
  }

  /** Whether there is anything for the host to do. */
  get hasReady(): boolean {
    return this.#ready.hasReady;
  }

  /** What there is for the host to do. Each is to be done, in order, and without asynchronous storage writes followed by `advance`. */
  ready(): Ready {
    const ready = this.#ready.take();
    this.#check();
    return ready;
  }

  /** All of the last `ready` is done. Not with asynchronous storage writes: there the threads' answers say so. */
  advance(): void {
    this.#ready.advance();
    this.#check();
  }

  /** A copy of what there is to see. */
  status(): Status {
    return statusOf(this.#state);
  }

  /** The part of `status` that costs next to nothing, for whoever looks after every input. */
  summary(): StatusSummary {
    return summaryOf(this.#state);
  }

  /** For tests: the time until this node campaigns, in place of the one that was drawn, until the next one is drawn. */
  setRandomizedElectionTicks(ticks: number): void {
    this.#state.randomizedElectionTicks = ticks;
  }

  /** See `assertRaftInvariants`. */
  assertInvariants(): void {
    assertStateInvariants(this.#state);
  }

  #propose(drafts: readonly EntryDraft[]): ProposeOutcome {
    if (drafts.length === 0) throw new RangeError('there is nothing in the proposal');
    const entries = drafts.map(({ kind, data }) => ({ term: 0, index: 0, kind, data }));
    const request: ProposeRequest = { kind: 'propose', entries, ...this.#self() };
    const outcome = this.#input(request);
    assert(isProposeOutcome(outcome), `a proposal ends as ${outcome.kind}`);
    return outcome;
  }

  #input(message: Message): StepOutcome {
    const outcome = stepMessage(this.#state, message);
    this.#check();
    return outcome;
  }

  #self(): { readonly from: NodeId; readonly to: NodeId } {
    return { from: this.id, to: this.id };
  }

  #check(): void {
    if (!this.#checksInvariants) return;
    assertBetweenLogChanges(this.#state);
    const { revision } = this.#state.log.unstable;
    if (revision === this.#checkedRevision) return;
    assertEntries(this.#state);
    this.#checkedRevision = revision;
  }
}

function draftOf(change: ConfigChange | ConfigChangeV1): EntryDraft {
  return 'step' in change
    ? { kind: 'config-v1', data: encodeConfigChangeV1(change) }
    : { kind: 'config', data: encodeConfigChange(change) };
}

function isProposeOutcome(outcome: StepOutcome): outcome is ProposeOutcome {
  return outcome.kind === 'appended' || outcome.kind === 'forwarded' || outcome.kind === 'dropped';
}
