import { equalBytes } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { openZstd, sharedZstd, zstdAvailable } from './compression.ts';

describe('zstd', () => {
  const zstd = sharedZstd()!;

  test('is there on this platform', () => {
    expect(zstdAvailable()).toBe(true);
  });

  test('gives back what was compressed', () => {
    const random = seededRandom(testSeed());
    for (const length of [0, 1, 100, 4096, 300_000, 16 * 1024 * 1024]) {
      const raw = new Uint8Array(length).fill(7);
      raw.set(random.bytes(Math.min(length, 1000)));

      const frame = zstd.compress(raw, 1).slice();

      expect(equalBytes(zstd.decompress(frame, length)!, raw)).toBe(true);
    }
  });

  test('compresses harder at a higher level', () => {
    const raw = new TextEncoder().encode(Array.from({ length: 5000 }, (_, i) => `user:${(i * 7919) % 5000};`).join(''));

    expect(zstd.compress(raw, 19).length).toBeLessThan(zstd.compress(raw, 1).length);
  });

  test('refuses a frame of another size without unpacking it', () => {
    const bomb = zstd.compress(new Uint8Array(64 * 1024 * 1024), 1).slice();

    expect(bomb.length).toBeLessThan(10_000);
    expect(zstd.decompress(bomb, 4096)).toBeUndefined();
  });

  test('refuses bytes that are not one whole frame', () => {
    const random = seededRandom(testSeed());
    const frame = zstd.compress(new Uint8Array(1000).fill(1), 1).slice();

    expect(zstd.decompress(frame.subarray(0, frame.length - 1), 1000)).toBeUndefined();
    expect(zstd.decompress(Uint8Array.from([...frame, ...frame]), 1000)).toBeUndefined();
    expect(zstd.decompress(new Uint8Array(0), 0)).toBeUndefined();
    for (let round = 0; round < 2000; round++) {
      const raw = zstd.decompress(random.bytes(random.int(40)), random.int(40));
      expect(raw === undefined || raw.length < 40).toBe(true);
    }
  });

  test('is absent where the native module cannot be loaded', () => {
    const load = (): never => {
      throw new Error('Cannot find module');
    };

    expect(openZstd(load)).toBeUndefined();
  });
});
