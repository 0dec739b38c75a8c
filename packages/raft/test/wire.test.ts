/** Encoders and decoders of frames between nodes, against each other and against damage. */

import { concatBytes, crc32c, equalBytes, FrameDecoder, writeU32 } from '@kayadb/codec';
import { testSeed } from '@kayadb/testkit';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { AppendRequest, PeerMessage } from '../src/core/message.ts';
import type { Entry } from '../src/core/types.ts';
import { RaftError } from '../src/errors.ts';
import { decodePeerFrame, isTransferMessage } from '../src/wire/decode-peer-frame.ts';
import { decodePeerMessage } from '../src/wire/decode-peer-message.ts';
import { decodeTransferMessage } from '../src/wire/decode-transfer-message.ts';
import { encodePeerMessage } from '../src/wire/encode-peer-message.ts';
import { encodeTransferMessage } from '../src/wire/encode-transfer-message.ts';
import { MAX_CONTEXT_BYTES, MAX_ENTRY_BYTES, MAX_PEER_FRAME_BYTES } from '../src/wire/frame-format.ts';
import { isSnapshotFileName, type TransferMessage } from '../src/wire/transfer-message.ts';
import { anyPeerMessage, anyTransferMessage } from './arbitrary-message.ts';

const anyMessage = fc.oneof(anyPeerMessage, anyTransferMessage);

function encode(message: PeerMessage | TransferMessage): Uint8Array {
  return isTransferMessage(message) ? encodeTransferMessage(message) : encodePeerMessage(message);
}

function withoutLength(frame: Uint8Array): Uint8Array {
  return frame.slice(4);
}

/** What came of decoding: the value, or the code of the refusal. Anything else that is thrown fails the test. */
function outcomeOf(frame: Uint8Array): PeerMessage | TransferMessage | string {
  try {
    return decodePeerFrame(frame);
  } catch (error) {
    if (!(error instanceof RaftError)) throw error;
    return error.code;
  }
}

function append(entries: readonly Entry[]): AppendRequest {
  return { kind: 'append', from: 1, to: 2, term: 9, prevIndex: 10, prevTerm: 3, entries, commit: 0 };
}

describe('messages between nodes', () => {
  test('come out of a stream as they went in', () => {
    const property = fc.property(fc.array(anyMessage, { maxLength: 5 }), fc.nat(70), (messages, cut) => {
      const stream = concatBytes(messages.map(encode));
      const decoder = new FrameDecoder({ maxFrameBytes: MAX_PEER_FRAME_BYTES });
      const size = cut + 1;
      for (let at = 0; at < stream.length; at += size) decoder.push(stream.subarray(at, at + size));

      const decoded = messages.map(() => decodePeerFrame(decoder.next()!));

      expect(decoded).toEqual(messages);
      expect(decoder.bufferedBytes).toBe(0);
    });

    fc.assert(property, { seed: testSeed(), numRuns: 200 });
  }, 30_000);

  test('have one encoding each: what decodes encodes to the same bytes', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    let accepted = 0;
    const property = fc.property(anyMessage, changes, fc.nat(3), (message, changed, cut) => {
      const frame = withoutLength(encode(message)).slice(cut === 1 ? 1 : 0);
      for (const [at, value] of changed) frame[4 + (at % (frame.length - 4))] = value;
      writeU32(frame, 0, crc32c(frame, 0, 4));

      const outcome = outcomeOf(frame);

      if (typeof outcome === 'string') return;
      accepted++;
      expect(withoutLength(encode(outcome))).toEqual(frame);
    });

    fc.assert(property, { seed: testSeed(), numRuns: 800 });
    expect(accepted).toBeGreaterThan(30);
  }, 30_000);

  test('are refused when any one bit is wrong, or an end is missing', () => {
    const property = fc.property(anyMessage, fc.nat(), fc.nat(7), fc.nat(), (message, at, bit, end) => {
      const frame = withoutLength(encode(message));
      const flipped = frame.slice();
      flipped[at % frame.length]! ^= 1 << bit;

      expect(outcomeOf(flipped)).toBe('KAYA_RAFT_MALFORMED');
      expect(outcomeOf(frame.slice(0, end % frame.length))).toBe('KAYA_RAFT_MALFORMED');
    });

    fc.assert(property, { seed: testSeed(), numRuns: 500 });
  }, 30_000);

  test('are never made of just any bytes', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(outcomeOf(bytes)).toBe('KAYA_RAFT_MALFORMED');
    });

    fc.assert(property, { seed: testSeed(), numRuns: 500 });
  }, 30_000);

  test('of one half of a node are refused by the decoder of the other', () => {
    const refused = expect.objectContaining({ code: 'KAYA_RAFT_MALFORMED' });
    const done = encodeTransferMessage({ kind: 'snapshot-done', from: 1, to: 2, transfer: 3 });
    const timeout = encodePeerMessage({ kind: 'timeout-now', from: 1, to: 2, term: 3 });

    expect(() => decodePeerMessage(withoutLength(done))).toThrow(refused);
    expect(() => decodeTransferMessage(withoutLength(timeout))).toThrow(refused);
  });

  test('keep the error underneath, with the place in the frame', () => {
    const bytes = new Uint8Array(3);

    expect(() => decodePeerMessage(bytes)).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ code: 'KAYA_MALFORMED', offset: 0 }) }),
    );
  });
});

describe('entries in a message', () => {
  const data = new Uint8Array(256).fill(7);
  const entries = Array.from({ length: 64 }, (_, i): Entry => ({ term: 3, index: 11 + i, kind: 'normal', data }));

  test('are views of the frame that they came in', () => {
    const frame = withoutLength(encodePeerMessage(append(entries)));

    const message = decodePeerMessage(frame) as AppendRequest;

    expect(message.entries).toEqual(entries);
    for (const entry of message.entries) expect(entry.data.buffer).toBe(frame.buffer);
  });

  test('cost four bytes each besides their data, when terms do not change', () => {
    const empty = encodePeerMessage(append([]));

    const frame = encodePeerMessage(append(entries));

    expect(frame.length).toBe(empty.length + 64 * (256 + 4));
  });

  test('are not encoded with a gap, or with terms that go back', () => {
    const [first, second, third] = entries as [Entry, Entry, Entry];

    expect(() => encodePeerMessage(append([second]))).toThrow('entries follow on each other');
    expect(() => encodePeerMessage(append([first, third]))).toThrow('entries follow on each other');
    expect(() => encodePeerMessage(append([first, { ...second, term: 2 }]))).toThrow('entries follow on each other');
  });

  test('of the largest size fit into a frame by themselves, and larger ones are refused before they are sent', () => {
    const [first] = entries as [Entry];
    const largest = { ...first, data: new Uint8Array(MAX_ENTRY_BYTES) };
    const larger = { ...first, data: new Uint8Array(MAX_ENTRY_BYTES + 1) };

    const frame = encodePeerMessage(append([largest]));

    expect(frame.length - 4).toBeLessThanOrEqual(MAX_PEER_FRAME_BYTES);
    const [decoded] = (decodePeerMessage(frame.subarray(4)) as AppendRequest).entries;
    expect(equalBytes(decoded!.data, largest.data)).toBe(true);
    expect(() => encodePeerMessage(append([larger]))).toThrow(RangeError);
  });
});

describe('limits of a message', () => {
  test('hold for contexts', () => {
    const withContext = (length: number): PeerMessage => ({
      kind: 'read-index',
      from: 1,
      to: 2,
      context: new Uint8Array(length),
    });

    const largest = encodePeerMessage(withContext(MAX_CONTEXT_BYTES));

    expect(decodePeerMessage(withoutLength(largest))).toEqual(withContext(MAX_CONTEXT_BYTES));
    expect(() => encodePeerMessage(withContext(MAX_CONTEXT_BYTES + 1))).toThrow(RangeError);
  });

  test('hold for the whole of a frame', () => {
    const data = new Uint8Array(MAX_ENTRY_BYTES);
    const proposal = { term: 0, index: 0, kind: 'normal', data } as const;

    expect(() => encodePeerMessage({ kind: 'propose', from: 1, to: 2, entries: [proposal, proposal] })).toThrow(
      /over the limit of 67108864 bytes/,
    );
  });
});

describe('isSnapshotFileName', () => {
  test.each(['000007.sst', 'CURRENT', 'a', 'MANIFEST-000003', 'x'.repeat(100)])('takes %s', (name) => {
    expect(isSnapshotFileName(name)).toBe(true);
  });

  test.each(['', '.', '..', '.hidden', '../a', 'a/b', 'a\\b', 'a\n', 'a b', 'ä', 'a\0', '-a', 'x'.repeat(101)])(
    'does not take %j',
    (name) => {
      expect(isSnapshotFileName(name)).toBe(false);
    },
  );
});
