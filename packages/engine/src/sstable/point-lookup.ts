/**
 * One lookup under way and what it found. Made once and used again, so that a lookup allocates nothing: whoever looks up
 * attaches a block, searches it, and reads or copies the answer in the same turn.
 *
 * Invariant: what it points to may belong to other keys after the turn: blocks of the cache are overwritten.
 */

import { EMPTY_BYTES } from '@kayadb/codec';

import { type Entry, type EntryKind, PUT_KIND, type SequenceNumber } from '../key/internal-key.ts';
import { ENTRY_HEADER_BYTES } from '../wal/wal-format.ts';
import { entryAt, findInBlock, keyBytesAt, kindAt, sequenceInBlock, touchFront, valueBytesAt } from './block-search.ts';

/** What came of looking somewhere. */
export const LOOKUP = {
  /** The place knows nothing of the key. */
  absent: 0,
  /** The newest version was found; it may be a delete. */
  found: 1,
  /** Nothing can be said without reading the file, or opening it. */
  cold: 2,
  /** The block ends with newer versions of the key; ask the next one. */
  nextBlock: 3,
} as const;

export type LookupOutcome = (typeof LOOKUP)[keyof typeof LOOKUP];

const NO_WORDS = new Uint32Array(0);

export class PointLookup {
  #words: Uint32Array = NO_WORDS;
  #bytes: Uint8Array = EMPTY_BYTES;
  #base = 0;
  /** Keeps `touchFront` from being optimised away. */
  touched = 0;
  /** Of the entry found. */
  sequence: SequenceNumber = 0;
  kind: EntryKind = PUT_KIND;
  /** Where the value lies in `bytes`. */
  valueAt = 0;
  valueBytes = 0;

  /** The memory that holds the block; `words` may end before the block does. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get words(): Uint32Array {
    return this.#words;
  }

  /** Points to the block at `base`. Requires: as block-search.ts says. */
  attach(words: Uint32Array, bytes: Uint8Array, base: number): void {
    this.#words = words;
    this.#bytes = bytes;
    this.#base = base;
  }

  /** Looks in the attached block for the newest version of `key` that is not newer than `maxSequence`. */
  search(key: Uint8Array, maxSequence: SequenceNumber): LookupOutcome {
    const words = this.#words;
    const bytes = this.#bytes;
    const base = this.#base;
    this.touched = touchFront(words, base);
    const position = findInBlock(words, bytes, base, key, maxSequence);
    if (position < 0) return LOOKUP.absent;
    if (position === words[base >>> 2]) return LOOKUP.nextBlock;
    const at = entryAt(words, base, position);
    this.sequence = sequenceInBlock(words, base, position);
    this.kind = kindAt(bytes, at);
    this.valueAt = at + ENTRY_HEADER_BYTES + keyBytesAt(bytes, at);
    this.valueBytes = valueBytesAt(bytes, at);
    return LOOKUP.found;
  }

  /** What was found, in memory of the caller's own. Keeps a reference to `key`. */
  copyEntry(key: Uint8Array): Entry {
    const { sequence, kind, valueAt, valueBytes } = this;
    return { key, sequence, kind, value: this.#bytes.slice(valueAt, valueAt + valueBytes) };
  }
}
