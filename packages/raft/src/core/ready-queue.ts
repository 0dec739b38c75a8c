/**
 * What the core has for its host, gathered when the host asks for it. Without asynchronous storage writes, the node's messages to itself wait here
 * until the host says that it is done.
 * Invariant: nothing is handed out twice.
 */

import { assert } from '@kayadb/codec';

import type { Message } from './message.ts';
import type { RaftState } from './raft-state.ts';
import type { ReadState, Ready, SoftState } from './ready.ts';
import { stepMessage } from './step.ts';
import {
  storageAppendOf,
  storageAppendResponseOf,
  storageApplyOf,
  storageApplyResponseOf,
  type StoredPart,
} from './storage-messages.ts';
import type { Entry, HardState } from './types.ts';

/** Not the lists that are filled later. */
const NO_ENTRIES: readonly Entry[] = [];
const NO_READS: readonly ReadState[] = [];

export class ReadyQueue {
  readonly #state: RaftState;
  readonly #isAsync: boolean;
  /** As the host knows it. */
  #softState: SoftState;
  /** As the host knows it. */
  #hardState: HardState;
  /** For `advance`. */
  #ownMessages: Message[] = [];

  constructor(state: RaftState) {
    this.#state = state;
    this.#isAsync = state.settings.asyncStorageWrites;
    this.#softState = softStateOf(state);
    this.#hardState = hardStateOf(state);
  }

  get hasReady(): boolean {
    const { outbox, log, readStates } = this.#state;
    const { unstable } = log;
    return (
      !outbox.isEmpty ||
      unstable.hasNextEntries ||
      unstable.nextSnapshot !== undefined ||
      readStates.length > 0 ||
      this.#hasSoftStateChanged() ||
      this.#hasHardStateChanged() ||
      log.hasNextCommittedEntries(this.#allowsUnstable)
    );
  }

  /** Takes all that there is. Requires: without asynchronous storage writes, `advance` was called for the one before. */
  take(): Ready {
    assert(this.#ownMessages.length === 0, 'the last Ready was not advanced over');
    const state = this.#state;
    const { unstable } = state.log;
    const hardState = this.#hasHardStateChanged() ? hardStateOf(state) : undefined;
    const entries = unstable.hasNextEntries ? unstable.nextEntries() : NO_ENTRIES;
    const part: StoredPart = { entries, hardState, snapshot: unstable.nextSnapshot };
    const committedEntries = state.log.nextCommittedEntries(this.#allowsUnstable);
    const ready: Ready = {
      entries,
      hardState,
      snapshot: part.snapshot,
      softState: this.#hasSoftStateChanged() ? softStateOf(state) : undefined,
      readStates: state.readStates.length === 0 ? NO_READS : state.readStates,
      committedEntries,
      messages: this.#isAsync ? this.#withThreads(part, committedEntries) : this.#messagesToOthers(),
      mustSync: entries.length > 0 || state.vote !== this.#hardState.vote || state.term !== this.#hardState.term,
    };
    if (!this.#isAsync) this.#keepOwnMessages(part, committedEntries);
    this.#accept(ready);
    return ready;
  }

  /** The host has done all that the last Ready asked for. Requires: no asynchronous storage writes. */
  advance(): void {
    assert(!this.#isAsync, 'with asynchronous storage writes the threads answer, and nothing is advanced over');
    const messages = this.#ownMessages;
    this.#ownMessages = [];
    for (const message of messages) stepMessage(this.#state, message);
  }

  /** Whether entries may be applied that are durable elsewhere only; in the same Ready they are stored here before. */
  get #allowsUnstable(): boolean {
    return !this.#isAsync;
  }

  #withThreads(part: StoredPart, committed: readonly Entry[]): readonly Message[] {
    const messages: Message[] = this.#state.outbox.messages.slice();
    const append = storageAppendOf(this.#state, part);
    if (append !== undefined) messages.push(append);
    if (committed.length > 0) messages.push(storageApplyOf(this.#state, committed));
    return messages;
  }

  #messagesToOthers(): readonly Message[] {
    const { outbox, id } = this.#state;
    if (outbox.afterStorage.length === 0) return outbox.messages;
    return outbox.messages.concat(outbox.afterStorage.filter(({ to }) => to !== id));
  }

  #keepOwnMessages(part: StoredPart, committed: readonly Entry[]): void {
    const own = this.#ownMessages;
    for (const message of this.#state.outbox.afterStorage) {
      if (message.to === this.#state.id) own.push(message);
    }
    const appended = storageAppendResponseOf(this.#state, part);
    if (appended !== undefined) own.push(appended);
    if (committed.length > 0) own.push(storageApplyResponseOf(this.#state, committed));
  }

  #accept({ softState, hardState, readStates, committedEntries }: Ready): void {
    const state = this.#state;
    if (softState !== undefined) this.#softState = softState;
    if (hardState !== undefined) this.#hardState = hardState;
    if (readStates.length > 0) state.readStates = [];
    state.outbox.clear();
    state.log.unstable.acceptInProgress();
    state.log.acceptApplying(committedEntries, this.#allowsUnstable);
  }

  #hasSoftStateChanged(): boolean {
    return this.#softState.leader !== this.#state.leader || this.#softState.role !== this.#state.role;
  }

  #hasHardStateChanged(): boolean {
    const { term, vote, log } = this.#state;
    const known = this.#hardState;
    return known.term !== term || known.vote !== vote || known.commit !== log.committed;
  }
}

function softStateOf({ leader, role }: RaftState): SoftState {
  return { leader, role };
}

function hardStateOf({ term, vote, log }: RaftState): HardState {
  return { term, vote, commit: log.committed };
}
