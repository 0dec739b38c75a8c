/** Readers of untrusted bytes outside the engine's own formats: frames and messages of the client protocols, lock files, and `inspectFile`. */

import { strict as assert } from 'node:assert';

import {
  ByteWriter,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  FrameDecoder,
  type RequestKind,
  type Response,
} from '@kayadb/codec';
import { type InspectableKind, inspectFile } from '@kayadb/engine';
import { BytesFileSystem, type Decoder, engineDecoders } from '@kayadb/engine/testing';
import { decodeLockOwner, encodeLockOwner } from '@kayadb/vfs/testing';

import { byteReaderDecoder } from './byte-reader-decoder.ts';
import { connection } from './connection-decoder.ts';
import { cutStream } from './cut-stream.ts';
import { protocol2Decoders } from './protocol-2-decoders.ts';
import { REQUEST_KINDS, sampleRequest, sampleResponse } from './sample-messages.ts';

const FRAME_HEADER_BYTES = 4;
/** The first byte says where the stream is cut into chunks, the second one how long a frame may be. */
const frames: Decoder<readonly Uint8Array[]> = {
  name: 'frame',
  refusals: ['KAYA_FRAME_EMPTY', 'KAYA_FRAME_TOO_LARGE'],
  isCanonical: () => false,
  copies: false,
  decode(bytes) {
    const maxFrameBytes = 16 + 4 * (bytes[1] ?? 0);
    const stream = bytes.subarray(2);
    const whole = takeFrames(new FrameDecoder({ maxFrameBytes }), [stream]);
    const cut = takeFrames(new FrameDecoder({ maxFrameBytes }), cutStream(stream, bytes[0] ?? 0));
    assert.deepEqual(cut, whole, 'a stream gives the same frames however it is cut');
    if (whole.error !== undefined) throw whole.error;
    return whole.frames;
  },
  sample(random) {
    const writer = new ByteWriter().u8(random.int(256)).u8(random.int(256));
    for (let left = random.int(5); left > 0; left--) {
      const length = 1 + random.int(random.chance(0.2) ? 60 : 12);
      writer.u32(length).bytes(random.bytes(length));
    }
    return writer.finish();
  },
};

const request: Decoder<ReturnType<typeof decodeRequest>> = {
  name: 'request',
  refusals: ['KAYA_MALFORMED'],
  // The learner flag of a voter may be there or not; what is not supported is not looked at.
  isCanonical: ({ kind }) => kind !== 'add-member' && kind !== 'unsupported',
  copies: false,
  decode: decodeRequest,
  encode: (value) =>
    value.kind === 'unsupported' ? Uint8Array.of(value.opcode) : encodeRequest(value).subarray(FRAME_HEADER_BYTES),
  sample: (random) => encodeRequest(sampleRequest(random)).subarray(FRAME_HEADER_BYTES),
};

/** The first byte says which request is answered. */
const response: Decoder<readonly [RequestKind, Response]> = {
  name: 'response',
  refusals: ['KAYA_MALFORMED'],
  // Texts that are not UTF-8 and statuses without a name lose their bytes; the first byte stands for more than one request.
  isCanonical: () => false,
  copies: false,
  decode(bytes) {
    const kind = REQUEST_KINDS[(bytes[0] ?? 0) % REQUEST_KINDS.length]!;
    return [kind, decodeResponse(kind, bytes.subarray(1))];
  },
  encode: ([kind, value]) =>
    Uint8Array.from([REQUEST_KINDS.indexOf(kind as never), ...encodeResponse(value).subarray(FRAME_HEADER_BYTES)]),
  sample(random) {
    const kind = random.int(REQUEST_KINDS.length);
    const bytes = encodeResponse(sampleResponse(random, REQUEST_KINDS[kind]!)).subarray(FRAME_HEADER_BYTES);
    return Uint8Array.from([kind, ...bytes]);
  },
};

/** What is not a lock's content is no error but `undefined`. */
const lockOwner: Decoder<ReturnType<typeof decodeLockOwner>> = {
  name: 'lock-owner',
  refusals: [],
  isCanonical: () => false,
  copies: true,
  decode: decodeLockOwner,
  encode: (owner) => (owner === undefined ? new Uint8Array(0) : encodeLockOwner(owner)),
  sample: (random) =>
    encodeLockOwner({
      token: `t-${random.int(1000)}`,
      pid: 1 + random.int(100_000),
      host: random.chance(0.2) ? 'höst' : 'host',
      bootId: `boot-${random.int(100)}`,
      pidNamespace: 'pid:[4026531836]',
      startTicks: random.int(2 ** 31),
      takenAt: '2026-11-22T12:00:00.000Z',
    }),
};

/** Damage is part of the answer, so nothing is refused. */
function inspectionOf(kind: InspectableKind, name: string, from: string): Decoder {
  const source = engineDecoders.find((decoder) => decoder.name === from)!;
  const path = `/db/${name}`;
  return {
    name: `inspect-${kind}`,
    refusals: [],
    isCanonical: () => false,
    copies: true,
    decode: (bytes) => inspectFile(new BytesFileSystem(new Map([[path, bytes]])), path, kind, { showKeys: true }),
    // Of the log's two segments the first.
    sample: async (random) => {
      const bytes = await source.sample(random);
      return kind === 'wal' ? bytes.slice(2, 2 + bytes[0]! + 256 * bytes[1]!) : bytes;
    },
    reseal(bytes) {
      if (kind !== 'wal') return source.reseal?.(bytes);
      const segment = Uint8Array.from([bytes.length & 0xff, bytes.length >>> 8, ...bytes]);
      source.reseal?.(segment);
      bytes.set(segment.subarray(2));
    },
  };
}

export const otherDecoders: readonly Decoder[] = [
  frames,
  request,
  response,
  lockOwner,
  inspectionOf('wal', '000001.wal', 'wal'),
  inspectionOf('manifest', 'MANIFEST-000003', 'manifest'),
  inspectionOf('table', '000007.sst', 'table'),
  byteReaderDecoder,
  ...protocol2Decoders,
  connection,
];

interface TakenFrames {
  readonly frames: readonly Uint8Array[];
  readonly error: unknown;
}

function takeFrames(decoder: FrameDecoder, chunks: readonly Uint8Array[]): TakenFrames {
  const taken: Uint8Array[] = [];
  try {
    for (const chunk of chunks) {
      decoder.push(chunk);
      for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) taken.push(Uint8Array.from(frame));
    }
    return { frames: taken, error: undefined };
  } catch (error) {
    return { frames: taken, error };
  }
}
