import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { manifestFileName, parseFileName, tableFileName, walFileName } from './file-names.ts';

describe('file names', () => {
  test.each([
    ['000012.wal', { kind: 'wal', fileNumber: 12 }],
    ['000015.sst', { kind: 'table', fileNumber: 15 }],
    ['1234567.sst', { kind: 'table', fileNumber: 1_234_567 }],
    ['MANIFEST-000007', { kind: 'manifest', fileNumber: 7 }],
    ['CURRENT', { kind: 'current' }],
    ['RESERVE', { kind: 'reserve' }],
    ['RESERVE.tmp', { kind: 'temporary' }],
    ['MANIFEST-000007.damaged', { kind: 'unknown' }],
    ['LOCK', { kind: 'lock' }],
    ['LOCK.takeover-5f', { kind: 'lock' }],
    ['LOCK.5f.tmp', { kind: 'lock' }],
    ['CURRENT.tmp', { kind: 'temporary' }],
    ['000015.sst.tmp', { kind: 'temporary' }],
  ])('reads %s', (name, expected) => {
    expect(parseFileName(name)).toEqual(expected);
  });

  test.each([
    '',
    '12.wal',
    '0000012.wal',
    '000000.wal',
    '000012.WAL',
    '+00012.wal',
    ' 000012.wal',
    '000012.wal\n',
    '000012.log',
    'MANIFEST-7',
    'MANIFEST-000007 ',
    'manifest-000007',
    '9007199254740992.sst',
    '99999999999999999999.sst',
    'current',
    'CURRENT.bak',
    'LOCKED',
    '../000012.wal',
  ])('does not understand %j', (name) => {
    expect(parseFileName(name)).toEqual({ kind: 'unknown' });
  });

  test('reads back every number it formats', () => {
    const fileNumbers = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

    fc.assert(
      fc.property(fileNumbers, (fileNumber) => {
        expect(parseFileName(walFileName(fileNumber))).toEqual({ kind: 'wal', fileNumber });
        expect(parseFileName(tableFileName(fileNumber))).toEqual({ kind: 'table', fileNumber });
        expect(parseFileName(manifestFileName(fileNumber))).toEqual({ kind: 'manifest', fileNumber });
      }),
    );
  });

  test('answers for any string, and takes a number only from the spelling it writes itself', () => {
    const digits = fc.stringMatching(/^\d{1,18}$/);
    const names = fc.oneof(
      fc.string(),
      digits.map((text) => `${text}.wal`),
      digits.map((text) => `MANIFEST-${text}`),
    );
    const formats = { wal: walFileName, table: tableFileName, manifest: manifestFileName };

    fc.assert(
      fc.property(names, (name) => {
        const parsed = parseFileName(name);
        const spelled = 'fileNumber' in parsed ? formats[parsed.kind](parsed.fileNumber) : name;
        expect(spelled).toBe(name);
      }),
    );
  });
});
