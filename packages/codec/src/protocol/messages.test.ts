/** Requests and responses: round trips of random messages, and totality on cut, mutated and random bytes. */

import { seededRandom, testSeed } from '@kayadb/testkit';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { DecodeError } from '../errors.ts';
import { writeU32 } from '../fixed-int.ts';
import { decodeRequest } from './decode-request.ts';
import { decodeResponse } from './decode-response.ts';
import { encodeRequest } from './encode-request.ts';
import { encodeResponse } from './encode-response.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { ProtocolError } from './protocol-error.ts';
import type { Credential, Request, RequestKind } from './request.ts';
import { OK_RESPONSE_KIND, type Response } from './response.ts';
import { MAX_DECODED_SCAN_ITEMS, MAX_FRAME_BYTES } from './wire-format.ts';

const bytes = fc.uint8Array({ maxLength: 40 });
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const kinds = Object.keys(OK_RESPONSE_KIND) as RequestKind[];

function credential(kind: Credential['kind']): fc.Arbitrary<Credential | undefined> {
  return fc.option(fc.record({ kind: fc.constant(kind), token: bytes }), { nil: undefined });
}

const routed = {
  credential: credential('client'),
  rangeEpoch: fc.option(fc.maxSafeNat(), { nil: undefined }),
};
/** Bare ids that do not look like an operator prefix, whose fifth byte is not zero. */
const memberId = fc.nat({ max: 2 ** 31 - 1 });

const anyRequest: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ kind: fc.constant('hello' as const), version: fc.nat({ max: 0xffff }) }),
  fc.record({ kind: fc.constant('put' as const), key: bytes, value: bytes, ...routed }),
  fc.record({ kind: fc.constantFrom('get' as const, 'delete' as const), key: bytes, ...routed }),
  fc.record({ kind: fc.constant('scan' as const), prefix: bytes, ...routed }),
  fc.record({ kind: fc.constant('health' as const) }),
  fc.record({ kind: fc.constant('stats' as const), credential: credential('client') }),
  fc.record({
    kind: fc.constant('add-member' as const),
    id: memberId,
    raftAddress: text,
    clientAddress: text,
    isLearner: fc.boolean(),
    credential: credential('operator'),
  }),
  fc.record({
    kind: fc.constantFrom('remove-member' as const, 'promote-learner' as const),
    id: memberId,
    credential: credential('operator'),
  }),
  fc.record({
    kind: fc.constant('transfer-leader' as const),
    group: memberId,
    target: memberId,
    credential: credential('operator'),
  }),
);

const refusal: fc.Arbitrary<Response> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('invalid-argument' as const, 'conflict' as const, 'error' as const),
    message: text,
  }),
  fc.record({ kind: fc.constant('not-found' as const) }),
  fc.record({
    kind: fc.constant('not-leader' as const),
    leaderAddress: fc.option(
      text.filter((each) => each !== ''),
      { nil: undefined },
    ),
  }),
  fc.record({ kind: fc.constant('range-moved' as const), table: bytes }),
);

const okResponses: Record<(typeof OK_RESPONSE_KIND)[RequestKind], fc.Arbitrary<Response>> = {
  done: fc.constant({ kind: 'done' }),
  value: fc.record({ kind: fc.constant('value' as const), value: bytes }),
  items: fc.record({
    kind: fc.constant('items' as const),
    items: fc.array(fc.record({ key: bytes, value: bytes }), { maxLength: 10 }),
  }),
  version: fc.record({ kind: fc.constant('version' as const), version: fc.nat({ max: 0xffff }) }),
  role: fc.record({
    kind: fc.constant('role' as const),
    role: fc.constantFrom('leader' as const, 'follower' as const),
  }),
  text: fc.record({ kind: fc.constant('text' as const), text }),
};

const anyAnswer: fc.Arbitrary<readonly [RequestKind, Response]> = fc
  .constantFrom(...kinds)
  .chain((kind) => fc.tuple(fc.constant(kind), fc.oneof(okResponses[OK_RESPONSE_KIND[kind]], refusal)));

function bodyOf(frame: Uint8Array): Uint8Array {
  const decoder = new FrameDecoder();
  decoder.push(frame);
  return decoder.next()!;
}

/** What a total decoder may do: return, or throw DecodeError. Anything else escapes and fails the test. */
function isAccepted(decode: () => unknown): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

describe('requests', () => {
  test('survive the round trip, in a frame of exactly their size', () => {
    const property = fc.property(anyRequest, (request) => {
      const frame = encodeRequest(request);
      expect(frame.buffer.byteLength).toBe(frame.length);
      expect(decodeRequest(bodyOf(frame))).toEqual(request);
    });

    fc.assert(property, { seed: testSeed(), numRuns: 1000 });
  });

  test('are refused when cut at any byte or followed by one', () => {
    const property = fc.property(anyRequest, (request) => {
      const body = bodyOf(encodeRequest(request));
      for (let length = 0; length < body.length; length++) {
        // A bare STATS is a whole request, and a learner flag may be missing.
        const mayEndHere = (request.kind === 'stats' && length === 1) || isLearnerFlag(request, body, length);
        expect(isAccepted(() => decodeRequest(body.subarray(0, length)))).toBe(mayEndHere);
      }
      const mayGoOn = request.kind === 'add-member' && !request.isLearner;
      expect(isAccepted(() => decodeRequest(Uint8Array.of(...body, 0)))).toBe(mayGoOn);
    });

    fc.assert(property, { seed: testSeed() });
  });

  test('of mutated and random bytes are a message or a DecodeError', () => {
    const random = seededRandom(testSeed());
    const samples = fc.sample(anyRequest, { seed: testSeed(), numRuns: 200 }).map(encodeRequest).map(bodyOf);
    let accepted = 0;

    for (let round = 0; round < 50; round++) {
      for (const sample of samples) {
        const mutated = sample.slice();
        for (let i = random.int(3); i >= 0; i--) mutated[random.int(mutated.length)] = random.int(256);
        if (isAccepted(() => decodeRequest(mutated))) accepted++;
      }
      for (let opcode = 0; opcode < 24; opcode++) {
        const noise = Uint8Array.of(opcode, ...random.bytes(random.int(60)));
        if (isAccepted(() => decodeRequest(noise))) accepted++;
      }
    }

    expect(accepted).toBeGreaterThan(1000);
    expect(isAccepted(() => decodeRequest(new Uint8Array(0)))).toBe(false);
  });

  test('with an opcode of the original that is not served are unsupported, whatever follows', () => {
    expect(decodeRequest(Uint8Array.of(13, 1, 2, 3))).toEqual({ kind: 'unsupported', opcode: 13 });
    expect(decodeRequest(Uint8Array.of(255))).toEqual({ kind: 'unsupported', opcode: 255 });
  });

  test('take a credential for what it is only where their opcode carries one', () => {
    const asKey = encodeRequest({ kind: 'get', key: Uint8Array.from(Buffer.from('ADMIN\0\0\0')) });
    const health = Uint8Array.of(5, ...Buffer.from('CLIENT\0\0\0'));

    expect(decodeRequest(bodyOf(asKey))).toMatchObject({ kind: 'get', credential: undefined });
    expect(isAccepted(() => decodeRequest(health))).toBe(false);
  });

  test('share the memory of their frame', () => {
    const body = bodyOf(encodeRequest({ kind: 'put', key: Uint8Array.of(1), value: Uint8Array.of(2) }));

    const request = decodeRequest(body);

    expect(request.kind === 'put' && request.value.buffer === body.buffer).toBe(true);
  });

  test('over the limits are refused by the encoder', () => {
    const key = Uint8Array.of(1);
    const token = new Uint8Array(0x1_0000);
    const value = new Uint8Array(MAX_FRAME_BYTES - 10);

    expect(encodeRequest({ kind: 'put', key, value }).length).toBe(MAX_FRAME_BYTES + 4);
    expect(() => encodeRequest({ kind: 'put', key: Uint8Array.of(1, 2), value })).toThrow(ProtocolError);
    expect(() => encodeRequest({ kind: 'stats', credential: { kind: 'client', token } })).toThrow(RangeError);
  });
});

function isLearnerFlag(request: Request, body: Uint8Array, length: number): boolean {
  return request.kind === 'add-member' && request.isLearner && length === body.length - 1;
}

describe('responses', () => {
  test('survive the round trip, in a frame of exactly their size', () => {
    const property = fc.property(anyAnswer, ([kind, response]) => {
      const frame = encodeResponse(response);
      expect(frame.buffer.byteLength).toBe(frame.length);
      expect(decodeResponse(kind, bodyOf(frame))).toEqual(response);
    });

    fc.assert(property, { seed: testSeed(), numRuns: 1000 });
  });

  test('of cut, mutated and random bytes are a message or a DecodeError', () => {
    const random = seededRandom(testSeed());
    const samples = fc.sample(anyAnswer, { seed: testSeed(), numRuns: 200 });
    let accepted = 0;

    for (const [kind, response] of samples) {
      const body = bodyOf(encodeResponse(response));
      for (let length = 0; length < body.length; length++)
        isAccepted(() => decodeResponse(kind, body.subarray(0, length)));
      for (let round = 0; round < 50; round++) {
        const mutated = body.slice();
        mutated[random.int(mutated.length)] = random.int(256);
        if (isAccepted(() => decodeResponse(kind, mutated))) accepted++;
        isAccepted(() => decodeResponse(kind, random.bytes(random.int(60))));
      }
    }

    expect(accepted).toBeGreaterThan(1000);
    expect(isAccepted(() => decodeResponse('put', Uint8Array.of(0)))).toBe(false);
  });

  test('with a status without a name are errors', () => {
    expect(decodeResponse('get', Uint8Array.of(0xe8, 0x03, 1, 2, 3))).toEqual({
      kind: 'error',
      message: 'status 1000',
    });
    expect(decodeResponse('get', Uint8Array.of(5, 0))).toEqual({ kind: 'error', message: 'status 5' });
  });

  test('of a scan are not read beyond the cap, nor beyond what their bytes can hold', () => {
    const tooMany = new Uint8Array(6 + 8 * (MAX_DECODED_SCAN_ITEMS + 1));
    writeU32(tooMany, 2, MAX_DECODED_SCAN_ITEMS + 1);
    const impossible = new Uint8Array(6 + 8);
    writeU32(impossible, 2, 2);

    expect(() => decodeResponse('scan', tooMany)).toThrow(/1000001 items, at most 1000000/);
    expect(() => decodeResponse('scan', impossible)).toThrow(/8 bytes cannot hold 2 items/);
  });

  test('over the frame limit are refused by the encoder', () => {
    const value = new Uint8Array(MAX_FRAME_BYTES);

    expect(() => encodeResponse({ kind: 'value', value })).toThrow(ProtocolError);
    expect(() => encodeResponse({ kind: 'items', items: [{ key: value, value }] })).toThrow(ProtocolError);
  });
});
