import { describe, expect, test } from 'vitest';

import { allDecoders } from '../src/fuzz/all-decoders.ts';
import { nestedCanary, trustingCanary } from '../src/fuzz/canary.ts';
import { checkMemory } from '../src/fuzz/check-memory.ts';
import { fuzzDecoder } from '../src/fuzz/fuzz-decoder.ts';
import { describeFuzzing } from '../src/fuzz/fuzz-suite.ts';

const SMOKE = 20_000;

describeFuzzing(0, 2);

describe('the fuzzer', () => {
  test.each([1, 2, 3])('finds the planted bugs within the smoke size, with seed %i', async (seed) => {
    const options = { seed, executions: SMOKE, corpus: [] };

    const trusting = await fuzzDecoder(trustingCanary, options);
    const nested = await fuzzDecoder(nestedCanary, options);

    expect(trusting.failure).toMatch(/Invalid typed array length/);
    expect(nested.failure).toMatch(/the planted bug/);
  });

  test('goes on from inputs that came further, where chance alone finds nothing', async () => {
    const { failure } = await fuzzDecoder(nestedCanary, { seed: 1, executions: SMOKE, corpus: [], isGuided: false });

    expect(failure).toBeUndefined();
  });

  test('shrinks what it found, and says the seed', async () => {
    const { failure } = await fuzzDecoder(trustingCanary, { seed: 3, executions: SMOKE, corpus: [] });

    const [, input] = /input ([0-9a-f]*), found with seed 3/.exec(failure!)!;
    expect(input!.length / 2).toBeLessThanOrEqual(7);
  });

  test('sees memory taken by a length field', async () => {
    const greedy = { ...trustingCanary, decode: (bytes: Uint8Array) => new Uint8Array(bytes[0]! * 2 ** 20).length };

    const found = await checkMemory(greedy, Uint8Array.of(200));

    expect(found).toMatch(/takes 209715\d+ bytes/);
  });

  test('has each decoder once', () => {
    const names = allDecoders.map(({ name }) => name);

    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(20);
  });
});
