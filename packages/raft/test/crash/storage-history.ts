/**
 * What a storage went through while it was recorded: every state that it may be found in, and which of them it owes.
 *
 * Invariant: a batch takes effect in steps: what is to be remembered, then its snapshot, then its entries. Each step makes a state; what is found after a crash is
 * one of them, not before `durable`, not behind the last.
 */

import { decodeUtf8 } from '@kayadb/codec';

import type { Entry, HardState, LogIndex, Snapshot } from '../../src/core/types.ts';
import type { RaftStorage, StorageBatch } from '../../src/storage/raft-storage.ts';

/** One state of the log and of what is to be remembered. */
export interface StorageState {
  readonly term: number;
  readonly vote: number;
  /** Nothing of the log up to here is known; a snapshot stands for it. */
  readonly floor: LogIndex;
  /** Entries behind the floor, as text. */
  readonly entries: readonly string[];
  /** The commit index that came along with the last of them, or before: less must not be known where they are there (docs/internals/raft.md, rule 5). */
  readonly commit: LogIndex;
}

/** What must be true of a storage that is opened after a crash. */
export interface Owed {
  /** Positions among the states. */
  readonly durable: number;
  readonly submitted: number;
  /** Index of the snapshot that is durable, and of the newest that may be. */
  readonly durableSnapshot: LogIndex;
  readonly submittedSnapshot: LogIndex;
}

/** What an opened storage showed. */
export interface Shown {
  readonly hardState: HardState;
  readonly firstIndex: LogIndex;
  readonly entries: readonly string[];
  readonly snapshot: Snapshot | undefined;
}

export function describeEntry({ term, index, kind, data }: Entry): string {
  return `${term}/${index} ${kind} ${decodeUtf8(data.subarray(0, 40))} (${data.length})`;
}

/** Reads everything that an opened storage has. */
export function showStorage(storage: RaftStorage): Shown {
  const { firstIndex, lastIndex } = storage;
  const entries = lastIndex < firstIndex ? [] : storage.entries(firstIndex, lastIndex + 1, Number.MAX_SAFE_INTEGER);
  if (typeof entries === 'string') throw new Error(`entries from ${firstIndex} to ${lastIndex} are ${entries}`);
  const snapshot = storage.snapshot();
  return {
    hardState: storage.initialState().hardState,
    firstIndex,
    entries: entries.map(describeEntry),
    snapshot: snapshot === 'unavailable' ? undefined : snapshot,
  };
}

export class StorageHistory {
  readonly #states: StorageState[] = [{ term: 0, vote: 0, floor: 0, entries: [], commit: 0 }];
  /** What was handed in last. */
  #commit: LogIndex = 0;
  /** Index and term of each that was made: what a failure took may be made again in another term. */
  readonly #snapshots = new Set<string>();
  #durable = 0;
  #durableSnapshot: LogIndex = 0;
  #submittedSnapshot: LogIndex = 0;

  get owed(): Owed {
    return {
      durable: this.#durable,
      submitted: this.#states.length - 1,
      durableSnapshot: this.#durableSnapshot,
      submittedSnapshot: this.#submittedSnapshot,
    };
  }

  get last(): StorageState {
    return this.#states.at(-1)!;
  }

  /** @returns The position that is durable once the batch is. */
  submit({ hardState, snapshot, entries }: StorageBatch): number {
    if (hardState !== undefined) {
      this.#commit = Math.max(this.#commit, hardState.commit);
      this.#add({ term: hardState.term, vote: hardState.vote });
    }
    if (snapshot !== undefined) {
      const { index, term } = snapshot.meta;
      this.submitSnapshot(snapshot);
      const { floor, entries: before } = this.last;
      const isInLog = before[index - floor - 1]?.startsWith(`${term}/`) === true;
      if (!isInLog) this.#add({ floor: index, entries: [] });
    }
    if (entries.length > 0) {
      const { floor, entries: before } = this.last;
      const kept = before.slice(0, entries[0]!.index - floor - 1);
      this.#add({ entries: [...kept, ...entries.map(describeEntry)], commit: this.#commit });
    }
    return this.#states.length - 1;
  }

  submitSnapshot({ meta }: Snapshot): void {
    this.#submittedSnapshot = Math.max(this.#submittedSnapshot, meta.index);
    this.#snapshots.add(`${meta.index}/${meta.term}`);
  }

  settle(position: number): void {
    this.#durable = Math.max(this.#durable, position);
  }

  settleSnapshot(index: LogIndex): void {
    this.#durableSnapshot = Math.max(this.#durableSnapshot, index);
  }

  /** The last batch was refused: all is as it was before it, durably. */
  refuse(before: StorageState): void {
    this.goBack(before);
    this.#durable = this.#states.length - 1;
  }

  /** What was submitted last was refused, and the log goes on from `state`; what is to be remembered may be durable all the same. */
  goBack(state: StorageState): void {
    this.#states.push(state);
    this.#commit = state.commit;
  }

  /** A process that was started again shows this, and so it is durable: the log goes on from there. @returns What is wrong with it. */
  resume(shown: Shown): string | undefined {
    const position = this.judge(shown, this.owed);
    if (typeof position === 'string') return position;
    this.refuse(this.#states[position]!);
    this.#commit = shown.hardState.commit;
    this.settleSnapshot(shown.snapshot?.meta.index ?? 0);
    return undefined;
  }

  /** @returns The position of the state that was found, or what is wrong. */
  judge(shown: Shown, owed: Owed): number | string {
    const { hardState, firstIndex, entries, snapshot } = shown;
    const index = snapshot?.meta.index ?? 0;
    if (index < owed.durableSnapshot) return `snapshot ${index} is there, and ${owed.durableSnapshot} was durable`;
    if (index > owed.submittedSnapshot) return `snapshot ${index} is there, and nobody made it`;
    if (snapshot !== undefined && !this.#snapshots.has(`${index}/${snapshot.meta.term}`))
      return 'a foreign snapshot is there';
    if (firstIndex > index + 1) return `the log begins at ${firstIndex}, behind snapshot ${index}`;
    const lastIndex = firstIndex + entries.length - 1;
    if (hardState.commit > lastIndex || hardState.commit < Math.min(index, lastIndex))
      return `commit ${hardState.commit} is out of the log`;
    const lastTerm = Number(entries.at(-1)?.split('/')[0] ?? 0);
    if (lastTerm > hardState.term) return `an entry of term ${lastTerm} is there in term ${hardState.term}`;
    for (let at = owed.submitted; at >= owed.durable; at--) {
      const state = this.#states[at]!;
      if (!matches(state, shown)) continue;
      return hardState.commit >= state.commit
        ? at
        : `commit ${hardState.commit} is there, with entries of ${state.commit}`;
    }
    const { durable, submitted } = owed;
    return `${describeShown(shown)} is no state from ${durable} (${describeState(this.#states[durable]!)}) to ${submitted} (${describeState(this.#states[submitted]!)})`;
  }

  #add(change: Partial<StorageState>): void {
    this.#states.push({ ...this.last, ...change });
  }
}

function matches(state: StorageState, { hardState, firstIndex, entries }: Shown): boolean {
  if (state.term !== hardState.term || state.vote !== hardState.vote) return false;
  if (firstIndex <= state.floor || firstIndex + entries.length !== state.floor + 1 + state.entries.length) return false;
  const known = state.entries.slice(firstIndex - state.floor - 1);
  return known.length === entries.length && known.every((text, i) => text === entries[i]);
}

function describeShown({ hardState, firstIndex, entries, snapshot }: Shown): string {
  return `${hardState.term}/${hardState.vote}, snapshot ${snapshot?.meta.index ?? 'none'}, from ${firstIndex}: ${brief(entries)}`;
}

function describeState({ term, vote, floor, entries }: StorageState): string {
  return `${term}/${vote}, behind ${floor}: ${brief(entries)}`;
}

function brief(entries: readonly string[]): string {
  return entries.map((text) => text.split(' ')[0]).join(' ');
}
