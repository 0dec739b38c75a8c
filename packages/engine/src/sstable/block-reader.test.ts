import { assert, compareBytes, equalBytes } from '@kayadb/codec';
import { type SeededRandom, seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { probeKeys, randomEntries } from '../../test/support/random-entries.ts';
import { CorruptionError } from '../errors.ts';
import type { Entry } from '../key/internal-key.ts';
import { describeBytes, describeEntry, parseEntries } from '../testing/lsm-notation.ts';
import { BlockBuilder } from './block-builder.ts';
import { BlockReader } from './block-reader.ts';

function buildBlock(entries: readonly Entry[]): Uint8Array {
  const builder = new BlockBuilder();
  for (const { key, sequence, kind, value } of entries) builder.add(key, sequence, kind, value);
  return builder.finish().slice();
}

function openBlock(entries: readonly Entry[]): BlockReader {
  return new BlockReader(buildBlock(entries), '000001.sst', 64);
}

function naiveSeek(entries: readonly Entry[], key: Uint8Array, sequence: number): number {
  const found = entries.findIndex((entry) => {
    const order = compareBytes(entry.key, key);
    return order > 0 || (order === 0 && entry.sequence <= sequence);
  });
  return found === -1 ? entries.length : found;
}

describe('BlockReader', () => {
  test('lays a block out byte for byte as the format page says', () => {
    const block = buildBlock(parseEntries('ab#7,SET:v ab#5,DEL abc#9,SET:'));

    expect(Buffer.from(block).toString('hex')).toBe(
      [
        '03000000 02000000 0500000000000000', // Count, prefix bytes, base sequence.
        '00000000 00000000 00000063', // Heads, the first key byte most significant.
        '02000000 00000000 04000000', // Deltas.
        '34000000 3f000000 49000000', // Offsets.
        '01000000 0200 01 00 6162 76', // ab#7,SET:v
        '00000000 0200 02 00 6162', // ab#5,DEL
        '00000000 0300 01 00 616263', // abc#9,SET:
      ]
        .join('')
        .replaceAll(' ', ''),
    );
  });

  test('gives back the entries it was built from', () => {
    const random = seededRandom(testSeed());
    for (let round = 0; round < 200; round++) {
      const entries = randomEntries(random, { keyCount: 1 + random.int(40), maxVersions: 4, maxValueBytes: 40 });

      const block = openBlock(entries);

      const read = Array.from({ length: block.count }, (_, i) => describeEntry(block.entry(i)));
      expect(read).toEqual(entries.map(describeEntry));
      expect(block.findDisagreement()).toBeUndefined();
    }
  });

  test('seeks and finds where a search through a plain array does', () => {
    const random = seededRandom(testSeed());
    for (let round = 0; round < 100; round++) {
      const entries = randomEntries(random, { keyCount: 1 + random.int(40), maxVersions: 5, maxValueBytes: 3 });
      const block = openBlock(entries);

      const wrong: string[] = [];
      for (const key of probeKeys(random, entries)) {
        for (const sequence of [Infinity, random.pick(entries).sequence, random.pick(entries).sequence - 1, 0, -1]) {
          const position = block.seek(key, sequence);
          const expected = naiveSeek(entries, key, sequence);
          const isThere = expected < entries.length && equalBytes(entries[expected]!.key, key);
          const isFound = position < block.count && block.keyEquals(position, key);
          const found = block.find(key, sequence);
          const isNext = expected === entries.length && equalBytes(entries.at(-1)!.key, key);
          const isRight = found === (isThere ? expected : isNext ? entries.length : -1);
          if (position !== expected || isFound !== isThere || !isRight) wrong.push(`${describeBytes(key)}#${sequence}`);
        }
      }
      expect(wrong).toEqual([]);
    }
  });

  test('finds a version among thousands of one key', () => {
    const entries = Array.from({ length: 5000 }, (_, i) => `k#${10_000 - 2 * i},SET:${i}`);
    const block = openBlock(parseEntries(`a#1,SET:x ${entries.join(' ')} z#1,SET:y`));
    const key = Uint8Array.of(0x6b);

    expect(block.seek(key, Infinity)).toBe(1);
    expect(block.sequence(block.seek(key, 7777))).toBe(7776);
    expect(block.seek(key, 1)).toBe(5001);
    expect(block.seek(key, -1)).toBe(5001);
  });

  test('is refused, or answers within bounds, whatever its bytes are', () => {
    const random = seededRandom(testSeed());
    const sound = Array.from({ length: 100 }, () =>
      buildBlock(randomEntries(random, { keyCount: 1 + random.int(4), maxVersions: 2, maxValueBytes: 4 })),
    );
    let refused = 0;
    for (let round = 0; round < 20_000; round++) {
      const bytes = mutate(random, sound);
      try {
        const block = new BlockReader(bytes, '000001.sst', 64);
        for (let i = 0; i < block.count; i++) describeEntry(block.entry(i));
        block.findDisagreement();
        const position = block.seek(random.bytes(random.int(6)), random.int(20));
        assert(position >= 0 && position <= block.count, `seek gave ${position} in ${bytes.join(' ')}`);
      } catch (error) {
        if (!(error instanceof CorruptionError && error.offset === 64)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(10_000);
  });

  test.each([
    ['no entries', (bytes: Uint8Array) => bytes.fill(0, 0, 4), /cannot have 0 entries/],
    ['too many entries', (bytes: Uint8Array) => bytes.fill(0xff, 0, 4), /cannot have 4294967295 entries/],
    ['too long a prefix', (bytes: Uint8Array) => bytes.fill(9, 4, 5), /shorter than the shared prefix/],
    ['a base of 2^53', (bytes: Uint8Array) => bytes.fill(0x20, 14, 15), /not below 2\^53/],
    ['an offset into another entry', (bytes: Uint8Array) => bytes.fill(41, 32, 33), /not where it belongs/],
    ['an unknown kind', (bytes: Uint8Array) => bytes.fill(3, 46, 47), /no known kind/],
    ['a delete with a value', (bytes: Uint8Array) => bytes.fill(2, 46, 47), /no known kind/],
    ['a reserved byte', (bytes: Uint8Array) => bytes.fill(1, 47, 48), /reserved/],
    ['a huge value', (bytes: Uint8Array) => bytes.fill(2, 43, 44), /value of 33554433 bytes/],
    ['an empty key', (bytes: Uint8Array) => bytes.fill(0, 44, 45), /key of 0 bytes/],
    ['bytes left over', (bytes: Uint8Array) => Uint8Array.from([...bytes, 0]), /end at byte 60 of 61/],
  ])('refuses a block with %s', (_name, damage, message) => {
    const block = buildBlock(parseEntries('a#7,SET:v b#5,SET:w'));
    expect(block.length).toBe(60);

    expect(() => new BlockReader(damage(block), '000001.sst', 64)).toThrow(message);
  });

  test('notices heads, prefix and base that disagree with the entries', () => {
    const damaged = (at: number, byte: number): string | undefined => {
      const block = buildBlock(parseEntries('aa#7,SET:v ab#5,SET:w'));
      block[at] = byte;
      return new BlockReader(block, '000001.sst', 64).findDisagreement();
    };

    expect(damaged(19, 0x7a)).toMatch(/head of entry 0/);
    expect(damaged(4, 2)).toMatch(/shared prefix|head/);
    expect(damaged(8, 4)).toBe(undefined);
    expect(damaged(28, 1)).toMatch(/base/);
  });
});

/** A sound block with a few bytes changed, perhaps cut short; or noise. */
function mutate(random: SeededRandom, sound: readonly Uint8Array[]): Uint8Array {
  if (random.chance(0.1)) return random.bytes(random.int(80));
  const bytes = random.pick(sound).slice();
  for (let i = 0; i <= random.int(2); i++) bytes[random.int(bytes.length)] = random.int(256);
  return random.chance(0.1) ? bytes.slice(0, random.int(bytes.length)) : bytes;
}
