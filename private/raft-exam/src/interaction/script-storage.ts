/**
 * A node's log in a script: in memory, beginning behind a snapshot or behind nothing, with the manners that scripts expect.
 * Invariant: entries follow each other without a gap, the first of them behind `#base`.
 */

import {
  type Configuration,
  EMPTY_CONFIGURATION,
  EMPTY_HARD_STATE,
  type Entry,
  type HardState,
  type LogGap,
  type LogIndex,
  type LogStorage,
  type Snapshot,
  type Term,
} from '@kayadb/raft';

import { CommandError } from '../script/command-error.ts';
import { ScriptError } from '../script/script-error.ts';
import { entryBytes } from './entry-bytes.ts';

export class ScriptStorage implements LogStorage {
  readonly #newestSnapshot: () => Snapshot;
  #hardState: HardState = EMPTY_HARD_STATE;
  #snapshot: Snapshot['meta'] = { index: 0, term: 0, configuration: EMPTY_CONFIGURATION };
  /** The last entry that is not there any more. */
  #base: { readonly index: LogIndex; readonly term: Term } = { index: 0, term: 0 };
  #entries: Entry[] = [];

  /** @param newestSnapshot - Of the state machine: what is offered to others, whatever the log was compacted to. */
  constructor(newestSnapshot: () => Snapshot) {
    this.#newestSnapshot = newestSnapshot;
  }

  get firstIndex(): LogIndex {
    return this.#base.index + 1;
  }

  get lastIndex(): LogIndex {
    return this.#base.index + this.#entries.length;
  }

  initialState(): { readonly hardState: HardState; readonly configuration: Configuration } {
    return { hardState: this.#hardState, configuration: this.#snapshot.configuration };
  }

  term(index: LogIndex): Term | LogGap {
    if (index < this.#base.index) return 'compacted';
    if (index === this.#base.index) return this.#base.term;
    return this.#entries[index - this.firstIndex]?.term ?? 'unavailable';
  }

  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] | LogGap {
    if (from <= this.#base.index) return 'compacted';
    if (to > this.lastIndex + 1) return 'unavailable';
    const wanted = this.#entries.slice(from - this.firstIndex, to - this.firstIndex);
    let bytes = 0;
    const tooMany = wanted.findIndex((entry, at) => (bytes += entryBytes(entry)) > maxBytes && at > 0);
    return tooMany < 0 ? wanted : wanted.slice(0, tooMany);
  }

  snapshot(): Snapshot {
    return this.#newestSnapshot();
  }

  setHardState(hardState: HardState): void {
    this.#hardState = hardState;
  }

  /** Takes the place of the whole log. @throws CommandError when there is a newer one. */
  applySnapshot({ meta }: Snapshot): void {
    if (this.#snapshot.index >= meta.index) {
      throw new CommandError('requested index is older than the existing snapshot');
    }
    this.#snapshot = meta;
    this.#base = { index: meta.index, term: meta.term };
    this.#entries = [];
  }

  /** Takes the place of everything from the first of `entries` on. @throws ScriptError when that leaves a gap. */
  append(entries: readonly Entry[]): void {
    const fresh = entries.filter(({ index }) => index >= this.firstIndex);
    const first = fresh[0];
    if (first === undefined) return;
    if (first.index > this.lastIndex + 1) {
      throw new ScriptError(`missing log entry [last: ${this.lastIndex}, append at: ${first.index}]`);
    }
    this.#entries = [...this.#entries.slice(0, first.index - this.firstIndex), ...fresh];
  }

  /** Lets go of entries up to `index`. @throws CommandError when they are gone already. */
  compact(index: LogIndex): void {
    if (index <= this.#base.index) throw new CommandError('requested index is unavailable due to compaction');
    const last = this.#entries[index - this.firstIndex];
    if (last === undefined) throw new ScriptError(`compact ${index} is out of bound lastindex(${this.lastIndex})`);
    this.#entries = this.#entries.slice(index - this.#base.index);
    this.#base = { index, term: last.term };
  }
}
