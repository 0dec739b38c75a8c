/** Readers of the small files of a staging folder. Format: docs/format/raft-snapshot-transfer.md, "The staging folder". */

import { copyBytes, crc32c, writeU32 } from '@kayadb/codec';

import {
  decodeProgress,
  decodeStagedSnapshot,
  encodeProgress,
  encodeStagedSnapshot,
  type StagedSnapshot,
  type StagingProgress,
} from '../node/staging-format.ts';
import { RAFT_HEADER_BYTES } from '../storage/file-header.ts';
import type { RaftIdentity } from '../storage/raft-identity.ts';
import type { RaftDecoder } from './decoder.ts';
import { sampleFiles, sampleSnapshot } from './sample-messages.ts';

const IDENTITY: RaftIdentity = { clusterId: new Uint8Array(16).fill(7), nodeId: 3, incarnation: 1 };
const EMPTY_CONFIGURATION = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
/** What the samples of PROGRESS belong to. */
const TRANSFER = copyBytes(
  encodeStagedSnapshot(
    {
      snapshot: { meta: { index: 1, term: 1, configuration: EMPTY_CONFIGURATION }, data: new Uint8Array(0) },
      files: [],
    },
    IDENTITY,
  ),
);
const CRC_BYTES = 4;

const traits = {
  refusals: ['KAYA_RAFT_CORRUPTION', 'KAYA_RAFT_UNSUPPORTED', 'KAYA_RAFT_FOREIGN'],
  isCanonical: () => true,
  reseal(bytes: Uint8Array): void {
    const end = bytes.length - CRC_BYTES;
    const headerCrcAt = RAFT_HEADER_BYTES - CRC_BYTES;
    if (end < RAFT_HEADER_BYTES) return;
    const seed = crc32c(bytes, 0, 0, headerCrcAt);
    writeU32(bytes, headerCrcAt, seed);
    writeU32(bytes, end, crc32c(bytes, seed, RAFT_HEADER_BYTES, end));
  },
};

const transferFile: RaftDecoder<StagedSnapshot> = {
  name: 'raft-transfer-file',
  ...traits,
  copies: false,
  decode: (bytes) => decodeStagedSnapshot(bytes, IDENTITY),
  encode: (value) => encodeStagedSnapshot(value, IDENTITY),
  sample: (random) =>
    copyBytes(encodeStagedSnapshot({ snapshot: sampleSnapshot(random, 300), files: sampleFiles(random) }, IDENTITY)),
};

const progressFile: RaftDecoder<StagingProgress> = {
  name: 'raft-progress-file',
  ...traits,
  copies: true,
  decode: (bytes) => decodeProgress(bytes, TRANSFER, IDENTITY),
  encode: (value) => encodeProgress(value, TRANSFER, IDENTITY),
  sample(random) {
    const progress = { file: random.int(9), offset: random.int(2 ** 32), crc: random.int(2 ** 32) };
    return copyBytes(encodeProgress(progress, TRANSFER, IDENTITY));
  },
};

export const stagingDecoders: readonly RaftDecoder[] = [transferFile, progressFile];
