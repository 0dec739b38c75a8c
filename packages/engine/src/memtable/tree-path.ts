/**
 * A place among the keys of a radix tree (radix-tree.ts): the nodes on the way from the root, and in each the byte taken.
 *
 * Invariant: a key stays where it is, its nodes do not. So whenever keys have come since the last move, the way to the present key is
 * sought anew before the next one, and a walk neither skips nor repeats keys that were there when it began.
 */

import { childAt, placeAfter, placeBefore, placeBeside, placeOf, slotOf } from './art-children.ts';
import { AT_END, BEFORE_ALL, BEHIND_ALL, DEPTH_SHIFT, END, ROOT, SAMPLE } from './art-layout.ts';
import { NO_VERSION, type RadixTree } from './radix-tree.ts';

const INITIAL_DEPTH = 16;

export class TreePath {
  /** The newest version of the key it stands on; NO_VERSION before the first move and after the end. */
  version: number = NO_VERSION;
  readonly #tree: RadixTree;
  #nodes = new Int32Array(INITIAL_DEPTH);
  #places = new Int32Array(INITIAL_DEPTH);
  #depth = 0;
  #changes = 0;

  constructor(tree: RadixTree) {
    this.#tree = tree;
  }

  /** Goes to the first key, or the last. */
  seekToEdge(forward: boolean): void {
    this.#start();
    this.#descend(this.#tree.words[ROOT]!, forward);
  }

  /** Goes to the first key at or behind `key`, or to the last one at or before it. */
  seek(key: Uint8Array, forward: boolean): void {
    this.#start();
    const { words } = this.#tree;
    if (words[ROOT] === 0) {
      this.version = NO_VERSION;
      return;
    }
    const { length } = key;
    const like = this.#findLike(words, key);
    const common = this.#tree.commonBytes(like, key, 0, length);
    let at = words[ROOT]!;
    while (at > 0 && words[at]! >>> DEPTH_SHIFT < common) {
      at = this.#step(words, at, placeOf(words, at, key[words[at]! >>> DEPTH_SHIFT]!));
    }
    const likeEnds = this.#tree.keyBytes(like) === common;
    if (at > 0 && words[at]! >>> DEPTH_SHIFT === common) {
      if (length > common) this.#enter(words, at, placeBeside(words, at, key[common]!, forward), forward);
      else if (words[at + END] !== 0) this.#enter(words, at, AT_END, forward);
      else this.#enter(words, at, forward ? placeAfter(words, at, AT_END) : BEFORE_ALL, forward);
    } else if (likeEnds && length === common) {
      this.version = -at;
    } else {
      const isBehindKey = length === common || (!likeEnds && this.#tree.keyByte(like, common) > key[common]!);
      if (isBehindKey === forward) this.#descend(at, forward);
      else this.#climb(words, forward);
    }
  }

  /** Goes on to the next key in this direction. Requires: it stands on one. */
  move(forward: boolean): void {
    if (this.#changes !== this.#tree.changes) this.seek(this.#tree.key(this.version), forward);
    this.#climb(this.#tree.words, forward);
  }

  #start(): void {
    this.#depth = 0;
    this.#changes = this.#tree.changes;
  }

  /** Some key that has as many bytes in common with `key` as any in the tree. Requires: the tree has keys. */
  #findLike(words: Int32Array, key: Uint8Array): number {
    let at = words[ROOT]!;
    while (at > 0) {
      const head = words[at]!;
      const depth = head >>> DEPTH_SHIFT;
      const slot = depth < key.length ? slotOf(words, at, head, key[depth]!) : depth === key.length ? at + END : 0;
      const child = words[slot]!;
      if (child === 0) return words[at + SAMPLE]!;
      at = child;
    }
    return -at;
  }

  /** Takes the way by `place` in `node`. @returns What it leads to. */
  #step(words: Int32Array, node: number, place: number): number {
    if (this.#depth === this.#nodes.length) this.#grow();
    this.#nodes[this.#depth] = node;
    this.#places[this.#depth++] = place;
    return childAt(words, node, place);
  }

  /** To the first, or the last, key below `at`. */
  #descend(from: number, forward: boolean): void {
    const { words } = this.#tree;
    let at = from;
    while (at > 0) {
      at = this.#step(words, at, forward ? placeAfter(words, at, BEFORE_ALL) : placeBefore(words, at, BEHIND_ALL));
    }
    this.version = -at;
  }

  /** To the first key, or the last, below `place` in `node`; past the node if `place` is past its children. */
  #enter(words: Int32Array, node: number, place: number, forward: boolean): void {
    if (place === BEHIND_ALL || place === BEFORE_ALL) this.#climb(words, forward);
    else this.#descend(this.#step(words, node, place), forward);
  }

  /** From the last node up to the first with something more in this direction, and down there. */
  #climb(words: Int32Array, forward: boolean): void {
    while (this.#depth > 0) {
      const node = this.#nodes[this.#depth - 1]!;
      const place = this.#places[this.#depth - 1]!;
      const next = forward ? placeAfter(words, node, place) : placeBefore(words, node, place);
      if (next !== BEHIND_ALL && next !== BEFORE_ALL) {
        this.#places[this.#depth - 1] = next;
        this.#descend(childAt(words, node, next), forward);
        return;
      }
      this.#depth--;
    }
    this.version = NO_VERSION;
  }

  #grow(): void {
    const nodes = new Int32Array(this.#nodes.length * 2);
    const places = new Int32Array(this.#places.length * 2);
    nodes.set(this.#nodes);
    places.set(this.#places);
    this.#nodes = nodes;
    this.#places = places;
  }
}
