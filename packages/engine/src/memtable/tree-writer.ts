/**
 * Fills a radix tree (radix-tree.ts). A hot file; figures: docs/decisions/20261122-radix-tree-memtable.md.
 *
 * A descent follows the bytes that nodes branch on without looking at those between. The key it ends at, or any key below the last node with
 * skipped bytes, then says how far the new key really goes the same way: there it branches off.
 */

import { slotOf } from './art-children.ts';
import {
  CHUNK_SHIFT,
  DEPTH_SHIFT,
  END,
  NODE_4,
  OFFSET,
  OLDER,
  ROOT,
  SAMPLE,
  SEQUENCE_HIGH_AND_CHUNK,
  SEQUENCE_LOW,
} from './art-layout.ts';
import { ArtNodes } from './art-nodes.ts';
import type { MemtableMemory } from './memtable-memory.ts';
import { NO_VERSION, type RadixTree } from './radix-tree.ts';

const TWO_32 = 0x1_0000_0000;

export class TreeWriter {
  readonly #tree: RadixTree;
  readonly #nodes: ArtNodes;

  /** @param tree - Empty; filled by nobody else. */
  constructor(tree: RadixTree, memory: MemtableMemory | undefined) {
    this.#tree = tree;
    this.#nodes = new ArtNodes(memory);
  }

  /** Memory in use, in bytes. */
  get usedBytes(): number {
    return this.#nodes.usedBytes;
  }

  /**
   * Links in a version of the key `bytes[start, start + length)`; its encoded operation is at `offset` in `chunk`.
   * Requires: `sequence` is above those of all versions of this key.
   */
  insert(bytes: Uint8Array, start: number, length: number, chunk: number, offset: number, sequence: number): void {
    const words = this.#nodes.reserve();
    this.#tree.words = words;
    const version = this.#nodes.allocateVersion();
    words[version + OFFSET] = offset;
    words[version + SEQUENCE_LOW] = sequence | 0;
    words[version + OLDER] = NO_VERSION;
    words[version + SEQUENCE_HIGH_AND_CHUNK] = Math.floor(sequence / TWO_32) | (chunk << CHUNK_SHIFT);
    this.#link(words, version, bytes, start, length);
  }

  #link(words: Int32Array, version: number, bytes: Uint8Array, start: number, length: number): void {
    let slot = ROOT;
    let at = words[ROOT]!;
    /** The last node on the way that skips bytes. */
    let skipping = 0;
    let depth = -1;
    while (at > 0) {
      const head = words[at]!;
      const above = depth;
      depth = head >>> DEPTH_SHIFT;
      if (depth !== above + 1) skipping = at;
      if (depth > length) break;
      const next = depth === length ? at + END : slotOf(words, at, head, bytes[start + depth]!);
      const child = words[next]!;
      if (child === 0) {
        this.#linkMissing(words, version, bytes, start, length, slot, skipping);
        return;
      }
      slot = next;
      at = child;
    }
    if (at === 0) {
      words[ROOT] = -version;
      this.#tree.changes++;
      return;
    }
    const other = at < 0 ? -at : words[at + SAMPLE]!;
    const common = this.#tree.commonBytes(other, bytes, start, length);
    if (at < 0 && common === length && this.#tree.keyBytes(other) === length) {
      words[version + OLDER] = other;
      words[slot] = -version;
    } else {
      // Most keys branch off below the last node on the way.
      const from = at < 0 && common > depth ? slot : ROOT;
      this.#branch(words, version, bytes, start, length, common, from);
    }
  }

  /** The node that `slot` refers to has nothing for the key, if the key has the bytes skipped down to `skipping`. */
  #linkMissing(
    words: Int32Array,
    version: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    slot: number,
    skipping: number,
  ): void {
    if (skipping !== 0) {
      const depth = words[skipping]! >>> DEPTH_SHIFT;
      const common = this.#tree.commonBytes(words[skipping + SAMPLE]!, bytes, start, depth);
      if (common < depth) {
        this.#branch(words, version, bytes, start, length, common, ROOT);
        return;
      }
    }
    const node = words[slot]!;
    const depth = words[node]! >>> DEPTH_SHIFT;
    if (depth === length) words[node + END] = -version;
    else this.#nodes.addChild(slot, bytes[start + depth]!, -version);
    this.#tree.changes++;
  }

  /** Puts a new node at `depth`, the first byte in which the key differs from all that lie below there; the place is sought from `from` on. */
  #branch(
    words: Int32Array,
    version: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    depth: number,
    from: number,
  ): void {
    let slot = from;
    let at = words[slot]!;
    for (;;) {
      if (at < 0) break;
      const head = words[at]!;
      if (head >>> DEPTH_SHIFT > depth) break;
      slot = slotOf(words, at, head, bytes[start + (head >>> DEPTH_SHIFT)]!);
      at = words[slot]!;
    }
    const other = at < 0 ? -at : words[at + SAMPLE]!;
    const node = this.#nodes.allocateNode(NODE_4, depth << DEPTH_SHIFT, other, 0);
    if (at < 0 && this.#tree.keyBytes(other) === depth) words[node + END] = at;
    else this.#nodes.putChild(node, NODE_4, this.#tree.keyByte(other, depth), at);
    if (length === depth) words[node + END] = -version;
    else this.#nodes.putChild(node, NODE_4, bytes[start + depth]!, -version);
    words[slot] = node;
    this.#tree.changes++;
  }
}
