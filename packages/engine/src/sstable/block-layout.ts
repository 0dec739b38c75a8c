/**
 * Whether bytes are laid out as a block: everything that a search could stumble over, checked once, when the block is read.
 * Format: docs/format/sstable.md, "Data block".
 */

import { assert, readU32, readU64 } from '@kayadb/codec';

import { DELETE_KIND, PUT_KIND } from '../key/internal-key.ts';
import { MAX_STORED_KEY_BYTES, MAX_STORED_VALUE_BYTES } from '../limits.ts';
import { ENTRY_HEADER_BYTES } from '../wal/wal-format.ts';
import { DATA_BLOCK_HEADER_BYTES } from './sstable-format.ts';

assert(new Uint8Array(Uint32Array.of(1).buffer)[0] === 1, 'tables can only be read on little-endian machines');

/**
 * Checks the block of `length` bytes at the start of `bytes`. Order and heads are left to `BlockReader.findDisagreement`.
 *
 * @returns What is wrong, or `undefined`.
 */
export function findLayoutFault(bytes: Uint8Array, length: number): string | undefined {
  const count = length < DATA_BLOCK_HEADER_BYTES ? 0 : readU32(bytes, 0);
  const front = DATA_BLOCK_HEADER_BYTES + 12 * count;
  if (count === 0 || front > length) return `a block of ${length} bytes cannot have ${count} entries`;
  const prefixBytes = readU32(bytes, 4);
  const deltasAt = DATA_BLOCK_HEADER_BYTES + 4 * count;
  const offsetsAt = DATA_BLOCK_HEADER_BYTES + 8 * count;
  let largestDelta = 0;
  let expected = front;
  for (let i = 0; i < count; i++) {
    const at = readU32(bytes, offsetsAt + 4 * i);
    if (at !== expected || at + ENTRY_HEADER_BYTES > length) return `entry ${i} is not where it belongs`;
    const valueBytes = readU32(bytes, at);
    const keyBytes = bytes[at + 4]! | (bytes[at + 5]! << 8);
    const kind = bytes[at + 6]!;
    if (keyBytes === 0 || keyBytes > MAX_STORED_KEY_BYTES) return `entry ${i} has a key of ${keyBytes} bytes`;
    if (keyBytes < prefixBytes) return `the key of entry ${i} is shorter than the shared prefix`;
    if (valueBytes > MAX_STORED_VALUE_BYTES) return `entry ${i} has a value of ${valueBytes} bytes`;
    if (kind !== PUT_KIND && (kind !== DELETE_KIND || valueBytes > 0)) return `entry ${i} is of no known kind`;
    if (bytes[at + 7] !== 0) return `reserved bytes of entry ${i} are not zero`;
    const delta = readU32(bytes, deltasAt + 4 * i);
    if (delta > largestDelta) largestDelta = delta;
    expected = at + ENTRY_HEADER_BYTES + keyBytes + valueBytes;
  }
  if (expected !== length) return `its entries end at byte ${expected} of ${length}`;
  if (!Number.isSafeInteger(readU64(bytes, 8) + largestDelta)) return 'a sequence number is not below 2^53';
  return undefined;
}
