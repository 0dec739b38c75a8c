/** What a table says about itself. Format: docs/format/sstable.md, "Properties". */

import { ByteReader, ByteWriter, compareBytes, copyBytes, DecodeError } from '@kayadb/codec';

import type { SequenceNumber } from '../key/internal-key.ts';

export interface TableProperties {
  /** Puts and deletes. */
  readonly entryCount: number;
  readonly deleteCount: number;
  readonly smallestSequence: SequenceNumber;
  readonly largestSequence: SequenceNumber;
  /** Sum over all entries, in bytes. */
  readonly keyBytes: number;
  /** Sum over all entries, in bytes. */
  readonly valueBytes: number;
  readonly blockCount: number;
  /** Smallest and largest user key, both inclusive. */
  readonly smallestKey: Uint8Array;
  readonly largestKey: Uint8Array;
}

/** Fields in the order of their tags, which start at 1. */
const numberFields = [
  'entryCount',
  'deleteCount',
  'smallestSequence',
  'largestSequence',
  'keyBytes',
  'valueBytes',
  'blockCount',
] as const;
const keyFields = ['smallestKey', 'largestKey'] as const;
const KNOWN_TAGS = numberFields.length + keyFields.length;
/** From this tag on, a reader may skip what it does not know. */
const FIRST_OPTIONAL_TAG = 64;

export function encodeProperties(properties: TableProperties): Uint8Array {
  const writer = new ByteWriter(256);
  let tag = 1;
  for (const field of numberFields) {
    const number = new ByteWriter(8).varint(properties[field]).finish();
    writer.varint(tag++).varint(number.length).bytes(number);
  }
  for (const field of keyFields) {
    const key = properties[field];
    writer.varint(tag++).varint(key.length).bytes(key);
  }
  return writer.finish();
}

/**
 * The keys are copies.
 *
 * @throws DecodeError for properties that no builder of this version writes.
 */
export function decodeProperties(bytes: Uint8Array): TableProperties {
  const reader = new ByteReader(bytes);
  const numbers: number[] = [];
  const keys: Uint8Array[] = [];
  let previousTag = 0;
  while (reader.remaining > 0) {
    const at = reader.offset;
    const tag = reader.varint('tag of a property');
    const field = reader.bytes(reader.varint('length of a property'), 'property');
    if (tag <= previousTag) throw new DecodeError(`property ${tag} is out of order`, at);
    previousTag = tag;
    if (tag >= FIRST_OPTIONAL_TAG) continue;
    if (tag > KNOWN_TAGS) throw new DecodeError(`property ${tag} was written by a newer version`, at);
    if (tag !== numbers.length + keys.length + 1) throw new DecodeError(`property ${tag - 1} is missing`, at);
    if (tag > numberFields.length) {
      keys.push(copyBytes(field));
      continue;
    }
    const number = new ByteReader(field);
    numbers.push(number.varint('property'));
    number.end('property');
  }
  const [smallestKey, largestKey] = keys;
  if (smallestKey === undefined || largestKey === undefined)
    throw new DecodeError('properties are missing', bytes.length);
  const properties: TableProperties = {
    entryCount: numbers[0]!,
    deleteCount: numbers[1]!,
    smallestSequence: numbers[2]!,
    largestSequence: numbers[3]!,
    keyBytes: numbers[4]!,
    valueBytes: numbers[5]!,
    blockCount: numbers[6]!,
    smallestKey,
    largestKey,
  };
  const isPossible =
    properties.deleteCount <= properties.entryCount &&
    properties.smallestSequence <= properties.largestSequence &&
    properties.blockCount >= 1 &&
    properties.blockCount <= properties.entryCount &&
    smallestKey.length > 0 &&
    compareBytes(smallestKey, largestKey) <= 0;
  if (!isPossible) throw new DecodeError('properties contradict each other', 0);
  return properties;
}
