/** Keys, values and entries for samples: short, alike, and now and then at an edge. */

import { compareBytes, EMPTY_BYTES } from '@kayadb/codec';

import { compareEntries, DELETE_KIND, type Entry, PUT_KIND } from '../../key/internal-key.ts';
import type { RangeDelete } from '../../range-delete/range-delete.ts';
import type { SampleSource } from './decoder.ts';

const EDGES = [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
const PREFIXES = [[], [0x61], [0x61, 0x62, 0x63, 0x64, 0x65], [0xff]];

/** Below 2^53. */
export function sampleNumber(random: SampleSource): number {
  return random.chance(0.3) ? EDGES[random.int(EDGES.length)]! : random.int(1000);
}

/** Sequence numbers that leave room for `count` more. */
export function sampleSequence(random: SampleSource, count: number): number {
  return Math.max(1, Math.min(sampleNumber(random), Number.MAX_SAFE_INTEGER - count));
}

/** 1 to 11 bytes, often close to another. */
export function sampleKey(random: SampleSource): Uint8Array {
  const tail = Array.from({ length: 1 + random.int(6) }, () =>
    random.chance(0.8) ? 0x61 + random.int(3) : random.int(256),
  );
  return Uint8Array.from([...PREFIXES[random.int(PREFIXES.length)]!, ...tail]);
}

export function sampleValue(random: SampleSource): Uint8Array {
  return random.chance(0.1) ? new Uint8Array(random.int(200)).fill(0x78) : random.bytes(random.int(20));
}

/** At least one, in order, each sequence number once. */
export function sampleEntries(random: SampleSource, most: number): Entry[] {
  const count = 1 + random.int(most);
  const first = sampleSequence(random, count);
  const keys = Array.from({ length: count }, () => sampleKey(random));
  return keys
    .map((key, i): Entry => {
      const sameKey = i > 0 && random.chance(0.2) ? keys[i - 1]! : key;
      const isDelete = random.chance(0.2);
      return {
        key: sameKey,
        sequence: first + i,
        kind: isDelete ? DELETE_KIND : PUT_KIND,
        value: isDelete ? EMPTY_BYTES : sampleValue(random),
      };
    })
    .toSorted(compareEntries);
}

export function sampleRangeDelete(random: SampleSource): RangeDelete {
  const [a, b] = sampleSpan(random);
  return { sequence: sampleSequence(random, 0), start: a, end: random.chance(0.2) ? undefined : b };
}

/** Two different keys in order. */
export function sampleSpan(random: SampleSource): readonly [Uint8Array, Uint8Array] {
  const a = sampleKey(random);
  const b = sampleKey(random);
  const order = compareBytes(a, b);
  if (order === 0) return [a, Uint8Array.from([...a, 0])];
  return order < 0 ? [a, b] : [b, a];
}
