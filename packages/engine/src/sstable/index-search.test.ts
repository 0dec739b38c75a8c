import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { probeKeys, randomEntries } from '../../test/support/random-entries.ts';
import { describeBytes, parseEntries } from '../testing/lsm-notation.ts';
import { BlockBuilder } from './block-builder.ts';
import { BlockReader } from './block-reader.ts';
import { IndexSearch } from './index-search.ts';

function indexOf(keys: readonly Uint8Array[]): BlockReader {
  const builder = new BlockBuilder();
  for (const key of keys) builder.add(key, 0, 1, new Uint8Array(16));
  return new BlockReader(builder.finish().slice(), '000001.sst', 64);
}

describe('IndexSearch', () => {
  test('finds the block that a search of the index block finds', () => {
    const random = seededRandom(testSeed());
    for (let round = 0; round < 100; round++) {
      const entries = randomEntries(random, { keyCount: 1 + random.int(40), maxVersions: 3, maxValueBytes: 0 });
      const index = indexOf(entries.map(({ key }) => key));
      const search = new IndexSearch(index);

      const wrong = probeKeys(random, entries).filter(
        (key) => search.firstAtOrAfter(key) !== index.seek(key, 0) || search.firstAfter(key) !== index.seek(key, -1),
      );

      expect(wrong.map(describeBytes)).toEqual([]);
    }
  });

  test('tells keys apart that agree in more bytes than a number holds', () => {
    const keys = parseEntries('p-aaaaaaa1#1,DEL p-aaaaaaa3#1,DEL p-aaaaaaa3#1,DEL p-aaaaaaa5#1,DEL q#1,DEL').map(
      ({ key }) => key,
    );
    const search = new IndexSearch(indexOf(keys));
    const at = (text: string): number => search.firstAtOrAfter(new TextEncoder().encode(text));

    expect(['p', 'p-aaaaaaa1', 'p-aaaaaaa2', 'p-aaaaaaa3', 'p-aaaaaaa4', 'p-b', 'q', 'r'].map(at)).toEqual([
      0, 0, 1, 1, 3, 4, 4, 5,
    ]);
    expect(search.firstAfter(keys[1]!)).toBe(3);
  });
});
