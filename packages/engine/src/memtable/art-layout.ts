/**
 * How an adaptive radix tree lies in 32-bit words (Leis, Kemper, Neumann, "The Adaptive Radix Tree", ICDE 2013).
 *
 * Reference, in a slot: 0 is nothing, a positive number the word at which an inner node starts, a negative one minus the word at which the
 * newest version of a key starts. Inner nodes branch on one byte of the key, `depth` bytes into it. Bytes that all keys below
 * a node share are skipped and stored nowhere: any key below says what they are ("optimistic" path compression).
 *
 *   version   offset in the chunk | sequence, low word | sequence, high 21 bits, and chunk << 21 | older version or 0
 *   node      type, count << 2 and depth << 11 | some version of a key below | end: the key of exactly `depth` bytes | ...
 *     of 4    4 bytes ascending, the first lowest | 4 slots
 *     of 16   16 bytes ascending | 16 slots
 *     of 48   256 bytes, each 0 or 1 + position of its slot | 48 slots in the order of their coming
 *     of 256  256 slots
 */

export const NODE_4 = 0;
export const NODE_16 = 1;
export const NODE_48 = 2;
export const NODE_256 = 3;

export const TYPE_MASK = 3;
export const COUNT_ONE: number = 1 << 2;
const COUNT_SHIFT = 2;
const COUNT_MASK = 0x1ff;
export const DEPTH_SHIFT = 11;

/** Word offsets in a node. */
export const SAMPLE = 1;
export const END = 2;
const HEAD_WORDS = 3;
export const BYTES: number = HEAD_WORDS;
export const SLOTS_4: number = BYTES + 1;
export const SLOTS_16: number = BYTES + 4;
export const SLOTS_48: number = BYTES + 64;
export const SLOTS_256: number = HEAD_WORDS;

/** Whole 16-byte units, so that a version never lies across two cache lines. */
export const NODE_WORDS: readonly number[] = [8, 24, 116, 260];

/** Word offsets in a version. */
export const OFFSET = 0;
export const SEQUENCE_LOW = 1;
export const SEQUENCE_HIGH_AND_CHUNK = 2;
export const OLDER = 3;
export const VERSION_WORDS = 4;
export const CHUNK_SHIFT = 21;
export const SEQUENCE_HIGH_MASK: number = (1 << CHUNK_SHIFT) - 1;
/** Bound: what a version has bits for. */
export const MAX_CHUNKS: number = 1 << (32 - CHUNK_SHIFT);

/** The slot of the whole tree. */
export const ROOT = 1;
export const FIRST_FREE = 4;

/** What a cursor stands on in a node beside a byte: its end, and the places before and behind everything. */
export const AT_END = -1;
export const BEFORE_ALL = -2;
export const BEHIND_ALL = 256;

export function countOf(head: number): number {
  return (head >>> COUNT_SHIFT) & COUNT_MASK;
}
