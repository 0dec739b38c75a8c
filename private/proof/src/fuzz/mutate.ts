/** Changes to bytes that readers stumble over: lengths, counts and offsets at their edges, overlong varints, splices, cuts. */

import type { SampleSource } from '@kayadb/engine/testing';

/** Bound: longer inputs say nothing that these do not. */
const MAX_INPUT_BYTES = 4096;
const MAX_STEPS = 4;

/** Of two to eight bytes, little-endian; the last are above 2^53. */
const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  7n,
  8n,
  16n,
  31n,
  32n,
  64n,
  127n,
  128n,
  255n,
  256n,
  4095n,
  4096n,
  4097n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x1_0000n,
  2n ** 24n,
  2n ** 24n + 1n,
  2n ** 26n,
  2n ** 26n + 1n,
  2n ** 30n,
  2n ** 30n + 1n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 8n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 2n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];
const EDGE_BYTES = EDGES.map((edge) =>
  Uint8Array.from({ length: 8 }, (_, i) => Number((edge >> BigInt(8 * i)) & 0xffn)),
);
const VARINTS = [
  [0x00],
  [0x7f],
  [0x80, 0x00],
  [0x80, 0x01],
  [0x81, 0x00],
  [0xff, 0xff, 0x00],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
].map((bytes) => Uint8Array.from(bytes));
const TEXTS = [
  '0',
  '00',
  '-1',
  '1e3',
  '9007199254740991',
  '9007199254740992',
  '\n',
  ' ',
  '/',
  '..',
  'none',
  'MANIFEST-1',
  '"',
  '{',
].map((text) => new TextEncoder().encode(text));
const BYTES = [0x00, 0x01, 0x02, 0x03, 0x7f, 0x80, 0xfe, 0xff];

/**
 * A changed copy of `input`, never empty-handed: one to four changes.
 *
 * @param other - Where splices come from.
 */
export function mutate(random: SampleSource, input: Uint8Array, other: Uint8Array): Uint8Array {
  let bytes: Uint8Array = input.slice();
  let steps = 1;
  while (steps < MAX_STEPS && random.chance(0.4)) steps++;
  for (; steps > 0; steps--) bytes = change(random, bytes, other);
  return bytes.length > MAX_INPUT_BYTES ? bytes.slice(0, MAX_INPUT_BYTES) : bytes;
}

function change(random: SampleSource, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  if (bytes.length === 0) return other.slice();
  const at = random.int(bytes.length);
  switch (random.int(15)) {
    case 0:
      bytes[at] = random.int(256);
      return bytes;
    case 1:
      bytes[at] = BYTES[random.int(BYTES.length)]!;
      return bytes;
    case 2:
      bytes[at]! ^= 1 << random.int(8);
      return bytes;
    case 3:
      bytes[at] = bytes[at]! + (random.chance(0.5) ? 1 : -1) * (1 + random.int(8));
      return bytes;
    case 4:
    case 5:
      return overwrite(bytes, aligned(random, at), edgeNumber(random, bytes.length));
    case 6:
      return overwrite(bytes, at, VARINTS[random.int(VARINTS.length)]!);
    case 7:
      return splice(bytes, at, random.int(2), VARINTS[random.int(VARINTS.length)]!);
    case 8:
      return splice(bytes, at, shortLength(random), new Uint8Array(0));
    case 9:
      return splice(
        bytes,
        at,
        0,
        random.chance(0.5) ? random.bytes(shortLength(random)) : new Uint8Array(shortLength(random)),
      );
    case 10:
      return splice(bytes, random.int(bytes.length), 0, bytes.subarray(at, at + shortLength(random)));
    case 11:
      return overwrite(bytes, at, piece(random, other));
    case 12:
      return splice(
        bytes,
        at,
        bytes.length,
        other.subarray(random.chance(0.7) ? Math.min(at, other.length) : random.int(other.length + 1)),
      );
    case 13:
      return bytes.slice(0, random.chance(0.5) ? at : bytes.length - Math.min(bytes.length, shortLength(random)));
    default:
      return splice(bytes, at, random.int(4), TEXTS[random.int(TEXTS.length)]!);
  }
}

/** Fields lie at multiples of their size more often than not. */
function aligned(random: SampleSource, at: number): number {
  return random.chance(0.6) ? at & ~3 : at;
}

/** Two, four or eight bytes: an edge, or a number close to the length of the input. */
function edgeNumber(random: SampleSource, length: number): Uint8Array {
  const width = [2, 4, 4, 8][random.int(4)]!;
  if (random.chance(0.8)) return EDGE_BYTES[random.int(EDGE_BYTES.length)]!.subarray(0, width);
  const near = Math.max(0, length - 40 + random.int(48));
  return Uint8Array.from({ length: width }, (_, i) => (i < 4 ? near >>> (8 * i) : 0));
}

function shortLength(random: SampleSource): number {
  return 1 + random.int(random.chance(0.7) ? 8 : 64);
}

function piece(random: SampleSource, bytes: Uint8Array): Uint8Array {
  const at = random.int(bytes.length + 1);
  return bytes.subarray(at, at + shortLength(random));
}

function overwrite(bytes: Uint8Array, at: number, content: Uint8Array): Uint8Array {
  bytes.set(content.subarray(0, bytes.length - at), at);
  return bytes;
}

/** `bytes` with `removed` bytes at `at` replaced by `inserted`. */
function splice(bytes: Uint8Array, at: number, removed: number, inserted: Uint8Array): Uint8Array {
  const tail = bytes.subarray(Math.min(bytes.length, at + removed));
  const result = new Uint8Array(at + inserted.length + tail.length);
  result.set(bytes.subarray(0, at));
  result.set(inserted, at);
  result.set(tail, at + inserted.length);
  return result;
}
