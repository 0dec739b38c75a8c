/**
 * The words of an adaptive radix tree, and how they are given out: versions once and for all, nodes that grow into larger ones from
 * lists of left ones. Layout: art-layout.ts.
 *
 * Invariant: `words` is replaced only by `reserve`, so whoever called it may hold `words` until it calls again.
 */

import { byteAt } from './art-children.ts';
import {
  BYTES,
  COUNT_ONE,
  countOf,
  END,
  FIRST_FREE,
  NODE_16,
  NODE_256,
  NODE_4,
  NODE_48,
  NODE_WORDS,
  SAMPLE,
  SLOTS_16,
  SLOTS_256,
  SLOTS_4,
  SLOTS_48,
  TYPE_MASK,
  VERSION_WORDS,
} from './art-layout.ts';
import type { MemtableMemory } from './memtable-memory.ts';

const INITIAL_WORDS = 1 << 10;
/** What is asked for and not touched costs nothing, and moving to larger memory touches it all anew. */
const GROWTH = 4;
/** One insertion takes a version and, at most, a node of four or the largest one. */
const WORDS_PER_INSERT: number = VERSION_WORDS + NODE_WORDS[NODE_4]! + NODE_WORDS[NODE_256]!;
const MAX_COUNT: readonly number[] = [4, 16, 48, 256];
const SLOTS: readonly number[] = [SLOTS_4, SLOTS_16, SLOTS_48, SLOTS_256];

export class ArtNodes {
  words: Int32Array;
  #used = FIRST_FREE;
  /** By type, the first of the nodes that were left for larger ones; their first word leads on. */
  readonly #left = new Int32Array(NODE_WORDS.length);

  /** @param memory - Where words to begin with may come from; what they hold does not matter. */
  constructor(memory: MemtableMemory | undefined) {
    this.words = memory?.takeWords() ?? newWords(INITIAL_WORDS);
    this.words.fill(0, 0, FIRST_FREE);
  }

  get usedBytes(): number {
    return this.#used * Int32Array.BYTES_PER_ELEMENT;
  }

  /** Makes room for one insertion. @returns `words`, from now on. */
  reserve(): Int32Array {
    if (this.#used + WORDS_PER_INSERT <= this.words.length) return this.words;
    const grown = newWords(this.words.length * GROWTH);
    grown.set(this.words);
    this.words = grown;
    return grown;
  }

  allocateVersion(): number {
    const version = this.#used;
    this.#used += VERSION_WORDS;
    return version;
  }

  /** A node without children. */
  allocateNode(type: number, depthAndCount: number, sample: number, end: number): number {
    const { words } = this;
    let node = this.#left[type]!;
    if (node === 0) {
      node = this.#used;
      this.#used += NODE_WORDS[type]!;
    } else {
      this.#left[type] = words[node]!;
    }
    clear(words, node + BYTES, node + NODE_WORDS[type]!);
    words[node] = depthAndCount | type;
    words[node + SAMPLE] = sample;
    words[node + END] = end;
    return node;
  }

  /** Adds a child for `byte`, which has none, to the node that `slot` refers to; the node may become a larger one. */
  addChild(slot: number, byte: number, child: number): void {
    const { words } = this;
    let node = words[slot]!;
    let type = words[node]! & TYPE_MASK;
    if (countOf(words[node]!) === MAX_COUNT[type]) {
      node = this.#grow(node, type);
      words[slot] = node;
      type++;
    }
    this.putChild(node, type, byte, child);
  }

  /** Requires: `node` of `type` is not full and has no child for `byte`. */
  putChild(node: number, type: number, byte: number, child: number): void {
    const { words } = this;
    const head = words[node]!;
    words[node] = head + COUNT_ONE;
    if (type === NODE_256) {
      words[node + SLOTS_256 + byte] = child;
    } else if (type === NODE_48) {
      const position = countOf(head);
      setByteAt(words, node + BYTES, byte, position + 1);
      words[node + SLOTS_48 + position] = child;
    } else {
      putSorted(words, node, SLOTS[type]!, countOf(head), byte, child);
    }
  }

  /** Moves everything to a node of the next type. @returns It. */
  #grow(node: number, type: number): number {
    const { words } = this;
    const head = words[node]!;
    const larger = this.allocateNode(type + 1, head & ~TYPE_MASK, words[node + SAMPLE]!, words[node + END]!);
    if (type === NODE_4) {
      words[larger + BYTES] = words[node + BYTES]!;
      words.copyWithin(larger + SLOTS_16, node + SLOTS_4, node + SLOTS_4 + 4);
    } else if (type === NODE_16) {
      for (let i = 0; i < 16; i++) setByteAt(words, larger + BYTES, byteAt(words, node + BYTES, i), i + 1);
      words.copyWithin(larger + SLOTS_48, node + SLOTS_16, node + SLOTS_16 + 16);
    } else {
      for (let byte = 0; byte < 256; byte++) {
        const position = byteAt(words, node + BYTES, byte);
        if (position !== 0) words[larger + SLOTS_256 + byte] = words[node + SLOTS_48 - 1 + position]!;
      }
    }
    words[node] = this.#left[type]!;
    this.#left[type] = node;
    return larger;
  }
}

function newWords(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT));
}

/** For the few words of a small node a loop is faster than `fill`. */
function clear(words: Int32Array, start: number, end: number): void {
  if (end - start > NODE_WORDS[NODE_16]!) words.fill(0, start, end);
  else for (let word = start; word < end; word++) words[word] = 0;
}

function setByteAt(words: Int32Array, at: number, index: number, byte: number): void {
  const word = at + (index >>> 2);
  const shift = (index & 3) << 3;
  words[word] = (words[word]! & ~(0xff << shift)) | (byte << shift);
}

/** Inserts from the back, so that ascending bytes move nothing. */
function putSorted(words: Int32Array, node: number, slots: number, count: number, byte: number, child: number): void {
  let at = count;
  for (; at > 0; at--) {
    const before = byteAt(words, node + BYTES, at - 1);
    if (before < byte) break;
    setByteAt(words, node + BYTES, at, before);
    words[node + slots + at] = words[node + slots + at - 1]!;
  }
  setByteAt(words, node + BYTES, at, byte);
  words[node + slots + at] = child;
}
