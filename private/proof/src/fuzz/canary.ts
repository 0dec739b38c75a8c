/** Decoders with planted bugs: a fuzzer that does not find them finds nothing. */

import { ByteReader, ByteWriter, crc32c, DecodeError, writeU32 } from '@kayadb/codec';
import type { Decoder } from '@kayadb/engine/testing';

const CRC_BYTES = 4;
const LIST = 3;

/** A checksum, a kind, a varint length, so many bytes. Of one kind, which no sample has, the length is trusted. */
export const trustingCanary: Decoder<number> = {
  name: 'canary-trusting',
  refusals: ['KAYA_MALFORMED'],
  isCanonical: () => false,
  copies: true,
  decode(bytes) {
    const reader = openSealed(bytes);
    const kind = reader.u8('kind');
    const length = reader.varint('length');
    if (kind > LIST) throw new DecodeError(`kind ${kind} is not known`, CRC_BYTES);
    if (kind !== LIST) return reader.bytes(length, 'content').length;
    let sum = 0;
    // The bug: no look at how many bytes there are.
    for (const byte of new Uint8Array(bytes.buffer, reader.offset, length)) sum += byte;
    return sum;
  },
  sample: (random) => sealed(Uint8Array.of(random.int(LIST), 5, ...random.bytes(5))),
  reseal,
};

/** A checksum and two bytes, the second looked at only if the first is right: found by going on from what came that far. */
export const nestedCanary: Decoder<number> = {
  name: 'canary-nested',
  refusals: ['KAYA_MALFORMED'],
  isCanonical: () => false,
  copies: true,
  decode(bytes) {
    const reader = openSealed(bytes);
    if (reader.u8('first') !== 0x7f) return bytes.length;
    if (reader.u8('second') !== 0x03) throw new DecodeError('the second byte is wrong', reader.offset);
    throw new TypeError('the planted bug');
  },
  sample: (random) => sealed(random.bytes(6)),
  reseal,
};

function openSealed(bytes: Uint8Array): ByteReader {
  const reader = new ByteReader(bytes);
  if (reader.u32('checksum') !== crc32c(bytes, 0, CRC_BYTES)) throw new DecodeError('the checksum does not match', 0);
  return reader;
}

function sealed(content: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(new ByteWriter().u32(0).bytes(content).finish());
  reseal(bytes);
  return bytes;
}

function reseal(bytes: Uint8Array): void {
  if (bytes.length >= CRC_BYTES) writeU32(bytes, 0, crc32c(bytes, 0, CRC_BYTES));
}
