import { ByteWriter, concatBytes, crc32c, writeU32 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { APPLY_THREAD } from '../core/types.ts';
import { sampleSnapshot } from '../testing/storage-samples.ts';
import { encodeFileHeader, fileSeed, RAFT_HEADER_BYTES, SNAPSHOT_MAGIC } from './file-header.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot-format.ts';

const IDENTITY = { clusterId: new Uint8Array(16).fill(7), nodeId: 3, incarnation: 12 };
const HEADER = encodeFileHeader(SNAPSHOT_MAGIC, IDENTITY);

/** A file of these bytes behind its header, with a CRC that matches. */
function sealed(body: Uint8Array): Uint8Array {
  const bytes = concatBytes([HEADER, body, new Uint8Array(4)]);
  const end = bytes.length - 4;
  writeU32(bytes, end, crc32c(bytes, fileSeed(HEADER), RAFT_HEADER_BYTES, end));
  return bytes;
}

/** A file with this configuration, and so many bytes of data of which `told` are said to be there. */
function withConfiguration(configuration: readonly number[], dataBytes = 0, told = dataBytes): Uint8Array {
  const body = new ByteWriter().u64(20).u64(3).u32(configuration.length).u32(told);
  return sealed(body.bytes(Uint8Array.from(configuration)).bytes(new Uint8Array(dataBytes)).finish());
}

/** A list of one node as a varint. */
const listOf = (id: number): number[] => [1, ...new ByteWriter().varint(id).finish()];

describe('raft-snapshot.bin', () => {
  test('gives back what was put in', () => {
    const snapshot = sampleSnapshot(20, 3, {
      votersOutgoing: [2, 900],
      learners: [4],
      learnersNext: [2],
      autoLeave: true,
    });

    expect(decodeSnapshot(encodeSnapshot(snapshot, IDENTITY), IDENTITY)).toEqual(snapshot);
  });

  test.each([
    [
      'a list that does not ascend',
      withConfiguration([2, 3, 2, 0, 0, 0, 0]),
      '2 does not follow in the list of voters',
    ],
    ['a node twice', withConfiguration([2, 3, 3, 0, 0, 0, 0]), '3 does not follow in the list of voters'],
    ['node 0', withConfiguration([1, 0, 0, 0, 0, 0]), '0 does not follow in the list of voters'],
    [
      'a thread for a node',
      withConfiguration([...listOf(APPLY_THREAD), 0, 0, 0, 0]),
      'does not follow in the list of voters',
    ],
    ['more nodes than there are bytes', withConfiguration([9, 1, 0, 0, 0, 0]), '9 voters do not fit'],
    ['a flag of 2', withConfiguration([1, 1, 0, 0, 0, 2]), '2 is neither yes nor no'],
    ['bytes behind the configuration', withConfiguration([1, 1, 0, 0, 0, 0, 0]), 'the configuration'],
    ['bytes behind the data', withConfiguration([1, 1, 0, 0, 0, 0], 5, 4), 'the file'],
    ['fewer data than are said to be there', withConfiguration([1, 1, 0, 0, 0, 0], 5, 6), 'the data'],
    ['nothing', sealed(new Uint8Array(0)), 'the index'],
  ])('is refused when it verifies and has %s', (_what, bytes, reason) => {
    expect(() => decodeSnapshot(bytes, IDENTITY)).toThrow(
      expect.objectContaining({
        code: 'KAYA_RAFT_CORRUPTION',
        file: 'raft-snapshot.bin',
        message: expect.stringContaining(reason) as unknown,
      }),
    );
  });
});
