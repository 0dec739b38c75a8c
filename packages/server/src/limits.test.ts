import { describe, expect, test } from 'vitest';

import { DEFAULT_SERVER_LIMITS, resolveLimits } from './limits.ts';

describe('resolveLimits', () => {
  test('has the numbers of the security model', () => {
    expect(DEFAULT_SERVER_LIMITS).toMatchObject({
      maxConnections: 1_024,
      maxConnectionsPerAddress: 256,
      reservedConnections: 16,
      firstByteMs: 10_000,
      frameMs: 30_000,
      idleMs: 300_000,
      writeStallMs: 30_000,
      maxFrameBytes: 67_108_864,
      maxStrangerFrameBytes: 16_384,
      maxScanItems: 100_000,
      maxConcurrentScans: 4,
      maxConcurrentGets: 32,
    });
  });

  test.each([
    [1, 0],
    [7, 0],
    [8, 1],
    [100, 12],
    [1_024, 16],
  ])('keeps of %i connections %i for operators', (maxConnections, reserved) => {
    const limits = resolveLimits({ maxConnections });

    expect(limits.reservedConnections).toBe(reserved);
  });

  test.each([{ maxConnections: 0 }, { maxFrameBytes: 1.5 }, { frameMs: -1 }, { maxInFlightBytes: Number.NaN }])(
    'refuses %o',
    (changes) => {
      expect(() => resolveLimits(changes)).toThrow(RangeError);
    },
  );
});
