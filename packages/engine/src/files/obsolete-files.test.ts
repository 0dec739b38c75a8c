import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { manifestFileName, tableFileName, walFileName } from './file-names.ts';
import { type FilesInUse, pickObsoleteFiles } from './obsolete-files.ts';

const inUse: FilesInUse = { tables: new Set([3, 8]), manifestNumber: 7, oldestSegment: 9, nextFileNumber: 12 };

describe('pickObsoleteFiles', () => {
  test.each([
    ['a table that no version names', '000004.sst', true],
    ['a table in use', '000008.sst', false],
    ['a table that appeared after the caller looked', '000012.sst', false],
    ['an older segment', '000006.wal', true],
    ['the oldest segment needed', '000009.wal', false],
    ['a newer segment', '000011.wal', false],
    ['an older manifest', 'MANIFEST-000002', true],
    ['the manifest in force', 'MANIFEST-000007', false],
    ['a manifest that never came into force', 'MANIFEST-000010', true],
    ['a manifest being made', 'MANIFEST-000012', false],
    ['a temporary file', 'CURRENT.tmp', true],
    ['CURRENT', 'CURRENT', false],
    ['LOCK', 'LOCK', false],
    ['RESERVE', 'RESERVE', false],
    ['damaged bytes that a scrub kept', 'MANIFEST-000001.damaged', false],
    ['a lock being taken over', 'LOCK.takeover-1', false],
    ['a lock being made', 'LOCK.1.tmp', false],
    ['a name not understood', 'notes.txt', false],
    ['a number spelled differently', '4.sst', false],
  ])('judges %s', (_, name, obsolete) => {
    expect(pickObsoleteFiles([name], inUse)).toEqual(obsolete ? [name] : []);
  });

  test('never picks what is in use, and agrees with its naive twin', () => {
    const numbers = fc.integer({ min: 1, max: 30 });
    const use = fc.record({
      tables: fc.array(numbers).map((list) => new Set(list)),
      manifestNumber: numbers,
      oldestSegment: numbers,
      nextFileNumber: numbers,
    });

    fc.assert(
      fc.property(use, ({ tables, manifestNumber, oldestSegment, nextFileNumber }) => {
        const names: string[] = [];
        const expected: string[] = [];
        for (let number = 1; number < 30; number++) {
          names.push(walFileName(number), tableFileName(number), manifestFileName(number));
          if (number >= nextFileNumber) continue;
          if (number < oldestSegment) expected.push(walFileName(number));
          if (!tables.has(number)) expected.push(tableFileName(number));
          if (number !== manifestNumber) expected.push(manifestFileName(number));
        }
        expect(pickObsoleteFiles(names, { tables, manifestNumber, oldestSegment, nextFileNumber })).toEqual(expected);
      }),
    );
  });
});
