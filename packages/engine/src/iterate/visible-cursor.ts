/**
 * What a reader sees: of each user key the newest version at or below a sequence number, unless it is a delete,
 * inside bounds, in one direction.
 */

import { compareBytes, copyBytes, equalBytes } from '@kayadb/codec';

import { type Entry, PUT_KIND, type SequenceNumber } from '../key/internal-key.ts';
import type { Turn } from '../turn.ts';
import type { Cursor, Direction } from './cursor.ts';
import type { Bounds } from './range.ts';

export class VisibleCursor {
  readonly #source: Cursor;
  readonly #sequence: SequenceNumber;
  readonly #bounds: Bounds;
  readonly #forward: boolean;
  readonly #turn: Turn;
  #started = false;

  /** Owns `source`, which goes in `direction`. */
  constructor(source: Cursor, sequence: SequenceNumber, bounds: Bounds, direction: Direction, turn: Turn) {
    this.#source = source;
    this.#turn = turn;
    this.#sequence = sequence;
    this.#bounds = bounds;
    this.#forward = direction === 'forward';
  }

  /** The next visible entry, in arrays of its own, or `undefined` at the end. */
  async next(): Promise<{ readonly key: Uint8Array; readonly value: Uint8Array } | undefined> {
    if (!this.#started) {
      this.#started = true;
      await this.#seekToBound();
    }
    for (;;) {
      const first = this.#source.entry;
      if (first === undefined || this.#isPastEnd(first.key)) return undefined;
      const key = copyBytes(first.key);
      const visible = this.#forward ? await this.#newestForward(key) : await this.#newestReverse(key);
      if (visible !== undefined && this.#isInside(key)) return { key, value: visible };
    }
  }

  close(): void {
    this.#source.close();
  }

  /** Versions come newest first: the first one at or below the sequence decides, the rest are passed over. */
  async #newestForward(key: Uint8Array): Promise<Uint8Array | undefined> {
    let decided = false;
    let value: Uint8Array | undefined;
    for (
      let entry = this.#source.entry;
      entry !== undefined && equalBytes(entry.key, key);
      entry = this.#source.entry
    ) {
      if (!decided && entry.sequence <= this.#sequence) {
        decided = true;
        value = valueOf(entry);
      }
      const waiting = this.#source.next() ?? this.#turn.step();
      if (waiting !== undefined) await waiting;
    }
    return value;
  }

  /** Versions come oldest first: the last one at or below the sequence decides. */
  async #newestReverse(key: Uint8Array): Promise<Uint8Array | undefined> {
    let value: Uint8Array | undefined;
    for (
      let entry = this.#source.entry;
      entry !== undefined && equalBytes(entry.key, key);
      entry = this.#source.entry
    ) {
      if (entry.sequence <= this.#sequence) value = valueOf(entry);
      const waiting = this.#source.next() ?? this.#turn.step();
      if (waiting !== undefined) await waiting;
    }
    return value;
  }

  async #seekToBound(): Promise<void> {
    const bound = this.#forward ? this.#bounds.lower : this.#bounds.upper;
    await (bound === undefined ? this.#source.seekToStart() : this.#source.seek(bound.key));
  }

  #isPastEnd(key: Uint8Array): boolean {
    const { lower, upper } = this.#bounds;
    if (this.#forward) {
      if (upper === undefined) return false;
      const order = compareBytes(key, upper.key);
      return order > 0 || (order === 0 && !upper.inclusive);
    }
    if (lower === undefined) return false;
    const order = compareBytes(key, lower.key);
    return order < 0 || (order === 0 && !lower.inclusive);
  }

  /** The start bound was sought, so only an exclusive one can still be met. */
  #isInside(key: Uint8Array): boolean {
    const bound = this.#forward ? this.#bounds.lower : this.#bounds.upper;
    return bound === undefined || bound.inclusive || !equalBytes(key, bound.key);
  }
}

function valueOf(entry: Entry): Uint8Array | undefined {
  return entry.kind === PUT_KIND ? copyBytes(entry.value) : undefined;
}
