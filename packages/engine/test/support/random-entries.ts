/** Sorted entries that are hard on a table: shared prefixes, binary keys, keys that extend each other, many versions. */

import type { SeededRandom } from '@kayadb/testkit';

import { compareEntries, DELETE_KIND, type Entry, PUT_KIND } from '../../src/key/internal-key.ts';

export interface RandomEntriesOptions {
  readonly keyCount: number;
  readonly maxVersions: number;
  readonly maxValueBytes: number;
}

/** A user key, often one of few, often close to another. */
export function randomKey(random: SeededRandom): Uint8Array {
  const letters = random.pick([
    [0x00, 0xff],
    [0x00, 0x01, 0x7f, 0x80, 0xff],
    [0x61, 0x62, 0x63],
  ]);
  const prefix = random.pick(['', '', 'user:', 'a-long-shared-prefix/']);
  const suffix = Array.from({ length: random.int(7) + (prefix === '' ? 1 : 0) }, () => random.pick(letters));
  return Uint8Array.from([...new TextEncoder().encode(prefix), ...suffix]);
}

/** Entries in order, without two for the same key and sequence number; every sequence number is used once. */
export function randomEntries(random: SeededRandom, options: RandomEntriesOptions): Entry[] {
  const entries: Entry[] = [];
  const seen = new Set<string>();
  const firstSequence = random.pick([1, 2 ** 32 - 5, 2 ** 52]);
  for (let k = 0; k < options.keyCount; k++) {
    const key = randomKey(random);
    const name = key.join(',');
    if (seen.has(name)) continue;
    seen.add(name);
    const versions = 1 + random.int(options.maxVersions);
    for (let v = 0; v < versions; v++) {
      const isDelete = random.chance(0.2);
      const value = isDelete ? new Uint8Array(0) : random.bytes(random.int(options.maxValueBytes + 1));
      entries.push({ key, sequence: 0, kind: isDelete ? DELETE_KIND : PUT_KIND, value });
    }
  }
  const sequences = random.shuffle(entries.map((_, i) => firstSequence + i));
  return entries.map((entry, i) => ({ ...entry, sequence: sequences[i]! })).toSorted(compareEntries);
}

/** Keys worth asking for: those there are, and close neighbours that may not be. */
export function probeKeys(random: SeededRandom, entries: readonly Entry[]): Uint8Array[] {
  const keys: Uint8Array[] = [Uint8Array.of(0), Uint8Array.of(0xff, 0xff, 0xff)];
  for (const { key } of entries) {
    keys.push(key, Uint8Array.from([...key, 0]), Uint8Array.from([...key, 0xff]), randomKey(random));
    if (key.length > 1) keys.push(key.subarray(0, key.length - 1));
    const bumped = key.slice();
    bumped[bumped.length - 1]!++;
    keys.push(bumped);
  }
  return keys;
}
