/**
 * Looking for children in the nodes of an adaptive radix tree: by byte, and the next one in either direction.
 * Words and their layout: art-layout.ts. Four bytes are compared at once as in "Bit Twiddling Hacks" (haszero); a hot file.
 */

import {
  AT_END,
  BEFORE_ALL,
  BEHIND_ALL,
  BYTES,
  countOf,
  END,
  NODE_16,
  NODE_4,
  NODE_48,
  SLOTS_16,
  SLOTS_256,
  SLOTS_4,
  SLOTS_48,
  TYPE_MASK,
} from './art-layout.ts';

/** Byte `index` of those that lie packed from word `at` on. */
export function byteAt(words: Int32Array, at: number, index: number): number {
  return (words[at + (index >>> 2)]! >>> ((index & 3) << 3)) & 0xff;
}

/** The slot of the child for `byte`, or 0 if there is none. `head` is the first word of `node`. */
export function slotOf(words: Int32Array, node: number, head: number, byte: number): number {
  switch (head & TYPE_MASK) {
    case NODE_4: {
      // Bytes that are not in use are 0, and so are their slots: a match there is none.
      const found = matches(words[node + BYTES]!, Math.imul(byte, 0x01010101));
      return found === 0 ? 0 : node + SLOTS_4 + lowest(found);
    }
    case NODE_16:
      return slotOf16(words, node, Math.imul(byte, 0x01010101));
    case NODE_48: {
      const position = byteAt(words, node + BYTES, byte);
      return position === 0 ? 0 : node + SLOTS_48 - 1 + position;
    }
    default:
      return node + SLOTS_256 + byte;
  }
}

function slotOf16(words: Int32Array, node: number, pattern: number): number {
  for (let word = 0; word < 4; word++) {
    const found = matches(words[node + BYTES + word]!, pattern);
    if (found !== 0) return node + SLOTS_16 + (word << 2) + lowest(found);
  }
  return 0;
}

/** The high bit of each byte that is equal in both; bits above the lowest of them may be wrong. */
function matches(word: number, pattern: number): number {
  const difference = word ^ pattern;
  return (difference - 0x01010101) & ~difference & 0x80808080;
}

function lowest(found: number): number {
  return (31 - Math.clz32(found & -found)) >>> 3;
}

/**
 * What `place` in `node` refers to. Places are what a walk counts in: AT_END, then positions in nodes of 4 and 16, whose bytes are
 * sorted, and bytes in larger ones. They hold until the node changes.
 */
export function childAt(words: Int32Array, node: number, place: number): number {
  if (place === AT_END) return words[node + END]!;
  switch (words[node]! & TYPE_MASK) {
    case NODE_4:
      return words[node + SLOTS_4 + place]!;
    case NODE_16:
      return words[node + SLOTS_16 + place]!;
    case NODE_48:
      return words[node + SLOTS_48 - 1 + byteAt(words, node + BYTES, place)]!;
    default:
      return words[node + SLOTS_256 + place]!;
  }
}

/** The place of the child for `byte`. Requires: there is one. */
export function placeOf(words: Int32Array, node: number, byte: number): number {
  const head = words[node]!;
  const type = head & TYPE_MASK;
  if (type === NODE_4) return slotOf(words, node, head, byte) - node - SLOTS_4;
  return type === NODE_16 ? slotOf(words, node, head, byte) - node - SLOTS_16 : byte;
}

/** The first place for a byte after `byte`, or the last one before it, as placeAfter and placeBefore. Requires: `byte` has no child. */
export function placeBeside(words: Int32Array, node: number, byte: number, forward: boolean): number {
  const head = words[node]!;
  let between = byte;
  if ((head & TYPE_MASK) <= NODE_16) {
    const count = countOf(head);
    between = 0;
    while (between < count && byteAt(words, node + BYTES, between) < byte) between++;
    if (forward) between--;
  }
  return forward ? placeAfter(words, node, between) : placeBefore(words, node, between);
}

/** The first place behind `place` that has a child; BEHIND_ALL if none has. */
export function placeAfter(words: Int32Array, node: number, place: number): number {
  if (place === BEFORE_ALL && words[node + END] !== 0) return AT_END;
  const head = words[node]!;
  const from = place < 0 ? 0 : place + 1;
  const type = head & TYPE_MASK;
  if (type <= NODE_16) return from < countOf(head) ? from : BEHIND_ALL;
  for (let byte = from; byte < 256; byte++) if (hasChild(words, node, type, byte)) return byte;
  return BEHIND_ALL;
}

/** The last place before `place` that has a child; BEFORE_ALL if none has. */
export function placeBefore(words: Int32Array, node: number, place: number): number {
  const head = words[node]!;
  const type = head & TYPE_MASK;
  if (type <= NODE_16) {
    const count = countOf(head);
    const before = (place < count ? place : count) - 1;
    if (before >= 0) return before;
  } else {
    for (let byte = place - 1; byte >= 0; byte--) if (hasChild(words, node, type, byte)) return byte;
  }
  return place > AT_END && words[node + END] !== 0 ? AT_END : BEFORE_ALL;
}

/** Of a node of 48 or 256. */
function hasChild(words: Int32Array, node: number, type: number, byte: number): boolean {
  return type === NODE_48 ? byteAt(words, node + BYTES, byte) !== 0 : words[node + SLOTS_256 + byte] !== 0;
}
