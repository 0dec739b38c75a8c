import { describe, expect, test } from 'vitest';

import { defaultEntryBytes } from '../core/config.ts';
import type { Entry } from '../core/types.ts';
import { appendRequest } from '../testing/test-messages.ts';
import { encodePeerMessage } from '../wire/encode-peer-message.ts';
import { MAX_PEER_FRAME_BYTES } from '../wire/frame-format.ts';
import { normalizeLimits } from './node-options.ts';

describe('normalizeLimits', () => {
  test('has a value for everything', () => {
    const limits = normalizeLimits({ electionTicks: 20 });

    expect(limits).toMatchObject({ electionTicks: 20, heartbeatTicks: 1, tickMs: 100 });
    expect(Object.values(limits).every((value) => Number.isSafeInteger(value))).toBe(true);
  });

  test.each([
    { tickMs: 0 },
    { tickMs: 0.5 },
    { maxReads: Number.POSITIVE_INFINITY },
    { maxEntryBytes: -1 },
    { keepBytes: 10, keepForSlowBytes: 5 },
    { maxEntryBytes: 32 * 1024 * 1024 + 1 },
    { maxMessageBytes: 6 * 1024 * 1024 + 1 },
  ])('refuses %o', (limits) => {
    expect(() => normalizeLimits(limits)).toThrow(RangeError);
  });

  test('leaves no message that cannot be written down', () => {
    const { maxMessageBytes, maxEntryBytes } = normalizeLimits({
      maxMessageBytes: 6 * 1024 * 1024,
      maxEntryBytes: 32 * 1024 * 1024,
    });
    const smallest: Entry = { index: 0, term: 9, kind: 'normal', data: new Uint8Array(0) };
    const largest: Entry = { index: 1, term: 9, kind: 'normal', data: new Uint8Array(maxEntryBytes) };
    const count = Math.floor(maxMessageBytes / defaultEntryBytes(smallest));
    const many = Array.from({ length: count }, (_, at) => ({ ...smallest, index: at + 1 }));

    const frames = [many, [largest]].map((entries) =>
      encodePeerMessage(appendRequest({ from: 1, to: 2, term: 9, entries })),
    );

    expect(frames.map(({ length }) => length <= MAX_PEER_FRAME_BYTES)).toEqual([true, true]);
  });
});
