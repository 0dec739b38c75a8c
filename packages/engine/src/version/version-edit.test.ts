import { isDeepStrictEqual } from 'node:util';

import { ByteWriter, DecodeError } from '@kayadb/codec';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { EngineError } from '../errors.ts';
import type { TableMeta } from './table-meta.ts';
import { type AddedTable, decodeVersionEdit, encodeVersionEdit, type VersionEdit } from './version-edit.ts';

const table: TableMeta = {
  fileNumber: 15,
  fileBytes: 300,
  entryCount: 4,
  deleteCount: 1,
  smallestSequence: 5,
  largestSequence: 9,
  smallestKey: Uint8Array.of(1),
  largestKey: Uint8Array.of(2, 3),
};

const full: VersionEdit = {
  nextFileNumber: 16,
  oldestSegment: 12,
  flushedSequence: 9,
  addedTables: [{ level: 6, table: { ...table, rangeDeletesApplied: 7 } }],
  removedTables: [{ level: 0, fileNumber: 3 }],
  cleanClose: { segment: 12, endLsn: 2 ** 45, lastSequence: 0 },
  addedRangeDeletes: [
    { sequence: 8, start: Uint8Array.of(1), end: Uint8Array.of(1, 0) },
    { sequence: 9, start: Uint8Array.of(2), end: undefined },
  ],
  removedRangeDeletes: [4, 5],
  durableIndex: 2 ** 40,
};

function field(tag: number, content: Uint8Array | readonly number[]): Uint8Array {
  const bytes = Uint8Array.from(content);
  return Uint8Array.from(new ByteWriter().varint(tag).varint(bytes.length).bytes(bytes).finish());
}

function withTable(change: Partial<TableMeta>): Uint8Array {
  return encodeVersionEdit({ addedTables: [{ level: 0, table: { ...table, ...change } }] });
}

const number = fc.nat({ max: Number.MAX_SAFE_INTEGER - 1 }).map((n) => n + 1);
const key = fc.uint8Array({ minLength: 1, maxLength: 20 });
const anyTable: fc.Arbitrary<AddedTable> = fc
  .record({
    level: fc.nat({ max: 6 }),
    fileNumber: number,
    fileBytes: number,
    counts: fc.tuple(number, number),
    sequences: fc.tuple(number, number),
    keys: fc.tuple(key, key),
  })
  .map(({ level, counts, sequences, keys, ...rest }) => ({
    level,
    table: {
      ...rest,
      deleteCount: Math.min(...counts),
      entryCount: Math.max(...counts),
      smallestSequence: Math.min(...sequences),
      largestSequence: Math.max(...sequences),
      smallestKey: Buffer.compare(...keys) <= 0 ? keys[0] : keys[1],
      largestKey: Buffer.compare(...keys) <= 0 ? keys[1] : keys[0],
    },
  }));
const anyEdit: fc.Arbitrary<VersionEdit> = fc.record(
  {
    nextFileNumber: number,
    oldestSegment: number,
    flushedSequence: number,
    addedTables: fc.array(anyTable, { minLength: 1, maxLength: 5 }),
    removedTables: fc.array(fc.record({ level: fc.nat({ max: 6 }), fileNumber: number }), {
      minLength: 1,
      maxLength: 5,
    }),
    cleanClose: fc.record({ segment: number, endLsn: number, lastSequence: number }),
    addedRangeDeletes: fc.array(
      fc.record({ sequence: number, start: key, longer: fc.option(key) }).map(({ sequence, start, longer }) => ({
        sequence,
        start,
        end: longer === null ? undefined : Uint8Array.from([...start, ...longer]),
      })),
      { minLength: 1, maxLength: 5 },
    ),
    removedRangeDeletes: fc.array(number, { minLength: 1, maxLength: 5 }),
    durableIndex: number,
  },
  { requiredKeys: [] },
);

/** What decoding comes to, and whether encoding the result and decoding again gives the same. */
function outcomeOf(bytes: Uint8Array): string {
  try {
    const edit = decodeVersionEdit(bytes);
    return isDeepStrictEqual(decodeVersionEdit(encodeVersionEdit(edit)), edit) ? 'the same edit' : 'another edit';
  } catch (error) {
    return (error as Error).name;
  }
}

describe('version edit', () => {
  test('has the documented layout', () => {
    const hex = Buffer.from(encodeVersionEdit(full)).toString('hex');

    expect(hex).toBe(
      '0101' +
        '10' + // next file number
        '0201' +
        '0c' + // oldest segment
        '0301' +
        '09' + // flushed sequence
        '040d' +
        '06' +
        '0f' +
        'ac02' +
        '04' +
        '01' +
        '05' +
        '09' +
        '0101' +
        '020203' + // added table
        '0502' +
        '00' +
        '03' + // removed table
        '0609' +
        '0c' +
        '80808080808008' +
        '00' + // clean close
        '07020f07' + // range deletes up to 7 are applied to table 15
        '0806080101020100' + // sequence 8, from 01 to 01 00
        '080409010200' + // sequence 9, from 02 on
        '090104' +
        '090105' +
        '0a06808080808020', // durable index
    );
  });

  test('decodes every edit that it encodes', () => {
    fc.assert(
      fc.property(anyEdit, (edit) => {
        expect(decodeVersionEdit(encodeVersionEdit(edit))).toEqual(edit);
      }),
    );
  });

  test('that changes nothing takes no bytes', () => {
    expect(encodeVersionEdit({})).toHaveLength(0);
    expect(decodeVersionEdit(new Uint8Array(0))).toEqual({});
  });

  test('keeps no view of the bytes it came from', () => {
    const bytes = Uint8Array.from(encodeVersionEdit(full));
    const edit = decodeVersionEdit(bytes);

    bytes.fill(0xff);

    expect(edit).toEqual(full);
  });

  test.each([64, 1000])('skips field %i, which nobody has to understand', (tag) => {
    const bytes = Uint8Array.from([...field(tag, [1, 2, 3]), ...encodeVersionEdit(full), ...field(tag, [])]);

    expect(decodeVersionEdit(bytes)).toEqual(full);
  });

  test.each([0, 11, 63])('refuses unknown field %i as written by a newer version', (tag) => {
    const decode = (): unknown => decodeVersionEdit(field(tag, [1]));

    expect(decode).toThrow(EngineError);
    expect(decode).toThrow('open the store with the version that wrote it');
  });

  test.each([
    ['a second next file number', Uint8Array.from([...field(1, [5]), ...field(1, [6])])],
    ['a second clean close', Uint8Array.from([...field(6, [1, 0, 0]), ...field(6, [1, 0, 0])])],
    ['file number 0', field(1, [0])],
    ['a field with bytes left over', field(3, [5, 5])],
    ['a field that is too short', field(6, [5, 5])],
    ['a level of 7', field(5, [7, 3])],
    ['range deletes applied to a table that is not added', field(7, [3, 5])],
    ['a range that ends before it starts', field(8, [1, 1, 9, 1, 8])],
    ['a range without a start', field(8, [1, 0, 1, 8])],
    ['a second durable index', Uint8Array.from([...field(10, [5]), ...field(10, [6])])],
    ['a number not in its shortest form', field(3, [0x80, 0x00])],
    ['a length beyond the end', Uint8Array.of(3, 9, 1)],
    ['more deletes than entries', withTable({ deleteCount: 5 })],
    ['sequences swapped', withTable({ smallestSequence: 10 })],
    ['keys swapped', withTable({ smallestKey: Uint8Array.of(9) })],
    ['an empty key', withTable({ smallestKey: new Uint8Array(0) })],
    ['a key that is too long', withTable({ largestKey: new Uint8Array(4161).fill(9) })],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeVersionEdit(bytes)).toThrow(DecodeError);
  });

  test('takes any bytes to an edit or a typed error', () => {
    const good = encodeVersionEdit(full);
    const mutated = fc
      .array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 })
      .map((changes) => {
        const bytes = Uint8Array.from(good);
        for (const [at, byte] of changes) bytes[at] = byte;
        return bytes;
      });

    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), mutated), (bytes) => {
        expect(['the same edit', 'DecodeError', 'EngineError']).toContain(outcomeOf(bytes));
      }),
      { numRuns: 1000 },
    );
  });
});
