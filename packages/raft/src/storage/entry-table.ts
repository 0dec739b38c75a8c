/**
 * Where each written entry of the log stands and which term it has, in four numbers each, and none of its bytes.
 *
 * Invariant: rows are for the indexes from `firstIndex` to `lastIndex` without a gap.
 */

import { assert } from '@kayadb/codec';

import type { LogGap } from '../core/log-storage.ts';
import type { Entry, LogIndex, Term } from '../core/types.ts';
import { ENTRY_HEADER_BYTES } from './segment-format.ts';

/** Compacted rows are cut off once there are so many, and half of all. */
const MIN_CUT_ROWS = 1024;

export class EntryTable {
  /** Rows in front of it are compacted. */
  #head = 0;
  #base: LogIndex;
  #baseTerm: Term;
  #terms: Term[] = [];
  #segments: number[] = [];
  #offsets: number[] = [];
  #bytes: number[] = [];

  /** A log that begins behind the entry `base`. */
  constructor(base: LogIndex, baseTerm: Term) {
    this.#base = base;
    this.#baseTerm = baseTerm;
  }

  get firstIndex(): LogIndex {
    return this.#base + 1;
  }

  get lastIndex(): LogIndex {
    return this.#base + this.#terms.length - this.#head;
  }

  get lastTerm(): Term {
    return this.#terms.length > this.#head ? this.#terms.at(-1)! : this.#baseTerm;
  }

  term(index: LogIndex): Term | LogGap {
    if (index === this.#base) return this.#baseTerm;
    if (index < this.#base) return 'compacted';
    return this.#terms[this.#row(index)] ?? 'unavailable';
  }

  /** The segment that holds the entry. Requires: the index has a row, here and in the next two. */
  segmentOf(index: LogIndex): number {
    return this.#segments[this.#row(index)]!;
  }

  /** Where the entry begins in its segment. */
  offsetOf(index: LogIndex): number {
    return this.#offsets[this.#row(index)]!;
  }

  /** With its header. */
  bytesOf(index: LogIndex): number {
    return this.#bytes[this.#row(index)]!;
  }

  /** `entries` take the place of all rows from their first index on; they stand in `segment`, one behind the other from `offset` on. */
  replace(entries: readonly Entry[], segment: number, offset: number): void {
    this.truncate(entries[0]!.index);
    let at = offset;
    for (const { term, data } of entries) {
      const bytes = ENTRY_HEADER_BYTES + data.length;
      this.push(term, segment, at, bytes);
      at += bytes;
    }
  }

  /** Adds the row of the next index. */
  push(term: Term, segment: number, offset: number, bytes: number): void {
    this.#terms.push(term);
    this.#segments.push(segment);
    this.#offsets.push(offset);
    this.#bytes.push(bytes);
  }

  /** Drops the rows from `index` on. Requires: no gap in front of it. */
  truncate(index: LogIndex): void {
    const row = this.#row(index);
    assert(row >= this.#head && row <= this.#terms.length, `entries from ${index} on do not follow ${this.lastIndex}`);
    if (row === this.#terms.length) return;
    this.#terms.length = row;
    this.#segments.length = row;
    this.#offsets.length = row;
    this.#bytes.length = row;
  }

  /** Lets go of the rows up to `index`. Requires: it has a row, or has none any more. */
  compact(index: LogIndex): void {
    if (index <= this.#base) return;
    const term = this.term(index);
    assert(typeof term === 'number', `the log cannot be compacted to ${index}; it ends at ${this.lastIndex}`);
    this.#head += index - this.#base;
    this.#base = index;
    this.#baseTerm = term;
    if (this.#head < MIN_CUT_ROWS || this.#head * 2 < this.#terms.length) return;
    this.#terms = this.#terms.slice(this.#head);
    this.#segments = this.#segments.slice(this.#head);
    this.#offsets = this.#offsets.slice(this.#head);
    this.#bytes = this.#bytes.slice(this.#head);
    this.#head = 0;
  }

  #row(index: LogIndex): number {
    return index - this.#base - 1 + this.#head;
  }
}
