/**
 * Several sorted runs as one, in the order of entries. Hot: every entry of every merge goes through here, so runs are told apart by
 * a number each (six key bytes behind what all keys share), and whole keys are compared only where these are equal. A run that
 * stays ahead costs one comparison of numbers per entry. Measured: docs/decisions/20261122-background-workers.md.
 */

import { assert, EMPTY_BYTES } from '@kayadb/codec';

import type { MaybePromise } from '../iterate/cursor.ts';
import { compareEncodedKeys, encodedKeyBytes, keyHead } from '../key/encoded-entry.ts';
import type { SequenceNumber } from '../key/internal-key.ts';
import { runAll } from '../run-all.ts';
import { ENTRY_HEADER_BYTES } from '../wal/wal-format.ts';
import type { EntryRun } from './entry-run.ts';

/** A typed array's `set` costs as much as copying about this many bytes one by one. */
const SHORT_COPY_BYTES = 48;

export class RunMerge {
  readonly #all: readonly EntryRun[];
  /** Those not at their end, by their entries ascending. */
  readonly #runs: EntryRun[];
  /** Of the entry of the run at the same place in `#runs`. */
  readonly #heads: Float64Array;
  /** Leading bytes that the keys of all entries share. */
  readonly #sharedBytes: number;
  #count = 0;
  /** Header and key of the entry before, in the layout of entries. */
  #previous: Uint8Array = EMPTY_BYTES;
  #previousHead = -1;
  #previousSequence: SequenceNumber = 0;

  /** The entry under the walk, as `EntryRun` gives it. */
  bytes: Uint8Array = EMPTY_BYTES;
  at = 0;
  sequence: SequenceNumber = 0;
  isAtEnd = false;
  /** No entry before had this user key. */
  isNewKey = true;

  /**
   * @param runs - Of entries with the same key and sequence there is one only.
   * @param sharedBytes - How many leading bytes all keys of all runs are known to share.
   */
  constructor(runs: readonly EntryRun[], sharedBytes: number) {
    this.#all = runs;
    this.#runs = [...runs];
    this.#heads = new Float64Array(runs.length);
    this.#sharedBytes = sharedBytes;
  }

  /** Goes to the first entry. */
  async start(): Promise<void> {
    const starting = this.#all.map((run) => Promise.resolve(run.start()));
    const failed = (await Promise.allSettled(starting)).find(({ status }) => status === 'rejected');
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
    const live = this.#all.filter(({ isAtEnd }) => !isAtEnd);
    this.#count = 0;
    for (const run of live.toReversed()) {
      this.#count++;
      for (let i = this.#count - 1; i > 0; i--) {
        this.#runs[i] = this.#runs[i - 1]!;
        this.#heads[i] = this.#heads[i - 1]!;
      }
      this.#runs[0] = run;
      this.#place();
    }
    this.#arrive();
  }

  /** Requires: not at the end. @throws What a run throws (or the promise fails with it): CorruptionError when it is damaged. */
  next(): MaybePromise {
    this.#remember();
    const moving = this.#runs[0]!.next();
    if (moving !== undefined) return moving.then(() => this.#settle());
    this.#settle();
    return undefined;
  }

  /** Closes every run, whatever state it is in. */
  async close(): Promise<void> {
    const closings = this.#all.map((run) => () => run.close());
    await runAll('closing the levels of a merge', closings);
  }

  #settle(): void {
    if (this.#runs[0]!.isAtEnd) this.#dropFirst();
    else this.#place();
    this.#arrive();
  }

  #dropFirst(): void {
    this.#count--;
    for (let i = 0; i < this.#count; i++) {
      this.#runs[i] = this.#runs[i + 1]!;
      this.#heads[i] = this.#heads[i + 1]!;
    }
  }

  /** Puts the first run, which has moved, where it belongs among the others, which are in order. */
  #place(): void {
    const runs = this.#runs;
    const heads = this.#heads;
    const run = runs[0]!;
    const head = keyHead(run.bytes, run.at, this.#sharedBytes);
    let i = 1;
    while (i < this.#count) {
      const other = heads[i]!;
      if (other > head || (other === head && !this.#isBefore(runs[i]!, run))) break;
      runs[i - 1] = runs[i]!;
      heads[i - 1] = heads[i]!;
      i++;
    }
    runs[i - 1] = run;
    heads[i - 1] = head;
  }

  #isBefore(a: EntryRun, b: EntryRun): boolean {
    const order = compareEncodedKeys(a.bytes, a.at, b.bytes, b.at, this.#sharedBytes);
    return order === 0 ? a.sequence > b.sequence : order < 0;
  }

  /** Takes over the first run's entry and compares it with the one before. */
  #arrive(): void {
    if (this.#count === 0) {
      this.isAtEnd = true;
      return;
    }
    const { bytes, at, sequence } = this.#runs[0]!;
    this.bytes = bytes;
    this.at = at;
    this.sequence = sequence;
    const head = this.#heads[0]!;
    if (head > this.#previousHead) {
      this.isNewKey = true;
      return;
    }
    const isBehind = head < this.#previousHead;
    const order = isBehind ? -1 : compareEncodedKeys(bytes, at, this.#previous, 0, this.#sharedBytes);
    assert(order > 0 || (order === 0 && sequence < this.#previousSequence), 'entries of a merge must come in order');
    this.isNewKey = order > 0;
  }

  /** Copies the key of the present entry, for its memory may be used again before the next one is compared with it. */
  #remember(): void {
    this.#previousSequence = this.sequence;
    this.#previousHead = this.#heads[0]!;
    if (!this.isNewKey) return;
    const { bytes, at } = this;
    const length = ENTRY_HEADER_BYTES + encodedKeyBytes(bytes, at);
    if (this.#previous.length < length) this.#previous = new Uint8Array(2 * length);
    const previous = this.#previous;
    if (length > SHORT_COPY_BYTES) previous.set(bytes.subarray(at, at + length));
    else for (let i = 4; i < length; i++) previous[i] = bytes[at + i]!;
  }
}
