/** Readers of what other nodes send. Formats: docs/format/raft-messages.md, docs/format/raft-snapshot-transfer.md. */

import { copyBytes, crc32c, writeU32 } from '@kayadb/codec';

import type { PeerMessage } from '../core/message.ts';
import { decodePeerFrame, isTransferMessage } from '../wire/decode-peer-frame.ts';
import { decodePeerMessage } from '../wire/decode-peer-message.ts';
import { decodeTransferMessage } from '../wire/decode-transfer-message.ts';
import { encodePeerMessage } from '../wire/encode-peer-message.ts';
import { encodeTransferMessage } from '../wire/encode-transfer-message.ts';
import type { TransferMessage } from '../wire/transfer-message.ts';
import type { RaftDecoder, SampleSource } from './decoder.ts';
import { samplePeerMessage, sampleTransferMessage } from './sample-messages.ts';

const LENGTH_BYTES = 4;
const CRC_BYTES = 4;

const traits = {
  refusals: ['KAYA_RAFT_MALFORMED', 'KAYA_RAFT_UNSUPPORTED'],
  isCanonical: () => true,
  copies: false,
  reseal(bytes: Uint8Array): void {
    if (bytes.length >= CRC_BYTES) writeU32(bytes, 0, crc32c(bytes, 0, CRC_BYTES));
  },
};

const peerMessage: RaftDecoder<PeerMessage> = {
  name: 'raft-message',
  ...traits,
  decode: decodePeerMessage,
  encode: (message) => withoutLength(encodePeerMessage(message)),
  sample: (random) => withoutLength(encodePeerMessage(samplePeerMessage(random))),
};

const transferMessage: RaftDecoder<TransferMessage> = {
  name: 'raft-transfer-message',
  ...traits,
  decode: decodeTransferMessage,
  encode: (message) => withoutLength(encodeTransferMessage(message)),
  sample: (random) => withoutLength(encodeTransferMessage(sampleTransferMessage(random))),
};

const peerFrame: RaftDecoder<PeerMessage | TransferMessage> = {
  name: 'raft-frame',
  ...traits,
  decode: decodePeerFrame,
  encode: encodeEither,
  sample: (random: SampleSource) =>
    encodeEither(random.chance(0.5) ? samplePeerMessage(random) : sampleTransferMessage(random)),
};

export const messageDecoders: readonly RaftDecoder[] = [peerMessage, transferMessage, peerFrame];

function encodeEither(message: PeerMessage | TransferMessage): Uint8Array {
  return withoutLength(isTransferMessage(message) ? encodeTransferMessage(message) : encodePeerMessage(message));
}

function withoutLength(frame: Uint8Array): Uint8Array {
  return copyBytes(frame.subarray(LENGTH_BYTES));
}
