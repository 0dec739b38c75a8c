/**
 * An ordered set of entries in flat memory: a skip list whose nodes are slots of an Int32Array and whose keys and
 * values lie in byte chunks (Pugh, "Skip Lists", CACM 1990). No object per entry, so the garbage collector never
 * sees the millions of entries of a busy memtable.
 *
 * Invariant: nodes are only added, never moved or removed, so a cursor's node stays valid while others insert.
 * Order: user key ascending, then sequence number descending (key/internal-key.ts).
 */

import { readU32 } from '@kayadb/codec';

import type { Entry, EntryKind } from '../key/internal-key.ts';
import { ENTRY_HEADER_BYTES } from '../wal/wal-format.ts';
import { EntryArena } from './entry-arena.ts';

const MAX_HEIGHT = 12;
/** Node layout in words: chunk, offset, key bytes, sequence low, sequence high, previous node, then the forward links. */
const CHUNK = 0;
const OFFSET = 1;
const KEY_BYTES = 2;
const SEQUENCE_LOW = 3;
const SEQUENCE_HIGH = 4;
const PREVIOUS = 5;
const LINKS = 6;
const TWO_32 = 0x1_0000_0000;

/** The head node; also what stands for "no node" on either side. */
export const NIL = 0;

export class SkipList {
  readonly arena: EntryArena = new EntryArena();
  #nodes: Int32Array = new Int32Array(1 << 10);
  #used: number = LINKS + MAX_HEIGHT;
  #height = 1;
  #last = NIL;
  #count = 0;
  #random = 0x2545f491;
  readonly #path: Int32Array = new Int32Array(MAX_HEIGHT);

  get count(): number {
    return this.#count;
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.arena.bytes + this.#used * 4;
  }

  get first(): number {
    return this.#nodes[LINKS]!;
  }

  get last(): number {
    return this.#last;
  }

  next(node: number): number {
    return this.#nodes[node + LINKS]!;
  }

  previous(node: number): number {
    return this.#nodes[node + PREVIOUS]!;
  }

  sequence(node: number): number {
    return (this.#nodes[node + SEQUENCE_HIGH]! >>> 0) * TWO_32 + (this.#nodes[node + SEQUENCE_LOW]! >>> 0);
  }

  /** Views of the node's entry; valid as long as the list. */
  entry(node: number): Entry {
    const chunk = this.arena.chunks[this.#nodes[node + CHUNK]!]!;
    const at = this.#nodes[node + OFFSET]!;
    const keyStart = at + ENTRY_HEADER_BYTES;
    const keyEnd = keyStart + this.#nodes[node + KEY_BYTES]!;
    return {
      key: chunk.subarray(keyStart, keyEnd),
      sequence: this.sequence(node),
      kind: chunk[at + 6] as EntryKind,
      value: chunk.subarray(keyEnd, keyEnd + readU32(chunk, at)),
    };
  }

  /** Copies one encoded operation out of `payload` and links it in. Requires: `sequence` is new. */
  insert(payload: Uint8Array, start: number, end: number, keyBytes: number, sequence: number): void {
    const keyStart = start + ENTRY_HEADER_BYTES;
    this.#findBefore(payload, keyStart, keyStart + keyBytes, sequence);
    const height = this.#randomHeight();
    const node = this.#allocate(LINKS + height);
    const nodes = this.#nodes;
    const place = this.arena.copy(payload, start, end);
    nodes[node + CHUNK] = place.chunk;
    nodes[node + OFFSET] = place.offset;
    nodes[node + KEY_BYTES] = keyBytes;
    nodes[node + SEQUENCE_LOW] = sequence | 0;
    nodes[node + SEQUENCE_HIGH] = Math.floor(sequence / TWO_32);
    while (this.#height < height) this.#path[this.#height++] = NIL;
    for (let level = 0; level < height; level++) {
      const before = this.#path[level]!;
      nodes[node + LINKS + level] = nodes[before + LINKS + level]!;
      nodes[before + LINKS + level] = node;
    }
    nodes[node + PREVIOUS] = this.#path[0]!;
    const after = nodes[node + LINKS]!;
    if (after === NIL) this.#last = node;
    else nodes[after + PREVIOUS] = node;
    this.#count++;
  }

  /** @returns The first node at or after (`key`, `maxSequence`): the newest version not above it, or a later key. */
  seek(key: Uint8Array, maxSequence: number): number {
    return this.#nodes[this.#findBefore(key, 0, key.length, maxSequence) + LINKS]!;
  }

  /** Compares the node's user key with `bytes[start, end)`. */
  compareKey(node: number, bytes: Uint8Array, start: number, end: number): number {
    const nodes = this.#nodes;
    const mine = this.arena.chunks[nodes[node + CHUNK]!]!;
    const mineStart = nodes[node + OFFSET]! + ENTRY_HEADER_BYTES;
    const mineLength = nodes[node + KEY_BYTES]!;
    const otherLength = end - start;
    const shared = mineLength < otherLength ? mineLength : otherLength;
    for (let i = 0; i < shared; i++) {
      const difference = mine[mineStart + i]! - bytes[start + i]!;
      if (difference !== 0) return difference;
    }
    return mineLength - otherLength;
  }

  /** Fills `#path` with the last node before the position on each level. @returns The one on level 0. */
  #findBefore(bytes: Uint8Array, start: number, end: number, sequence: number): number {
    const nodes = this.#nodes;
    let node = NIL;
    for (let level = this.#height - 1; level >= 0; level--) {
      for (;;) {
        const next = nodes[node + LINKS + level]!;
        if (next === NIL) break;
        const order = this.compareKey(next, bytes, start, end);
        if (order > 0 || (order === 0 && this.sequence(next) <= sequence)) break;
        node = next;
      }
      this.#path[level] = node;
    }
    return node;
  }

  #allocate(words: number): number {
    const node = this.#used;
    this.#used += words;
    if (this.#used > this.#nodes.length) {
      const grown = new Int32Array(this.#nodes.length * 2);
      grown.set(this.#nodes);
      this.#nodes = grown;
    }
    return node;
  }

  /** One level in four goes on; xorshift32 from a constant, so that equal inputs build equal lists. */
  #randomHeight(): number {
    let height = 1;
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    for (let bits = x >>> 0; height < MAX_HEIGHT && (bits & 3) === 0; bits >>>= 2) height++;
    return height;
  }
}
