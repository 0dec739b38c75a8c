import { crc32c, writeU16, writeU32, writeU64 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { decodeFileHeader, encodeFileHeader, RAFT_HEADER_BYTES, SEGMENT_MAGIC, STATE_MAGIC } from './file-header.ts';

const FILE = '000007.rlog';
const IDENTITY = { clusterId: new Uint8Array(16).fill(7), nodeId: 3, incarnation: 12 };
const START = { segment: 7, startLsn: 5000, firstIndex: 91, previousTerm: 4 };
const CRC_AT = 92;

/** A segment's header after a change, with a CRC that matches. */
function header(change: (bytes: Uint8Array) => void = () => undefined): Uint8Array {
  const bytes = encodeFileHeader(SEGMENT_MAGIC, IDENTITY, START);
  change(bytes);
  writeU32(bytes, CRC_AT, crc32c(bytes, 0, 0, CRC_AT));
  return bytes;
}

const decode = (bytes: Uint8Array) => () => decodeFileHeader(FILE, bytes, SEGMENT_MAGIC, IDENTITY);

describe('the header of a Raft file', () => {
  test('says where its segment begins, and has the CRC that all others in the file continue', () => {
    const bytes = header();

    expect(decode(bytes)()).toEqual({ ...START, seed: crc32c(bytes, 0, 0, CRC_AT) });
  });

  test('differs in its CRC for another kind, cluster, node, incarnation, segment or place', () => {
    const seeds = [
      encodeFileHeader(STATE_MAGIC, IDENTITY),
      encodeFileHeader(SEGMENT_MAGIC, IDENTITY),
      ...[{ clusterId: new Uint8Array(16) }, { nodeId: 4 }, { incarnation: 13 }, {}].map((other) =>
        encodeFileHeader(SEGMENT_MAGIC, { ...IDENTITY, ...other }, START),
      ),
      ...[{ segment: 8 }, { startLsn: 5008 }, { firstIndex: 92 }, { previousTerm: 5 }].map((other) =>
        encodeFileHeader(SEGMENT_MAGIC, IDENTITY, { ...START, ...other }),
      ),
    ].map((bytes) => crc32c(bytes, 0, 0, CRC_AT));

    expect(new Set(seeds).size).toBe(seeds.length);
  });

  test.each([
    ['is cut', header().subarray(0, RAFT_HEADER_BYTES - 1), 0, 'its header needs 96 bytes, 95 are there'],
    ['is of another file', encodeFileHeader(STATE_MAGIC, IDENTITY), 0, 'it does not open with KAYARLOG'],
    ['is flipped', header().fill(1, 50, 51), 0, 'the CRC of its header does not match'],
    ['has a number that is too great', header((bytes) => writeU64(bytes, 64, 2 ** 53)), 48, 'is not below 2^53'],
  ])('is refused when it %s', (_what, bytes, offset, reason) => {
    expect(decode(bytes)).toThrow(
      expect.objectContaining({
        code: 'KAYA_RAFT_CORRUPTION',
        file: FILE,
        offset,
        message: expect.stringContaining(reason) as unknown,
      }),
    );
  });

  test.each([
    ['format version 2', header((bytes) => writeU16(bytes, 8, 2))],
    ['cipher 1', header((bytes) => writeU16(bytes, 10, 1))],
    ['encryption key 1', header((bytes) => writeU32(bytes, 12, 1))],
    ['a reserved header byte that is not zero', header((bytes) => bytes.fill(1, 91, 92))],
  ])('with %s was written by a newer version', (what, bytes) => {
    expect(decode(bytes)).toThrow(
      expect.objectContaining({ code: 'KAYA_RAFT_UNSUPPORTED', message: expect.stringContaining(what) as unknown }),
    );
  });

  test.each([
    ['another cluster', { clusterId: new Uint8Array(16) }],
    ['node 3, not to 4', { nodeId: 4 }],
    ['another incarnation of this node', { incarnation: 13 }],
  ])('says that the file belongs to %s', (whom, other) => {
    const open = (): unknown => decodeFileHeader(FILE, header(), SEGMENT_MAGIC, { ...IDENTITY, ...other });

    expect(open).toThrow(
      expect.objectContaining({
        code: 'KAYA_RAFT_FOREIGN',
        message: `${FILE} belongs to ${whom}; start this node with its own directory`,
      }),
    );
  });

  test('of a file that is no segment has nothing of one', () => {
    const bytes = encodeFileHeader(STATE_MAGIC, IDENTITY, { ...START, segment: 0, startLsn: 0, firstIndex: 0 });

    const open = (): unknown => decodeFileHeader('raft-state', bytes, STATE_MAGIC, IDENTITY);

    expect(open).toThrow('raft-state is damaged at offset 48: its header has fields of a segment');
  });
});
