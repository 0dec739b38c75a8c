/** One of the sources that a scan merges: the run it is in, the entry it is at, and how far the run is wanted. */

import type { SequenceNumber } from '../key/internal-key.ts';
import { type BlockRows, compareRows } from '../sstable/block-rows.ts';
import type { MaybePromise } from './cursor.ts';
import type { SkippingRunCursor } from './run-cursor.ts';

export class ScanSource {
  readonly #runs: SkippingRunCursor;
  readonly #step: 1 | -1;
  #limit: Uint8Array | undefined;
  /** The present run; `undefined` at the end. */
  rows: BlockRows | undefined;
  /** The next entry; always one of `rows`. */
  position = 0;
  /** Where the stretch of wanted entries ends, counted in steps: the first one not to be taken. */
  stop = 0;

  /** Owns `runs`, which go in steps of `step`. */
  constructor(runs: SkippingRunCursor, step: 1 | -1) {
    this.#runs = runs;
    this.#step = step;
  }

  /** Whether what is left of the run comes to nothing, because the next entry is past the limit. */
  get isAtLimit(): boolean {
    return this.position === this.stop;
  }

  /** Forward: entries from `limit` on are not to be taken. Reverse: those before it. Absent: all are. */
  setLimit(limit: Uint8Array | undefined): void {
    this.#limit = limit;
    if (this.rows !== undefined) this.#findStop(this.rows);
  }

  /** Goes to the first entry, or to `key`, as `RunCursor.seek` does. */
  seek(key: Uint8Array | undefined): MaybePromise {
    return this.#arrive(key === undefined ? this.#runs.seekToStart() : this.#runs.seek(key));
  }

  /** As `SkippingRunCursor.skip`, but stays where it is when there is nothing to pass over. */
  skip(target: Uint8Array | undefined, sequence: SequenceNumber): MaybePromise {
    const moved = this.#runs.skip(target, sequence);
    return moved === false ? undefined : this.#arrive(moved);
  }

  /** Everything up to `position` was taken; loads the next run if that was all of it. */
  advanceTo(position: number): MaybePromise {
    this.position = position;
    if (position >= 0 && position < this.rows!.count) return undefined;
    return this.#arrive(this.#runs.nextRun());
  }

  /** Where a stretch ends that starts here and comes before the next entry of `other`; at least one entry long. */
  stretchBefore(other: ScanSource): number {
    const rows = this.rows!;
    const step = this.#step;
    const { stop } = this;
    // The end is looked for in growing steps first: sources often take turns after few entries.
    let taken = this.position;
    let reach = 1;
    let probe = taken + step;
    while ((stop - probe) * step > 0 && this.#isBefore(rows, probe, other)) {
      taken = probe;
      reach *= 2;
      probe = taken + reach * step;
    }
    let past = (stop - probe) * step > 0 ? probe : stop;
    while ((past - taken) * step > 1) {
      const middle = (taken + past) >> 1;
      if (this.#isBefore(rows, middle, other)) taken = middle;
      else past = middle;
    }
    return past;
  }

  /** Whether the next entry comes before that of `other`. Requires: both have one. */
  comesBefore(other: ScanSource): boolean {
    return this.#isBefore(this.rows!, this.position, other);
  }

  close(): void {
    this.rows = undefined;
    this.#runs.close();
  }

  #isBefore(rows: BlockRows, index: number, other: ScanSource): boolean {
    return compareRows(rows, index, other.rows!, other.position) * this.#step < 0;
  }

  #arrive(waiting: MaybePromise): MaybePromise {
    this.rows = undefined;
    if (waiting !== undefined) return waiting.then(() => this.#load());
    this.#load();
    return undefined;
  }

  #load(): void {
    const { rows } = this.#runs;
    this.rows = rows;
    if (rows === undefined) return;
    this.position = this.#runs.position;
    this.#findStop(rows);
  }

  #findStop(rows: BlockRows): void {
    const limit = this.#limit;
    if (this.#step === 1) {
      const isWhole = limit === undefined || rows.compareKey(rows.count - 1, limit) < 0;
      this.stop = isWhole ? rows.count : Math.max(this.position, rows.firstAtOrAfter(limit));
    } else {
      const isWhole = limit === undefined || rows.compareKey(0, limit) >= 0;
      this.stop = isWhole ? -1 : Math.min(this.position, rows.firstAtOrAfter(limit) - 1);
    }
  }
}
