import { DecodeError, encodeUtf8 } from '@kayadb/codec';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { MAX_BATCH_BYTES, MAX_KEY_BYTES, MAX_VALUE_BYTES } from '../limits.ts';
import { DELETE_KIND, PUT_KIND } from './internal-key.ts';
import { decodeOperations, type Operation, WriteBatch } from './write-batch.ts';

function decode(payload: Uint8Array, firstSequence = 1): readonly Operation[] {
  const entries: Operation[] = [];
  decodeOperations(payload, firstSequence, (entry) => entries.push(entry));
  return entries;
}

/** What decoding comes to: whole operations that make up all of `payload`, or the name of the error. */
function outcomeOf(payload: Uint8Array): string {
  try {
    const total = decode(payload).reduce((sum, { key, value }) => sum + 8 + key.length + value.length, 0);
    return total === payload.length ? 'operations' : `operations of ${total} bytes`;
  } catch (error) {
    return (error as Error).name;
  }
}

describe('WriteBatch', () => {
  test('encodes operations as documented', () => {
    const batch = new WriteBatch().put('key', 'value').delete('k');

    const hex = Buffer.from(batch.bytes).toString('hex');

    expect(hex).toBe(
      '05000000' +
        '0300' +
        '01' +
        '00' +
        '6b6579' +
        '76616c7565' + // put
        '00000000' +
        '0100' +
        '02' +
        '00' +
        '6b', // delete
    );
    expect(batch.count).toBe(2);
    expect(batch.byteLength).toBe(25);
  });

  test('gives back any operations in order, numbered from the first sequence', () => {
    const key = fc.uint8Array({ minLength: 1, maxLength: 40 });
    const operation = fc.oneof(
      fc.record({ kind: fc.constant(PUT_KIND), key, value: fc.uint8Array({ maxLength: 400 }) }),
      fc.record({ kind: fc.constant(DELETE_KIND), key, value: fc.constant(new Uint8Array(0)) }),
    );

    fc.assert(
      fc.property(fc.array(operation), fc.integer({ min: 1, max: 2 ** 50 }), (operations, firstSequence) => {
        const batch = new WriteBatch();
        for (const { kind, key: written, value } of operations) {
          if (kind === PUT_KIND) batch.put(written, value);
          else batch.delete(written);
        }
        const expected = operations.map((entry, i) => ({ ...entry, sequence: firstSequence + i }));
        expect(decode(batch.bytes, firstSequence)).toEqual(expected);
        expect(batch.count).toBe(operations.length);
      }),
    );
  });

  test('copies what it is given', () => {
    const key = encodeUtf8('key');
    const value = encodeUtf8('value');
    const batch = new WriteBatch().put(key, value);

    key.fill(0);
    value.fill(0);

    expect(batch.bytes).toEqual(new WriteBatch().put('key', 'value').bytes);
  });

  test('takes strings as UTF-8', () => {
    const batch = new WriteBatch().put('schlüssel', '値');

    const [entry] = decode(batch.bytes);

    expect(entry).toMatchObject({ key: encodeUtf8('schlüssel'), value: encodeUtf8('値') });
  });

  test('encodes strings as TextEncoder does, whatever is in them', () => {
    const someText = fc.oneof(
      fc.string({ minLength: 1, maxLength: 80, unit: 'binary' }),
      fc.string({ minLength: 1, maxLength: 80, unit: 'binary-ascii' }),
      fc
        .array(fc.constantFrom('a', '\u007f', '\u0080', 'ü', '\ud800', '\udc00', '😀'), { minLength: 1 })
        .map((all) => all.join('')),
    );

    fc.assert(
      fc.property(someText, someText, (key, value) => {
        const encoded = new WriteBatch().put(key, value).put(encodeUtf8(key), encodeUtf8(value)).delete(key).bytes;
        const [fromText, fromBytes, deleted] = decode(encoded);
        expect({ ...fromText, sequence: 2 }).toEqual(fromBytes);
        expect(deleted!.key).toEqual(fromBytes!.key);
      }),
    );
  });

  test('counts the bytes of strings against its bound, not what they might take', () => {
    const batch = new WriteBatch()
      .put('k', new Uint8Array(MAX_VALUE_BYTES))
      .put('l', new Uint8Array(MAX_VALUE_BYTES - 100));
    const rest = MAX_BATCH_BYTES - batch.byteLength;

    expect(() => batch.put('key', 'v'.repeat(rest - 10))).toThrow(RangeError);
    expect(batch.put('k'.repeat(rest - 8 - 20), 'v'.repeat(20)).byteLength).toBe(MAX_BATCH_BYTES);
    expect(() => batch.put('k', '')).toThrow(RangeError);
    expect(batch.count).toBe(3);
  });

  test('is empty again after clear', () => {
    const batch = new WriteBatch().put('a', 'b').clear();

    batch.put('c', 'd');

    expect(batch.bytes).toEqual(new WriteBatch().put('c', 'd').bytes);
    expect(batch.count).toBe(1);
  });

  test.each([
    ['an empty key', (batch: WriteBatch) => batch.put('', 'v'), RangeError, 'empty'],
    ['an empty key to delete', (batch: WriteBatch) => batch.delete(new Uint8Array(0)), RangeError, 'empty'],
    ['a long key', (batch: WriteBatch) => batch.put(new Uint8Array(MAX_KEY_BYTES + 1), 'v'), RangeError, '4096'],
    ['a key of long UTF-8', (batch: WriteBatch) => batch.delete('ü'.repeat(2049)), RangeError, '4098'],
    [
      'a long value',
      (batch: WriteBatch) => batch.put('k', new Uint8Array(MAX_VALUE_BYTES + 1)),
      RangeError,
      '16777216',
    ],
    ['a number', (batch: WriteBatch) => batch.put(1 as unknown as string, 'v'), TypeError, 'a key .* not number'],
    ['null', (batch: WriteBatch) => batch.put('k', null as unknown as string), TypeError, 'a value .* not null'],
    [
      'an ArrayBuffer',
      (batch: WriteBatch) => batch.put('k', new ArrayBuffer(1) as unknown as Uint8Array),
      TypeError,
      'not ArrayBuffer',
    ],
    ['a bare object', (batch: WriteBatch) => batch.put('k', Object.create(null) as string), TypeError, 'not object'],
  ])('refuses %s and stays as it was', (_, add, errorClass, message) => {
    const batch = new WriteBatch().put('a', 'b');
    const before = Uint8Array.from(batch.bytes);

    const adding = (): unknown => add(batch);

    expect(adding).toThrow(errorClass);
    expect(adding).toThrow(new RegExp(message));
    expect(batch.bytes).toEqual(before);
    expect(batch.count).toBe(1);
  });

  test('takes the longest key and value, and refuses to grow past its bound', () => {
    const batch = new WriteBatch().put(new Uint8Array(MAX_KEY_BYTES).fill(1), new Uint8Array(MAX_VALUE_BYTES));
    const rest = MAX_BATCH_BYTES - batch.byteLength;

    const tooMuch = (): unknown => batch.put('k', new Uint8Array(rest - 8));

    expect(tooMuch).toThrow(RangeError);
    expect(batch.put('k', new Uint8Array(rest - 9)).byteLength).toBe(MAX_BATCH_BYTES);
    expect(batch.count).toBe(2);
  });
});

describe('decodeOperations', () => {
  const good = new WriteBatch().put('key', 'value').delete('k').bytes;

  test.each([
    ['an unknown kind', 6, 4],
    ['a reserved byte', 7, 1],
    ['an empty key', 4, 0],
    ['a long key', 5, 0x20],
    ['a long value', 3, 0x02],
    ['a value longer than the payload', 1, 1],
  ])('refuses %s', (_, at, byte) => {
    const bytes = Uint8Array.from(good);
    bytes[at] = byte;

    expect(() => decode(bytes)).toThrow(DecodeError);
  });

  test('refuses a delete with a value', () => {
    const bytes = Uint8Array.from(good);
    bytes[6] = DELETE_KIND;

    expect(() => decode(bytes)).toThrow('a delete has a value');
  });

  test('refuses a range that ends before it starts', () => {
    const bytes = Uint8Array.from(new WriteBatch().deleteRange(encodeUtf8('b'), encodeUtf8('c')).bytes);
    bytes[bytes.length - 1] = 0x61;

    expect(() => decode(bytes)).toThrow('ends before it starts');
  });

  test('refuses a payload cut inside an operation', () => {
    const lengths = Array.from({ length: good.length + 1 }, (_, length) => length);

    const readable = lengths.filter((length) => outcomeOf(good.subarray(0, length)) === 'operations');

    expect(readable).toEqual([0, 16, 25]);
  });

  test('refuses sequence numbers of 2^53 and more', () => {
    expect(() => decode(good, Number.MAX_SAFE_INTEGER)).toThrow(DecodeError);
  });

  test('takes any bytes to operations or a DecodeError', () => {
    const mutated = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
      const bytes = Uint8Array.from(good);
      bytes[at] = byte;
      return bytes;
    });

    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), mutated), (bytes) => {
        expect(['operations', 'DecodeError']).toContain(outcomeOf(bytes));
      }),
      { numRuns: 500 },
    );
  });
});
