import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { randomEntries } from '../../test/support/random-entries.ts';
import { DELETE_KIND, PUT_KIND } from '../key/internal-key.ts';
import { describeEntry, parseEntries, parseEntry } from './lsm-notation.ts';

describe('the notation of entries', () => {
  test('reads puts and deletes', () => {
    expect(parseEntries('b#11,SET:foo\n  b#9,DEL')).toEqual([
      { key: Uint8Array.of(0x62), sequence: 11, kind: PUT_KIND, value: Uint8Array.of(0x66, 0x6f, 0x6f) },
      { key: Uint8Array.of(0x62), sequence: 9, kind: DELETE_KIND, value: new Uint8Array(0) },
    ]);
    expect(parseEntry('\\x00\\xff#1,SET:').key).toEqual(Uint8Array.of(0, 0xff));
  });

  test('reads back whatever it wrote', () => {
    for (const entry of randomEntries(seededRandom(testSeed()), { keyCount: 200, maxVersions: 2, maxValueBytes: 20 })) {
      expect(parseEntry(describeEntry(entry))).toEqual(entry);
    }
  });

  test.each(['b', 'b#x,SET:1', 'b#1,PUT:1', 'b#1,DEL:x', '#1,DEL'])('does not read %s', (text) => {
    expect(() => parseEntry(text)).toThrow(SyntaxError);
  });
});
