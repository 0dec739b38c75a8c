/**
 * Batches that were handed in and are not written yet, because something must be durable first; and the log as it is with them.
 *
 * Invariant: in the order in which they were handed in. Almost always empty: in elections, and when a segment is left, a few are here.
 */

import type { LogGap } from '../core/log-storage.ts';
import type { Entry, HardState, LogIndex, Snapshot, Term } from '../core/types.ts';
import type { EntryTable } from './entry-table.ts';

export interface PendingBatch {
  readonly entries: readonly Entry[];
  /** All that is to be remembered, changed or not. */
  readonly hardState: HardState;
  readonly snapshot: Snapshot | undefined;
  /** The log does not have the snapshot's last entry, so nothing is left of it. */
  readonly resets: boolean;
  /** The term before the first entry, or behind the snapshot when it resets. */
  readonly previousTerm: Term;
  readonly resolve: (durable: Promise<void>) => void;
  readonly reject: (error: unknown) => void;
}

export class PendingBatches {
  #batches: PendingBatch[] = [];

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  get first(): PendingBatch | undefined {
    return this.#batches[0];
  }

  get last(): PendingBatch | undefined {
    return this.#batches.at(-1);
  }

  /** The newest snapshot among them. */
  get snapshot(): Snapshot | undefined {
    return this.#batches.findLast(({ snapshot }) => snapshot !== undefined)?.snapshot;
  }

  /** Entries from here on are here, or gone; Infinity when that is true of none. */
  get lowestIndex(): LogIndex {
    let lowest = Number.POSITIVE_INFINITY;
    for (const { entries, resets } of this.#batches)
      lowest = Math.min(lowest, resets ? 0 : (entries[0]?.index ?? lowest));
    return lowest;
  }

  add(batch: PendingBatch): void {
    this.#batches.push(batch);
  }

  /** The first is written. */
  removeFirst(): void {
    this.#batches.shift();
  }

  /** @returns Them all; none is left. */
  takeAll(): readonly PendingBatch[] {
    return this.#batches.splice(0);
  }

  firstIndex(table: EntryTable): LogIndex {
    const reset = this.#batches.findLast(({ resets }) => resets)?.snapshot;
    return reset === undefined ? table.firstIndex : reset.meta.index + 1;
  }

  lastIndex(table: EntryTable): LogIndex {
    const batch = this.#batches.findLast(({ entries, resets }) => entries.length > 0 || resets);
    if (batch === undefined) return table.lastIndex;
    return batch.entries.at(-1)?.index ?? batch.snapshot!.meta.index;
  }

  term(index: LogIndex, table: EntryTable): Term | LogGap {
    const found = this.#find(index);
    if (found === undefined) return table.term(index);
    return typeof found === 'string' ? found : found.term;
  }

  /** @returns undefined when it is, or is not, among those that are written. */
  entryAt(index: LogIndex): Entry | undefined {
    const found = this.#find(index);
    return found !== undefined && typeof found !== 'string' && 'data' in found ? found : undefined;
  }

  #find(index: LogIndex): Entry | { readonly term: Term } | LogGap | undefined {
    for (let i = this.#batches.length - 1; i >= 0; i--) {
      const { entries, resets, snapshot } = this.#batches[i]!;
      const head = entries[0];
      if (head !== undefined && index >= head.index) return entries[index - head.index] ?? 'unavailable';
      if (!resets) continue;
      const { meta } = snapshot!;
      if (index === meta.index) return { term: meta.term };
      return index < meta.index ? 'compacted' : 'unavailable';
    }
    return undefined;
  }
}
