import { ByteWriter, DecodeError, encodeUtf8 } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { decodeProperties, encodeProperties, type TableProperties } from './table-properties.ts';

const properties: TableProperties = {
  entryCount: 300,
  deleteCount: 2,
  smallestSequence: 1,
  largestSequence: Number.MAX_SAFE_INTEGER,
  keyBytes: 4000,
  valueBytes: 0,
  blockCount: 3,
  smallestKey: encodeUtf8('a'),
  largestKey: encodeUtf8('q'),
};

function field(tag: number, bytes: readonly number[]): number[] {
  return [...new ByteWriter().varint(tag).varint(bytes.length).finish(), ...bytes];
}

describe('table properties', () => {
  test('decode to what was encoded', () => {
    expect(decodeProperties(encodeProperties(properties))).toEqual(properties);
  });

  test('may carry fields of a newer version from tag 64 on', () => {
    const bytes = Uint8Array.from([...encodeProperties(properties), ...field(64, [1, 2, 3]), ...field(200, [])]);

    expect(decodeProperties(bytes)).toEqual(properties);
  });

  test.each([
    ['an unknown tag below 64', field(63, [1]), /newer version/],
    ['a tag out of order', field(9, [1]), /out of order/],
    ['a field that is cut short', [70, 5, 1], /needs 5 bytes/],
  ])('are refused with %s', (_name, more, message) => {
    expect(() => decodeProperties(Uint8Array.from([...encodeProperties(properties), ...more]))).toThrow(message);
  });

  test.each([
    ['more deletes than entries', { deleteCount: 301 }],
    ['more blocks than entries', { blockCount: 301 }],
    ['no block', { blockCount: 0 }],
    ['sequence numbers the wrong way round', { smallestSequence: 9, largestSequence: 8 }],
    ['keys the wrong way round', { smallestKey: encodeUtf8('r') }],
    ['an empty key', { smallestKey: new Uint8Array(0) }],
  ])('are refused with %s', (_name, change) => {
    expect(() => decodeProperties(encodeProperties({ ...properties, ...change }))).toThrow(/contradict/);
  });

  test('are refused when one is missing', () => {
    const bytes = encodeProperties(properties);

    expect(() => decodeProperties(bytes.subarray(4))).toThrow(/property 1 is missing/);
    expect(() => decodeProperties(bytes.subarray(0, bytes.length - 3))).toThrow(/missing/);
    expect(() => decodeProperties(new Uint8Array(0))).toThrow(/missing/);
  });

  test('decode or throw DecodeError, whatever the bytes are', () => {
    const random = seededRandom(testSeed());
    const good = encodeProperties(properties);
    let refused = 0;
    for (let round = 0; round < 5000; round++) {
      const bytes = random.chance(0.2) ? random.bytes(random.int(60)) : good.slice();
      if (bytes.length > 0) bytes[random.int(bytes.length)] = random.int(256);
      try {
        decodeProperties(bytes);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(1000);
  });
});
