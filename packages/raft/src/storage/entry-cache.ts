/**
 * The newest entries of the log, as they were handed in, so that they are not read from disk to be sent and applied.
 *
 * Invariant: what is here is the end of the log, without a gap; it is cut when the log is.
 */

import type { Entry, LogIndex } from '../core/types.ts';

/** What an entry takes up beside its data, about. */
const OVERHEAD_BYTES = 120;
/** Dropped entries are cut off once there are so many, and half of all. */
const MIN_CUT = 256;

export class EntryCache {
  readonly #maxBytes: number;
  #entries: Entry[] = [];
  #head = 0;
  #bytes = 0;

  /** @param maxBytes - Bound: of what is kept. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Index of the oldest entry that is here; Infinity when none is. */
  get firstIndex(): LogIndex {
    return this.#entries[this.#head]?.index ?? Number.POSITIVE_INFINITY;
  }

  /** Requires: `index` is at least `firstIndex` and in the log. */
  at(index: LogIndex): Entry {
    return this.#entries[this.#head + index - this.firstIndex]!;
  }

  /** `entries` take the place of everything from their first index on. */
  replace(entries: readonly Entry[]): void {
    const first = entries[0]!.index;
    if (first <= this.firstIndex) this.clear();
    else this.#truncate(first);
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#bytes += entry.data.length + OVERHEAD_BYTES;
    }
    while (this.#bytes > this.#maxBytes) this.#drop();
    this.#tidy();
  }

  /** Drops entries up to `index`. */
  compact(index: LogIndex): void {
    while (this.firstIndex <= index) this.#drop();
    this.#tidy();
  }

  clear(): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  #truncate(index: LogIndex): void {
    while (this.#entries.length > this.#head && this.#entries.at(-1)!.index >= index) {
      this.#bytes -= this.#entries.pop()!.data.length + OVERHEAD_BYTES;
    }
  }

  #drop(): void {
    this.#bytes -= this.#entries[this.#head++]!.data.length + OVERHEAD_BYTES;
  }

  #tidy(): void {
    if (this.#head < MIN_CUT || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}
