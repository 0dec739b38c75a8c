/** What a node makes of a client's bytes from the first one on, the change of versions included, however they are cut. */

import { strict as assert } from 'node:assert';

import {
  answerHello,
  concatBytes,
  type DecodedRequest,
  type DecodedRequest2,
  decodeRequest,
  decodeRequest2,
  encodeRequest,
  encodeRequest2,
  FrameDecoder,
  type SpokenVersion,
} from '@kayadb/codec';
import type { Decoder } from '@kayadb/engine/testing';

import { cutStream } from './cut-stream.ts';
import { sampleRequest2 } from './sample-messages-2.ts';
import { sampleRequest } from './sample-messages.ts';

const MAX_FRAME_BYTES = 4096;

/** A request, and the version that it came in. */
type Heard = readonly [SpokenVersion, DecodedRequest | DecodedRequest2];

/** The first byte says where the stream is cut into chunks. */
export const connection: Decoder<readonly Heard[]> = {
  name: 'connection',
  refusals: ['KAYA_FRAME_EMPTY', 'KAYA_FRAME_TOO_LARGE', 'KAYA_MALFORMED'],
  isCanonical: () => false,
  copies: false,
  decode(bytes) {
    const stream = bytes.subarray(1);
    const whole = hear([stream]);
    const cut = hear(cutStream(stream, bytes[0] ?? 0));
    assert.deepEqual(cut, whole, 'a connection says the same however it is cut');
    if (whole.error !== undefined) throw whole.error;
    return whole.heard;
  },
  sample(random) {
    const version = random.int(4);
    const frames = [encodeRequest({ kind: 'hello', version })];
    if (random.chance(0.1)) frames.unshift(encodeRequest(sampleRequest(random)));
    for (let left = random.int(4); left > 0; left--) {
      const is2 = version === 2 && frames[0]![4] === 0;
      frames.push(
        is2
          ? encodeRequest2({ id: left, deadlineMs: 0 }, sampleRequest2(random))
          : encodeRequest(sampleRequest(random)),
      );
    }
    return concatBytes([random.bytes(1), ...frames]);
  },
};

function hear(chunks: readonly Uint8Array[]): { readonly heard: readonly Heard[]; readonly error: unknown } {
  const decoder = new FrameDecoder({ maxFrameBytes: MAX_FRAME_BYTES });
  const heard: Heard[] = [];
  let version: SpokenVersion = 1;
  try {
    for (const chunk of chunks) {
      decoder.push(chunk);
      for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
        const request: DecodedRequest | DecodedRequest2 = version === 2 ? decodeRequest2(frame) : decodeRequest(frame);
        heard.push([version, request]);
        if (request.kind === 'hello') {
          version = answerHello(request.version, { isFirstRequest: heard.length === 1, highest: 2 }).next;
        }
      }
    }
    return { heard, error: undefined };
  } catch (error) {
    return { heard, error };
  }
}
