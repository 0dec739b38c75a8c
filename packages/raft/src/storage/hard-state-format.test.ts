import { crc32c, writeU32, writeU64 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { fileSeed } from './file-header.ts';
import { decodeStateFile, encodeStateFile, slotOffset, STATE_SLOT_BYTES } from './hard-state-format.ts';

const IDENTITY = { clusterId: new Uint8Array(16).fill(7), nodeId: 3, incarnation: 12 };
const STATE = { version: 5, term: 9, vote: 2 };

/** The file after a change to its second slot, with a CRC that matches. */
function withSlot(change: (slot: Uint8Array) => void): Uint8Array {
  const bytes = encodeStateFile(STATE, IDENTITY);
  const slot = bytes.subarray(slotOffset(1), slotOffset(1) + STATE_SLOT_BYTES);
  change(slot);
  writeU32(slot, 0, crc32c(slot, fileSeed(bytes), 4, STATE_SLOT_BYTES));
  return bytes;
}

describe('raft-state', () => {
  test('says the same in both slots, of which the first counts then', () => {
    expect(decodeStateFile(encodeStateFile(STATE, IDENTITY), IDENTITY)).toEqual({ state: STATE, slot: 0 });
  });

  test.each([
    ['is the other one', (slot: Uint8Array) => writeU32(slot, 4, 0)],
    ['has version 0', (slot: Uint8Array) => writeU64(slot, 8, 0)],
    ['has a version that is too great', (slot: Uint8Array) => writeU64(slot, 8, 2 ** 53)],
    ['has a term that is too great', (slot: Uint8Array) => writeU64(slot, 16, 2 ** 53)],
    ['has a vote that is too great', (slot: Uint8Array) => writeU64(slot, 24, 2 ** 53)],
  ])('is refused when a slot verifies and %s', (_what, change) => {
    const bytes = withSlot(change);

    expect(() => decodeStateFile(bytes, IDENTITY)).toThrow(
      'raft-state is damaged at offset 8192: a slot verifies and makes no sense',
    );
  });
});
