/**
 * Lays out one data block or index block. Hot: entries are copied once into a reused buffer; the front (heads, deltas,
 * offsets) is worked out when the block is finished. Format: docs/format/sstable.md, "Data block".
 */

import { writeU16, writeU32, writeU64 } from '@kayadb/codec';

import type { EntryKind, SequenceNumber } from '../key/internal-key.ts';
import { ENTRY_HEADER_BYTES } from '../wal/wal-format.ts';
import { DATA_BLOCK_HEADER_BYTES } from './sstable-format.ts';

/** Front bytes per entry: head, delta, offset. */
const SLOT_BYTES = 12;
const MAX_DELTA = 0xffff_ffff;
/** A typed array's `set` costs as much as copying about this many bytes one by one. */
const SHORT_COPY_BYTES = 32;
/** Buffers that a huge value made larger than this are given back. */
const KEPT_BYTES = 1024 * 1024;

export class BlockBuilder {
  #entries = new Uint8Array(8 * 1024);
  #output = new Uint8Array(8 * 1024);
  #entryBytes = 0;
  #count = 0;
  #smallestSequence = Infinity;
  #largestSequence = 0;
  readonly #offsets: number[] = [];
  readonly #sequences: number[] = [];

  get count(): number {
    return this.#count;
  }

  /** Size of the block if it were finished now, in bytes. */
  get rawBytes(): number {
    return DATA_BLOCK_HEADER_BYTES + SLOT_BYTES * this.#count + this.#entryBytes;
  }

  /** Whether one more entry keeps the block within `blockBytes` and its sequence deltas within 32 bits. */
  fits(keyBytes: number, valueBytes: number, sequence: SequenceNumber, blockBytes: number): boolean {
    if (this.rawBytes + SLOT_BYTES + ENTRY_HEADER_BYTES + keyBytes + valueBytes > blockBytes) return false;
    const smallest = Math.min(this.#smallestSequence, sequence);
    return Math.max(this.#largestSequence, sequence) - smallest <= MAX_DELTA;
  }

  /** Copies the entry. Requires: entries come in order, and their sequence numbers span less than 2^32. */
  add(key: Uint8Array, sequence: SequenceNumber, kind: EntryKind, value: Uint8Array): void {
    const at = this.#entryBytes;
    const end = at + ENTRY_HEADER_BYTES + key.length + value.length;
    if (end > this.#entries.length) this.#entries = grow(this.#entries, at, end);
    const bytes = this.#entries;
    writeU32(bytes, at, value.length);
    writeU16(bytes, at + 4, key.length);
    bytes[at + 6] = kind;
    bytes[at + 7] = 0;
    copy(key, bytes, at + ENTRY_HEADER_BYTES);
    copy(value, bytes, at + ENTRY_HEADER_BYTES + key.length);
    this.#offsets[this.#count] = at;
    this.#sequences[this.#count] = sequence;
    if (sequence < this.#smallestSequence) this.#smallestSequence = sequence;
    if (sequence > this.#largestSequence) this.#largestSequence = sequence;
    this.#entryBytes = end;
    this.#count++;
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
    if (this.#output.length < rawBytes) this.#output = new Uint8Array(rawBytes + (rawBytes >>> 1));
    const output = this.#output;
    output.set(this.#entries.subarray(0, this.#entryBytes), front);
    const prefixBytes = this.#sharedPrefix();
    writeU32(output, 0, count);
    writeU32(output, 4, prefixBytes);
    writeU64(output, 8, this.#smallestSequence);
    const deltasAt = DATA_BLOCK_HEADER_BYTES + 4 * count;
    const offsetsAt = deltasAt + 4 * count;
    for (let i = 0; i < count; i++) {
      const entryAt = front + this.#offsets[i]!;
      const keyAt = entryAt + ENTRY_HEADER_BYTES;
      const keyEnd = keyAt + (output[entryAt + 4]! | (output[entryAt + 5]! << 8));
      const headAt = keyAt + prefixBytes;
      for (let k = 0; k < 4; k++) {
        // Heads are stored as little-endian words, so their first key byte comes last.
        output[DATA_BLOCK_HEADER_BYTES + 4 * i + 3 - k] = headAt + k < keyEnd ? output[headAt + k]! : 0;
      }
      writeU32(output, deltasAt + 4 * i, this.#sequences[i]! - this.#smallestSequence);
      writeU32(output, offsetsAt + 4 * i, entryAt);
    }
    this.#startNext();
    const block = output.subarray(0, rawBytes);
    if (output.length > KEPT_BYTES) this.#output = new Uint8Array(8 * 1024);
    return block;
  }

  /** Keys are sorted, so what the first and the last one share is shared by all. */
  #sharedPrefix(): number {
    const bytes = this.#entries;
    const first = this.#offsets[0]!;
    const last = this.#offsets[this.#count - 1]!;
    const firstBytes = bytes[first + 4]! | (bytes[first + 5]! << 8);
    const lastBytes = bytes[last + 4]! | (bytes[last + 5]! << 8);
    const limit = Math.min(firstBytes, lastBytes);
    let shared = 0;
    while (shared < limit && bytes[first + ENTRY_HEADER_BYTES + shared] === bytes[last + ENTRY_HEADER_BYTES + shared]) {
      shared++;
    }
    return shared;
  }

  #startNext(): void {
    this.#count = 0;
    this.#entryBytes = 0;
    this.#smallestSequence = Infinity;
    this.#largestSequence = 0;
    if (this.#entries.length > KEPT_BYTES) this.#entries = new Uint8Array(8 * 1024);
  }
}

function copy(source: Uint8Array, into: Uint8Array, at: number): void {
  const length = source.length;
  if (length > SHORT_COPY_BYTES) into.set(source, at);
  else for (let i = 0; i < length; i++) into[at + i] = source[i]!;
}

function grow(bytes: Uint8Array, used: number, needed: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(Math.max(needed, bytes.length * 2));
  grown.set(bytes.subarray(0, used));
  return grown;
}
