/** ByteReader and ByteWriter are each other's inverse, and the reader is total. */

import { testSeed } from '@kayadb/testkit';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { DecodeError } from './errors.ts';
import { readU64, writeU64 } from './fixed-int.ts';

type Field =
  | { readonly kind: 'u8' | 'u16' | 'u32' | 'u64' | 'varint'; readonly value: number }
  | { readonly kind: 'bytes'; readonly value: Uint8Array };

const safeInteger = fc.oneof(
  fc.nat({ max: 300 }),
  fc.maxSafeNat(),
  fc.integer({ min: 0, max: 53 }).map((bit) => (bit === 53 ? Number.MAX_SAFE_INTEGER : 2 ** bit)),
);

const field: fc.Arbitrary<Field> = fc.oneof(
  fc.record({ kind: fc.constant('u8' as const), value: fc.integer({ min: 0, max: 0xff }) }),
  fc.record({ kind: fc.constant('u16' as const), value: fc.integer({ min: 0, max: 0xffff }) }),
  fc.record({ kind: fc.constant('u32' as const), value: fc.integer({ min: 0, max: 0xffff_ffff }) }),
  fc.record({ kind: fc.constantFrom('u64' as const, 'varint' as const), value: safeInteger }),
  fc.record({ kind: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 40 }) }),
);

function write(fields: readonly Field[]): Uint8Array {
  const writer = new ByteWriter(1);
  for (const each of fields) {
    if (each.kind === 'bytes') writer.bytes(each.value);
    else writer[each.kind](each.value);
  }
  return writer.finish().slice();
}

function read(fields: readonly Field[], bytes: Uint8Array): unknown[] {
  const reader = new ByteReader(bytes);
  const values = fields.map((each) =>
    each.kind === 'bytes' ? reader.bytes(each.value.length, 'bytes') : reader[each.kind](each.kind),
  );
  reader.end('the record');
  return values;
}

function errorOf(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('ByteReader', () => {
  test('reads back what ByteWriter wrote', () => {
    const property = fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
      expect(read(fields, write(fields))).toEqual(fields.map(({ value }) => value));
    });

    fc.assert(property, { seed: testSeed(), numRuns: 500 });
  });

  test('gives DecodeError for a record cut anywhere', () => {
    const property = fc.property(fc.array(field, { minLength: 1, maxLength: 5 }), (fields) => {
      const bytes = write(fields);
      for (let length = 0; length < bytes.length; length++) {
        expect(() => read(fields, bytes.subarray(0, length))).toThrow(DecodeError);
      }
      expect(() => read(fields, Uint8Array.of(...bytes, 0))).toThrow(DecodeError);
    });

    fc.assert(property, { seed: testSeed() });
  });

  test('gives a value or DecodeError for any bytes', () => {
    const property = fc.property(
      fc.array(field, { maxLength: 8 }),
      fc.uint8Array({ maxLength: 60 }),
      (fields, bytes) => {
        const error = errorOf(() => read(fields, bytes));
        expect(error === undefined || error instanceof DecodeError).toBe(true);
        expect((error as DecodeError | undefined)?.offset ?? 0).toBeLessThanOrEqual(bytes.length);
      },
    );

    fc.assert(property, { seed: testSeed(), numRuns: 2000 });
  });

  test.each([
    ['a second zero byte', [0x80, 0x00]],
    ['a trailing zero byte', [0xff, 0x00]],
    ['2^53', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ['nine bytes', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ['an end in the middle', [0x80]],
    ['nothing', []],
  ])('refuses a varint of %s', (_what, bytes) => {
    const reader = new ByteReader(Uint8Array.from(bytes));

    expect(() => reader.varint('count')).toThrow(DecodeError);
  });

  test('refuses a u64 that is not exact', () => {
    const reader = new ByteReader(Uint8Array.of(0, 0, 0, 0, 0, 0, 0x20, 0));

    expect(() => reader.u64('id')).toThrow('id is not below 2^53 (at byte 0)');
  });

  test('hands out views, and says where it stands', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    const reader = new ByteReader(bytes, 1);

    const view = reader.bytes(2, 'view');

    expect(view.buffer).toBe(bytes.buffer);
    expect([...view]).toEqual([2, 3]);
    expect([reader.offset, reader.remaining]).toEqual([3, 1]);
    expect([...reader.rest()]).toEqual([4]);
  });
});

describe('writeU64', () => {
  test('is read back by readU64 and by a DataView', () => {
    const property = fc.property(safeInteger, (value) => {
      const bytes = new Uint8Array(10);
      writeU64(bytes, 1, value);
      expect(readU64(bytes, 1)).toBe(value);
      expect(new DataView(bytes.buffer).getBigUint64(1, true)).toBe(BigInt(value));
    });

    fc.assert(property, { seed: testSeed(), numRuns: 500 });
  });
});
