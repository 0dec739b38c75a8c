/** Requests and responses of protocol 2: round trips of random messages, and totality on cut, mutated and random bytes. */

import { seededRandom, testSeed } from '@kayadb/testkit';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { DecodeError } from '../errors.ts';
import { FrameDecoder } from '../protocol/frame-decoder.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import { MAX_FRAME_BYTES } from '../protocol/wire-format.ts';
import { encodeConditions } from './conditions.ts';
import { decodeRequest2 } from './decode-request-2.ts';
import { decodeResponse2 } from './decode-response-2.ts';
import { encodeRequest2 } from './encode-request-2.ts';
import { encodeResponse2 } from './encode-response-2.ts';
import { decodeRequestHeader2, decodeResponseId2 } from './frame-2.ts';
import { encodeOperations } from './operations.ts';
import type { Freshness, Request2, RequestKind2 } from './request.ts';
import { HEALTH_ROLES, OK_RESPONSE_KIND_2, type OkResponse2, type Page, type Response2 } from './response.ts';
import { MAX_GET_MANY_KEYS, MAX_PAGE_BYTES, MAX_PAGE_ROWS } from './wire-format-2.ts';
import { MAX_COMMAND_OPERATIONS, MAX_USER_KEY_BYTES, MAX_USER_VALUE_BYTES, MAX_WRITE_BYTES } from './write-format.ts';
import type { Write, WriteCondition, WriteOperation } from './write.ts';

const bytes = fc.uint8Array({ maxLength: 40 });
const key = fc.uint8Array({ minLength: 1, maxLength: 40 });
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const address = fc.option(
  text.filter((each) => each !== ''),
  { nil: undefined },
);
const number = fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat());
const positive = number.map((each) => Math.max(1, each));
const id = fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 0xffff_ffff }));
const kinds = Object.keys(OK_RESPONSE_KIND_2) as RequestKind2[];

function constant<const Kind extends string>(...each: Kind[]): fc.Arbitrary<Kind> {
  return fc.constantFrom(...each);
}

const freshness: fc.Arbitrary<Freshness> = fc.oneof(
  fc.record({ kind: constant('linearizable', 'lease', 'stale') }),
  fc.record({ kind: constant('bounded'), maxStalenessMs: number }),
);

const operation: fc.Arbitrary<WriteOperation> = fc.oneof(
  fc.record({ kind: constant('put'), key, value: bytes }),
  fc.record({ kind: constant('delete'), key }),
  fc.record({ kind: constant('delete-range'), from: bytes, to: bytes }),
);

const condition: fc.Arbitrary<WriteCondition> = fc.oneof(
  fc.record({ kind: constant('exists'), key, exists: fc.boolean() }),
  fc.record({ kind: constant('value'), key, value: bytes }),
  fc.record({ kind: constant('revision'), key, revision: number }),
);

const write: fc.Arbitrary<Write> = fc.record({
  place: fc.option(fc.record({ session: positive, serial: positive, settled: number }), { nil: undefined }),
  conditions: fc.array(condition, { maxLength: 12, size: 'medium' }),
  operations: fc.array(operation, { maxLength: 12, size: 'medium' }),
  otherwise: fc.array(operation, { maxLength: 12, size: 'medium' }),
});

const anyRequest: fc.Arbitrary<Request2> = fc.oneof(
  fc.record({ kind: constant('auth'), role: constant('client', 'operator'), token: bytes }),
  fc.record({ kind: constant('cancel'), target: id }),
  fc.record({ kind: constant('health', 'status', 'members') }),
  fc.record({ kind: constant('get'), freshness, key }),
  fc.record({ kind: constant('get-many'), freshness, keys: fc.array(key, { maxLength: 5 }) }),
  fc.record({ kind: constant('write'), write }),
  fc.record({
    kind: constant('scan'),
    freshness,
    range: fc.record({ from: bytes, isFromExclusive: fc.boolean(), to: bytes, isToInclusive: fc.boolean() }),
    isDescending: fc.boolean(),
    isWithoutValues: fc.boolean(),
    limit: number,
    pageBytes: fc.nat({ max: MAX_PAGE_BYTES }),
    pageRows: fc.nat({ max: MAX_PAGE_ROWS }),
  }),
  fc.record({ kind: constant('more', 'end-scan'), scan: id }),
  fc.record({ kind: constant('open-session'), expiryMs: number }),
  fc.record({ kind: constant('touch-session', 'close-session'), session: positive }),
  fc.record({
    kind: constant('add-member'),
    node: positive,
    peerAddress: text,
    clientAddress: text,
    isDryRun: fc.boolean(),
    staysLearner: fc.boolean(),
  }),
  fc.record({ kind: constant('promote-member', 'remove-member'), node: positive, isDryRun: fc.boolean() }),
  fc.record({ kind: constant('transfer-leader'), node: number }),
);

const row = fc.option(fc.record({ revision: number, value: bytes }), { nil: undefined });

const page: fc.Arbitrary<Page> = fc.boolean().chain((isWithoutValues) => {
  const value = isWithoutValues ? fc.constant(new Uint8Array(0)) : bytes;
  const rows = fc.array(fc.record({ key, revision: number, value }), { maxLength: 5 });
  return fc.tuple(number, fc.boolean(), rows).map(([revision, isLast, each]) => {
    return { revision, isLast: isLast || each.length === 0, isWithoutValues, rows: each };
  });
});

const okResponses: Record<OkResponse2['kind'], fc.Arbitrary<OkResponse2>> = {
  done: fc.constant({ kind: 'done' }),
  health: fc.record({ kind: constant('health'), role: constant(...HEALTH_ROLES), leaderAddress: address }),
  row: fc.record({ kind: constant('row'), row }),
  rows: fc.record({ kind: constant('rows'), rows: fc.array(row, { maxLength: 5 }) }),
  written: fc.record({
    kind: constant('written'),
    answer: fc.record({ revision: number, term: number, failed: fc.option(number, { nil: undefined }) }),
  }),
  page: fc.record({ kind: constant('page'), page }),
  session: fc.record({ kind: constant('session'), session: positive, expiryMs: number }),
  text: fc.record({ kind: constant('text'), text }),
};

const refusal: fc.Arbitrary<Response2> = fc.record({
  kind: constant('refused'),
  code: text,
  outcome: constant('not-done', 'unknown'),
  message: text,
  leaderAddress: address,
});

const anyAnswer: fc.Arbitrary<readonly [RequestKind2, Response2]> = fc
  .constantFrom(...kinds)
  .chain((kind) => fc.tuple(fc.constant(kind), fc.oneof(okResponses[OK_RESPONSE_KIND_2[kind]], refusal)));

function bodyOf(frame: Uint8Array): Uint8Array {
  const decoder = new FrameDecoder();
  decoder.push(frame);
  return decoder.next()!;
}

function toHex(frame: Uint8Array): string {
  return Buffer.from(frame).toString('hex');
}

/** What a total decoder may do: return, or throw DecodeError. Anything else escapes and fails the test. */
function attempt<Value>(decode: () => Value): Value | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** The same write in lists of its own, which have to be encoded: those that were read are copied as bytes. */
function withOwnLists(request: Request2): Request2 {
  if (request.kind !== 'write') return request;
  const { place, conditions, operations, otherwise } = request.write;
  return {
    kind: 'write',
    write: { place, conditions: [...conditions], operations: [...operations], otherwise: [...otherwise] },
  };
}

/** What came of decoding: whether it was accepted, and then, encoded again, whether it is the same bytes. */
type Verdict = 'refused' | 'same' | 'other';

function judgeRequest(body: Uint8Array): Verdict {
  const request = attempt(() => decodeRequest2(body));
  if (request === undefined) return 'refused';
  if (request.kind === 'unsupported') return 'same';
  const again = bodyOf(encodeRequest2(decodeRequestHeader2(body), withOwnLists(request)));
  return Buffer.compare(again, body) === 0 ? 'same' : 'other';
}

function judgeResponse(kind: RequestKind2, body: Uint8Array): Verdict {
  const response = attempt(() => decodeResponse2(kind, body));
  if (response === undefined) return 'refused';
  const again = bodyOf(encodeResponse2(decodeResponseId2(body), response));
  return Buffer.compare(again, body) === 0 ? 'same' : 'other';
}

function putOf(valueBytes: number): Write {
  const operations: WriteOperation[] = [{ kind: 'put', key: Uint8Array.of(1), value: new Uint8Array(valueBytes) }];
  return { conditions: [], operations, otherwise: [] };
}

const envelope = { id: 1, deadlineMs: 0 };

describe('lists of a WRITE', () => {
  const lists: Write = {
    conditions: Array.from({ length: 20 }, (_, i) => ({ kind: 'revision', key: Uint8Array.of(i), revision: i * 100 })),
    operations: Array.from({ length: 20 }, (_, i) => ({
      kind: 'put',
      key: Uint8Array.of(i),
      value: new Uint8Array(i),
    })),
    otherwise: Array.from({ length: 20 }, (_, i) => ({ kind: 'delete', key: Uint8Array.of(i) })),
  };

  test('are the same bytes when they are copied and when they are encoded', () => {
    const request = decodeRequest2(bodyOf(encodeRequest2(envelope, { kind: 'write', write: lists })));
    const read = request.kind === 'write' ? request.write : lists;

    expect(read).not.toBe(lists);
    expect(toHex(encodeOperations(read.operations))).toBe(toHex(encodeOperations(lists.operations)));
    expect(toHex(encodeOperations(read.otherwise))).toBe(toHex(encodeOperations(lists.otherwise)));
    expect(toHex(encodeConditions(read.conditions))).toBe(toHex(encodeConditions(lists.conditions)));
  });

  test('that others were made of are encoded', () => {
    const request = decodeRequest2(bodyOf(encodeRequest2(envelope, { kind: 'write', write: lists })));
    const read = request.kind === 'write' ? request.write : lists;

    const fewer = encodeOperations(read.operations.slice(0, 10));

    expect(toHex(fewer)).toBe(toHex(encodeOperations(lists.operations.slice(0, 10))));
  });
});

describe('requests of protocol 2', () => {
  test('survive the round trip, in a frame of exactly their size', () => {
    const property = fc.property(anyRequest, id, id, (request, requestId, deadlineMs) => {
      const frame = encodeRequest2({ id: requestId, deadlineMs }, request);
      const body = bodyOf(frame);
      expect(frame.buffer.byteLength).toBe(frame.length);
      expect(decodeRequestHeader2(body)).toEqual({ id: requestId, deadlineMs, opcode: body[4] });
      expect(decodeRequest2(body)).toEqual(request);
    });

    fc.assert(property, { seed: testSeed(), numRuns: 300 });
  });

  test('are refused when cut at any byte or followed by one', () => {
    const property = fc.property(anyRequest, (request) => {
      const body = bodyOf(encodeRequest2(envelope, request));
      const cuts = Array.from({ length: body.length }, (_, length) => judgeRequest(body.subarray(0, length)));
      expect(new Set(cuts)).toEqual(new Set(['refused']));
      expect(judgeRequest(Uint8Array.of(...body, 0))).toBe('refused');
    });

    fc.assert(property, { seed: testSeed() });
  });

  test('of mutated and random bytes are a message in its one encoding, or a DecodeError', () => {
    const random = seededRandom(testSeed());
    const samples = fc.sample(anyRequest, { seed: testSeed(), numRuns: 200 });
    const bodies = samples.map((request) => bodyOf(encodeRequest2(envelope, request)));
    const verdicts: Verdict[] = [];

    for (let round = 0; round < 25; round++) {
      for (const body of bodies) {
        const mutated = body.slice();
        for (let i = random.int(3); i >= 0; i--) mutated[random.int(mutated.length)] = random.int(256);
        verdicts.push(judgeRequest(mutated));
      }
      for (let opcode = 0; opcode < 20; opcode++) {
        const noise = Uint8Array.of(1, 0, 0, 0, opcode, 0, 0, 0, 0, ...random.bytes(random.int(30)));
        verdicts.push(judgeRequest(noise));
      }
    }

    expect(verdicts.filter((each) => each === 'same').length).toBeGreaterThan(1000);
    expect(verdicts).not.toContain('other');
  });

  test('with an opcode that is not served are unsupported, whatever follows', () => {
    expect(decodeRequest2(Uint8Array.of(1, 0, 0, 0, 19, 0, 0, 0, 0, 7))).toEqual({ kind: 'unsupported', opcode: 19 });
    expect(decodeRequest2(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0))).toEqual({ kind: 'unsupported', opcode: 0 });
  });

  test('share the memory of their frame', () => {
    const body = bodyOf(encodeRequest2(envelope, { kind: 'get', freshness: { kind: 'stale' }, key: Uint8Array.of(1) }));

    const request = decodeRequest2(body);

    expect(request.kind === 'get' && request.key.buffer === body.buffer).toBe(true);
  });

  test('of the largest key and value are encoded and decoded, and not of one byte more', () => {
    const most = { key: new Uint8Array(MAX_USER_KEY_BYTES), value: new Uint8Array(MAX_USER_VALUE_BYTES) };
    const operations: WriteOperation[] = [{ kind: 'put', ...most }];
    const keyOver: Request2 = {
      kind: 'get',
      freshness: { kind: 'stale' },
      key: new Uint8Array(MAX_USER_KEY_BYTES + 1),
    };

    const body = bodyOf(
      encodeRequest2(envelope, { kind: 'write', write: { conditions: [], operations, otherwise: [] } }),
    );
    const request = decodeRequest2(body);

    expect(request.kind === 'write' && request.write.operations[0]).toMatchObject({ kind: 'put' });
    expect(() => encodeRequest2(envelope, keyOver)).toThrow(/key has 4097 bytes/);
    expect(() => encodeRequest2(envelope, { kind: 'write', write: putOf(MAX_USER_VALUE_BYTES + 1) })).toThrow(
      RangeError,
    );
  });

  test('that write more than a command holds are refused on both sides', () => {
    const half = putOf((MAX_WRITE_BYTES >>> 1) - 16).operations[0]!;
    const body = new Uint8Array(9 + 1 + MAX_WRITE_BYTES + 1);
    body[4] = 6;

    const fits = encodeRequest2(envelope, { kind: 'write', write: { ...putOf(0), operations: [half, half] } });

    expect(isRequestBody(fits)).toBe(true);
    expect(() =>
      encodeRequest2(envelope, {
        kind: 'write',
        write: { ...putOf(64), operations: [half, half, putOf(64).operations[0]!] },
      }),
    ).toThrow(/a write has 33554\d+ bytes/);
    expect(() => decodeRequest2(body)).toThrow(/a write has 33554369 bytes/);
  });

  test('that write more operations and conditions than a command holds are refused on both sides', () => {
    const one: WriteOperation = { kind: 'delete', key: Uint8Array.of(1) };
    const conditions: WriteCondition[] = [{ kind: 'exists', key: Uint8Array.of(1), exists: true }];
    const operations = Array.from({ length: MAX_COMMAND_OPERATIONS - 2 }, () => one);
    const fits = encodeRequest2(envelope, { kind: 'write', write: { conditions, operations, otherwise: [one] } });
    const over = bodyOf(fits.slice());
    over[over.length - 4] = 2;

    expect(isRequestBody(fits)).toBe(true);
    expect(() => decodeRequest2(over)).toThrow(/count of otherwise is 2; it is at most 1/);
    expect(() =>
      encodeRequest2(envelope, { kind: 'write', write: { conditions, operations, otherwise: [one, one] } }),
    ).toThrow(/a write has 10001 operations/);
  });

  test.each([
    ['keys', [5, 2, 2, 1, 1, 1], '3 bytes cannot hold 2 keys'],
    ['conditions', [6, 0, 2, 0, 1, 1, 0, 0, 0, 0], '7 bytes cannot hold 2 conditions'],
    ['operations', [6, 0, 0, 2, 1, 1, 1, 0, 0], '5 bytes cannot hold 2 operations'],
    ['otherwise', [6, 0, 0, 0, 2, 1, 1, 1, 0, 0], '5 bytes cannot hold 2 otherwise'],
  ])(
    'that cannot hold as many %s as they say are refused before one is read',
    (_what, [opcode, ...payload], message) => {
      const frame = Uint8Array.of(1, 0, 0, 0, opcode!, 0, 0, 0, 0, ...payload);

      expect(() => decodeRequest2(frame)).toThrow(message);
    },
  );

  test.each<[string, Request2]>([
    ['too many keys', { kind: 'get-many', freshness: { kind: 'stale' }, keys: manyKeys(MAX_GET_MANY_KEYS + 1) }],
    ['no session', { kind: 'touch-session', session: 0 }],
    ['a number that is none', { kind: 'open-session', expiryMs: Number.NaN }],
    ['a negative number', { kind: 'open-session', expiryMs: -1 }],
    ['a fraction', { kind: 'open-session', expiryMs: 0.5 }],
    ['a number of 2^53', { kind: 'open-session', expiryMs: 2 ** 53 }],
    ['an id that is no u32', { kind: 'more', scan: 2 ** 32 }],
    ['a token that is too long', { kind: 'auth', role: 'client', token: new Uint8Array(0x1_0000) }],
  ])('with %s are refused by the encoder', (_what, request) => {
    expect(() => encodeRequest2(envelope, request)).toThrow(RangeError);
  });
});

function isRequestBody(frame: Uint8Array): boolean {
  return decodeRequest2(bodyOf(frame)).kind === 'write';
}

function manyKeys(count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, () => Uint8Array.of(1));
}

describe('responses of protocol 2', () => {
  test('survive the round trip, in a frame of exactly their size', () => {
    const property = fc.property(anyAnswer, id, ([kind, response], requestId) => {
      const frame = encodeResponse2(requestId, response);
      const body = bodyOf(frame);
      expect(frame.buffer.byteLength).toBe(frame.length);
      expect(decodeResponseId2(body)).toBe(requestId);
      expect(decodeResponse2(kind, body)).toEqual(response);
    });

    fc.assert(property, { seed: testSeed(), numRuns: 300 });
  });

  test('are refused when cut at any byte or followed by one', () => {
    const property = fc.property(anyAnswer, ([kind, response]) => {
      const body = bodyOf(encodeResponse2(1, response));
      const cuts = Array.from({ length: body.length }, (_, length) => judgeResponse(kind, body.subarray(0, length)));
      expect(new Set(cuts)).toEqual(new Set(['refused']));
      expect(judgeResponse(kind, Uint8Array.of(...body, 0))).toBe('refused');
    });

    fc.assert(property, { seed: testSeed() });
  });

  test('of mutated and random bytes are a message in its one encoding, or a DecodeError', () => {
    const random = seededRandom(testSeed());
    const samples = fc.sample(anyAnswer, { seed: testSeed(), numRuns: 200 });
    const verdicts: Verdict[] = [];

    for (const [kind, response] of samples) {
      const body = bodyOf(encodeResponse2(1, response));
      for (let round = 0; round < 25; round++) {
        const mutated = body.slice();
        mutated[random.int(mutated.length)] = random.int(256);
        verdicts.push(judgeResponse(kind, mutated));
        verdicts.push(judgeResponse(kind, random.bytes(random.int(60))));
      }
    }

    expect(verdicts.filter((each) => each === 'same').length).toBeGreaterThan(1000);
    expect(verdicts).not.toContain('other');
  });

  test.each<[string, RequestKind2, number[], string]>([
    ['rows', 'get-many', [3, 0, 0], '2 bytes cannot hold 3 rows'],
    ['rows of a page', 'scan', [9, 1, 2, 1, 1, 1, 0, 1, 1, 1], '7 bytes cannot hold 2 rows'],
    ['rows of a page without values', 'more', [9, 3, 2, 1, 1, 1, 1, 1], '5 bytes cannot hold 2 rows'],
  ])('that cannot hold as many %s as they say are refused before one is read', (_what, kind, payload, message) => {
    const frame = Uint8Array.of(1, 0, 0, 0, 0, ...payload);

    expect(() => decodeResponse2(kind, frame)).toThrow(message);
  });

  test('over their bounds are refused by the encoder', () => {
    const value = new Uint8Array(MAX_USER_VALUE_BYTES);
    const rows = Array.from({ length: 5 }, () => ({ revision: 1, value }));
    const few = { revision: 1, isWithoutValues: false, rows: [] };

    expect(() => encodeResponse2(1, { kind: 'rows', rows })).toThrow(ProtocolError);
    expect(encodeResponse2(1, { kind: 'rows', rows: rows.slice(0, 3) }).length).toBeLessThan(MAX_FRAME_BYTES);
    expect(() => encodeResponse2(1, { kind: 'page', page: { ...few, isLast: false } })).toThrow(RangeError);
  });
});
