/**
 * Lays out one data block or index block. Hot: entries are copied once into a reused buffer; the front (heads, deltas,
 * offsets) is worked out, word by word, when the block is finished. Format: docs/format/sstable.md, "Data block".
 */

import { writeU16, writeU32, writeU64 } from '@kayadb/codec';

import type { EntryKind, SequenceNumber } from '../key/internal-key.ts';
import { ENTRY_HEADER_BYTES } from '../wal/wal-format.ts';
import { DATA_BLOCK_HEADER_BYTES } from './sstable-format.ts';

/** Front bytes per entry: head, delta, offset. */
const SLOT_BYTES = 12;
const HEADS_AT = DATA_BLOCK_HEADER_BYTES / 4;
const MAX_DELTA = 0xffff_ffff;
/** A typed array's `set` costs as much as copying about this many bytes one by one. */
const SHORT_COPY_BYTES = 48;
const FIRST_BYTES = 8 * 1024;
/** Buffers that a huge value made larger than this are given back. */
const KEPT_BYTES = 1024 * 1024;

export class BlockBuilder {
  #entries = new Uint8Array(FIRST_BYTES);
  #output = new Uint8Array(FIRST_BYTES);
  #outputWords = new Uint32Array(this.#output.buffer);
  #entryBytes = 0;
  #count = 0;
  #smallestSequence = Infinity;
  #largestSequence = 0;
  #offsets = new Uint32Array(128);
  #sequences = new Float64Array(128);

  get count(): number {
    return this.#count;
  }

  /** Size of the block if it were finished now, in bytes. */
  get rawBytes(): number {
    return DATA_BLOCK_HEADER_BYTES + SLOT_BYTES * this.#count + this.#entryBytes;
  }

  /** Key of the entry added last. Requires: one was, since the last `finish`. A view, valid until the next `add`. */
  get lastKey(): Uint8Array {
    const keyAt = this.#offsets[this.#count - 1]! + ENTRY_HEADER_BYTES;
    return this.#entries.subarray(keyAt, keyAt + this.#keyBytes(this.#count - 1));
  }

  /** Whether one more entry, of `entryBytes` with its header, keeps the block within `blockBytes` and its deltas within 32 bits. */
  fits(entryBytes: number, sequence: SequenceNumber, blockBytes: number): boolean {
    if (this.rawBytes + SLOT_BYTES + entryBytes > blockBytes) return false;
    const smallest = sequence < this.#smallestSequence ? sequence : this.#smallestSequence;
    const largest = sequence > this.#largestSequence ? sequence : this.#largestSequence;
    return largest - smallest <= MAX_DELTA;
  }

  /** Copies the entry. Requires: entries come in order, and their sequence numbers span less than 2^32. */
  add(key: Uint8Array, sequence: SequenceNumber, kind: EntryKind, value: Uint8Array): void {
    const at = this.#reserve(ENTRY_HEADER_BYTES + key.length + value.length, sequence);
    const bytes = this.#entries;
    writeU32(bytes, at, value.length);
    writeU16(bytes, at + 4, key.length);
    bytes[at + 6] = kind;
    bytes[at + 7] = 0;
    bytes.set(key, at + ENTRY_HEADER_BYTES);
    bytes.set(value, at + ENTRY_HEADER_BYTES + key.length);
  }

  /** As `add`, of an entry that is laid out in `source` from `start` on. */
  addEncoded(source: Uint8Array, start: number, entryBytes: number, sequence: SequenceNumber): void {
    const at = this.#reserve(entryBytes, sequence);
    const bytes = this.#entries;
    if (entryBytes > SHORT_COPY_BYTES) bytes.set(source.subarray(start, start + entryBytes), at);
    else for (let i = 0; i < entryBytes; i++) bytes[at + i] = source[start + i]!;
  }

  /**
   * Ends the block and starts the next one. Requires: `count` is at least 1.
   *
   * @returns The block; a view, valid until the next `finish`.
   */
  finish(): Uint8Array {
    const count = this.#count;
    const rawBytes = this.rawBytes;
    const front = DATA_BLOCK_HEADER_BYTES + SLOT_BYTES * count;
    this.#makeOutput(rawBytes);
    const output = this.#output;
    const words = this.#outputWords;
    output.set(this.#entries.subarray(0, this.#entryBytes), front);
    const prefixBytes = this.#sharedPrefix();
    writeU32(output, 0, count);
    writeU32(output, 4, prefixBytes);
    writeU64(output, 8, this.#smallestSequence);
    const deltasAt = HEADS_AT + count;
    const offsetsAt = deltasAt + count;
    for (let i = 0; i < count; i++) {
      const entryAt = this.#offsets[i]!;
      words[HEADS_AT + i] = this.#head(entryAt, prefixBytes);
      words[deltasAt + i] = this.#sequences[i]! - this.#smallestSequence;
      words[offsetsAt + i] = front + entryAt;
    }
    this.#startNext();
    const block = output.subarray(0, rawBytes);
    if (output.length > KEPT_BYTES) this.#useOutput(FIRST_BYTES);
    return block;
  }

  /** The four key bytes behind the prefix, the first most significant, zeros where the key ends. */
  #head(entryAt: number, prefixBytes: number): number {
    const bytes = this.#entries;
    const left = (bytes[entryAt + 4]! | (bytes[entryAt + 5]! << 8)) - prefixBytes;
    const at = entryAt + ENTRY_HEADER_BYTES + prefixBytes;
    if (left >= 4) return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    let head = 0;
    for (let k = 0; k < 4; k++) head = (head << 8) | (k < left ? bytes[at + k]! : 0);
    return head;
  }

  /** Makes room for one more entry and enters it. @returns Where its bytes go. */
  #reserve(entryBytes: number, sequence: SequenceNumber): number {
    const at = this.#entryBytes;
    const end = at + entryBytes;
    if (end > this.#entries.length) this.#entries = growBytes(this.#entries, at, end);
    const index = this.#count;
    if (index === this.#offsets.length) this.#growSlots();
    this.#offsets[index] = at;
    this.#sequences[index] = sequence;
    if (sequence < this.#smallestSequence) this.#smallestSequence = sequence;
    if (sequence > this.#largestSequence) this.#largestSequence = sequence;
    this.#entryBytes = end;
    this.#count = index + 1;
    return at;
  }

  /** Keys are sorted, so what the first and the last one share is shared by all. */
  #sharedPrefix(): number {
    const bytes = this.#entries;
    const first = this.#offsets[0]! + ENTRY_HEADER_BYTES;
    const last = this.#offsets[this.#count - 1]! + ENTRY_HEADER_BYTES;
    const limit = Math.min(this.#keyBytes(0), this.#keyBytes(this.#count - 1));
    let shared = 0;
    while (shared < limit && bytes[first + shared] === bytes[last + shared]) shared++;
    return shared;
  }

  #keyBytes(index: number): number {
    const at = this.#offsets[index]!;
    return this.#entries[at + 4]! | (this.#entries[at + 5]! << 8);
  }

  #growSlots(): void {
    const offsets = new Uint32Array(2 * this.#count);
    offsets.set(this.#offsets);
    this.#offsets = offsets;
    const sequences = new Float64Array(2 * this.#count);
    sequences.set(this.#sequences);
    this.#sequences = sequences;
  }

  #makeOutput(rawBytes: number): void {
    if (this.#output.length < rawBytes) this.#useOutput(rawBytes + (rawBytes >>> 1));
  }

  #useOutput(bytes: number): void {
    this.#output = new Uint8Array((bytes + 3) & ~3);
    this.#outputWords = new Uint32Array(this.#output.buffer);
  }

  #startNext(): void {
    this.#count = 0;
    this.#entryBytes = 0;
    this.#smallestSequence = Infinity;
    this.#largestSequence = 0;
    if (this.#entries.length > KEPT_BYTES) this.#entries = new Uint8Array(FIRST_BYTES);
  }
}

function growBytes(bytes: Uint8Array, used: number, needed: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(Math.max(needed, bytes.length * 2));
  grown.set(bytes.subarray(0, used));
  return grown;
}
