/**
 * The runs of a memtable: its entries gathered, a few at first and more the longer the walk lasts, into memory of the
 * scan's own, which then looks like a block. Never waits.
 */

import { EMPTY_BYTES, equalBytes, writeU16, writeU32 } from '@kayadb/codec';

import type { Entry, SequenceNumber } from '../key/internal-key.ts';
import { BlockRows } from '../sstable/block-rows.ts';
import { ENTRY_HEADER_BYTES } from '../wal/wal-format.ts';
import type { Cursor, Direction, MaybePromise } from './cursor.ts';
import type { SkippingRunCursor } from './run-cursor.ts';

const FIRST_RUN_ENTRIES = 8;
const MAX_RUN_ENTRIES = 128;
/** A run ends behind the entry with which it reaches this size. */
const RUN_BYTES = 64 * 1024;
const MAX_DELTA = 0xffff_ffff;

export class MemtableRuns implements SkippingRunCursor {
  readonly #cursor: Cursor;
  readonly #isForward: boolean;
  readonly #maxSequence: SequenceNumber;
  readonly #largestSequence: SequenceNumber;
  #entries = FIRST_RUN_ENTRIES;
  #rows: BlockRows | undefined;

  /**
   * Owns `cursor`, which goes in `direction` and never waits.
   *
   * @param maxSequence - Newer entries are nobody's business: their values are left out.
   * @param largestSequence - No entry up to `maxSequence` is newer.
   */
  constructor(cursor: Cursor, direction: Direction, maxSequence: SequenceNumber, largestSequence: SequenceNumber) {
    this.#cursor = cursor;
    this.#isForward = direction === 'forward';
    this.#maxSequence = maxSequence;
    this.#largestSequence = largestSequence;
  }

  get rows(): BlockRows | undefined {
    return this.#rows;
  }

  get position(): number {
    return this.#isForward ? 0 : this.#rows!.count - 1;
  }

  seekToStart(): MaybePromise {
    this.#entries = FIRST_RUN_ENTRIES;
    void this.#cursor.seekToStart();
    return this.nextRun();
  }

  seek(key: Uint8Array): MaybePromise {
    this.#entries = FIRST_RUN_ENTRIES;
    const cursor = this.#cursor;
    void cursor.seek(key);
    if (!this.#isForward) {
      while (cursor.entry !== undefined && equalBytes(cursor.entry.key, key)) void cursor.next();
    }
    return this.nextRun();
  }

  skip(target: Uint8Array | undefined, sequence: SequenceNumber): MaybePromise | false {
    if (this.#largestSequence > sequence) return false;
    if (target !== undefined) return this.seek(target);
    this.#rows = undefined;
    return undefined;
  }

  nextRun(): MaybePromise {
    const gathered = new Gathering(this.#entries);
    this.#entries = Math.min(2 * this.#entries, MAX_RUN_ENTRIES);
    const cursor = this.#cursor;
    while (cursor.entry !== undefined && gathered.take(cursor.entry, this.#maxSequence)) void cursor.next();
    this.#rows = gathered.finish(this.#isForward);
    return undefined;
  }

  close(): void {
    this.#rows = undefined;
    this.#cursor.close();
  }
}

/** A block in the making, of entries in either order. */
class Gathering {
  readonly #maxEntries: number;
  readonly #sequences: SequenceNumber[] = [];
  readonly #offsets: number[] = [];
  #smallest = Infinity;
  #largest = 0;
  #bytes: Uint8Array = new Uint8Array(128 * FIRST_RUN_ENTRIES);
  #size = 0;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** @returns Whether there was room for it. */
  take({ key, sequence, kind, value: whole }: Entry, maxSequence: SequenceNumber): boolean {
    const smallest = sequence < this.#smallest ? sequence : this.#smallest;
    const largest = sequence > this.#largest ? sequence : this.#largest;
    const isFull = this.#offsets.length === this.#maxEntries || this.#size >= RUN_BYTES;
    if (isFull || largest - smallest > MAX_DELTA) return false;
    this.#smallest = smallest;
    this.#largest = largest;
    const value = sequence > maxSequence ? EMPTY_BYTES : whole;
    const at = this.#size;
    const valueAt = at + ENTRY_HEADER_BYTES + key.length;
    const end = valueAt + value.length;
    if (end > this.#bytes.length) this.#grow(end);
    const bytes = this.#bytes;
    writeU32(bytes, at, value.length);
    writeU16(bytes, at + 4, key.length);
    bytes[at + 6] = kind;
    for (let i = 0; i < key.length; i++) bytes[at + ENTRY_HEADER_BYTES + i] = key[i]!;
    bytes.set(value, valueAt);
    this.#offsets.push(at);
    this.#sequences.push(sequence);
    this.#size = end;
    return true;
  }

  /** Rows go up by key: entries taken in reverse are numbered from the end. */
  finish(isForward: boolean): BlockRows | undefined {
    const count = this.#offsets.length;
    if (count === 0) return undefined;
    const words = new Uint32Array(2 * count);
    for (let i = 0; i < count; i++) {
      const row = isForward ? i : count - 1 - i;
      words[row] = this.#sequences[i]! - this.#smallest;
      words[count + row] = this.#offsets[i]!;
    }
    return new BlockRows(this.#bytes.subarray(0, this.#size), words, 0, count, count, this.#smallest);
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }
}
