/** Readers of protocol 2, and of the operations and conditions that are in commands of the log too. Each message has one encoding. */

import { strict as assert } from 'node:assert';

import {
  ByteWriter,
  type DecodedRequest2,
  decodeConditions,
  decodeOperations,
  decodeRequest2,
  decodeRequestHeader2,
  decodeResponse2,
  decodeResponseId2,
  encodeConditions,
  encodeOperations,
  encodeRequest2,
  encodeResponse2,
  type Request2,
  type RequestHeader2,
  type RequestKind2,
  type Response2,
} from '@kayadb/codec';
import type { Decoder } from '@kayadb/engine/testing';

import {
  REQUEST_KINDS_2,
  sampleConditions,
  sampleOperations,
  sampleRequest2,
  sampleResponse2,
} from './sample-messages-2.ts';

const FRAME_HEADER_BYTES = 4;

const request: Decoder<readonly [RequestHeader2, DecodedRequest2]> = {
  name: 'request-2',
  refusals: ['KAYA_MALFORMED'],
  // What is not supported is not looked at.
  isCanonical: ([, { kind }]) => kind !== 'unsupported',
  copies: false,
  decode: (bytes) => [decodeRequestHeader2(bytes), decodeRequest2(bytes)],
  encode([header, value]) {
    if (value.kind === 'unsupported') {
      return new ByteWriter().u32(header.id).u8(header.opcode).u32(header.deadlineMs).finish();
    }
    const copied = encodeRequest2(header, value);
    const encoded = encodeRequest2(header, withOwnLists(value));
    assert.deepEqual(copied, encoded, 'a list is the same bytes copied and encoded');
    return encoded.subarray(FRAME_HEADER_BYTES);
  },
  sample(random) {
    const envelope = { id: random.int(2 ** 32), deadlineMs: random.chance(0.5) ? 0 : random.int(10_000) };
    return encodeRequest2(envelope, sampleRequest2(random)).subarray(FRAME_HEADER_BYTES);
  },
};

/** The first byte says which request is answered. */
const response: Decoder<readonly [kindIndex: number, id: number, response: Response2]> = {
  name: 'response-2',
  refusals: ['KAYA_MALFORMED'],
  isCanonical: () => true,
  copies: false,
  decode(bytes) {
    const index = bytes[0] ?? 0;
    const frame = bytes.subarray(1);
    return [index, decodeResponseId2(frame), decodeResponse2(kindAt(index), frame)];
  },
  encode: ([index, id, value]) => Uint8Array.from([index, ...encodeResponse2(id, value).subarray(FRAME_HEADER_BYTES)]),
  sample(random) {
    const index = random.int(REQUEST_KINDS_2.length);
    const frame = encodeResponse2(random.int(2 ** 32), sampleResponse2(random, kindAt(index)));
    return Uint8Array.from([index, ...frame.subarray(FRAME_HEADER_BYTES)]);
  },
};

const operations: Decoder<ReturnType<typeof decodeOperations>> = {
  name: 'write-operations',
  refusals: ['KAYA_MALFORMED'],
  isCanonical: () => true,
  copies: false,
  decode: (bytes) => decodeOperations(bytes),
  encode: encodeOperations,
  sample: (random) => encodeOperations(sampleOperations(random)),
};

const conditions: Decoder<ReturnType<typeof decodeConditions>> = {
  name: 'write-conditions',
  refusals: ['KAYA_MALFORMED'],
  isCanonical: () => true,
  copies: false,
  decode: (bytes) => decodeConditions(bytes),
  encode: encodeConditions,
  sample: (random) => encodeConditions(sampleConditions(random)),
};

export const protocol2Decoders: readonly Decoder[] = [request, response, operations, conditions];

function kindAt(index: number): RequestKind2 {
  return REQUEST_KINDS_2[index % REQUEST_KINDS_2.length]!;
}

/** Lists that were read are copied as bytes; these have to be encoded. */
function withOwnLists(value: Request2): Request2 {
  if (value.kind !== 'write') return value;
  const { write } = value;
  return {
    kind: 'write',
    write: {
      place: write.place,
      conditions: [...write.conditions],
      operations: [...write.operations],
      otherwise: [...write.otherwise],
    },
  };
}
