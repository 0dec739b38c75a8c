import { concatBytes } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { sampleGreeting, transportDecoders } from '../testing/decoders.ts';
import { GREETING_HEAD_BYTES, MAX_GREETING_BYTES } from './greeting-format.ts';
import { GreetingReader } from './greeting-reader.ts';
import { commonVersion, decodeGreeting, encodeGreeting } from './greeting.ts';

describe('a greeting', () => {
  test('is read as it was written', () => {
    const random = seededRandom(testSeed());

    for (let i = 0; i < 200; i++) {
      const greeting = sampleGreeting(random);
      expect(decodeGreeting(encodeGreeting(greeting))).toEqual(greeting);
    }
  });

  test('is refused with any one bit changed', () => {
    const bytes = encodeGreeting(sampleGreeting(seededRandom(testSeed())));

    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice();
      changed[bit >>> 3]! ^= 1 << (bit & 7);
      expect(() => decodeGreeting(changed)).toThrow(expect.objectContaining({ code: 'KAYA_MALFORMED' }));
    }
  });

  test('has a reason that is cut between two characters', () => {
    const greeting = { ...sampleGreeting(seededRandom(testSeed())), reason: `${'x'.repeat(253)}😀` };

    expect(decodeGreeting(encodeGreeting(greeting)).reason).toBe('x'.repeat(253));
  });
});

describe.each(transportDecoders)('the decoder of $name', (decoder) => {
  test('takes or refuses a sample that is cut off or changed, wherever it is', () => {
    const random = seededRandom(testSeed());
    const sample = decoder.sample(random);

    for (let at = 0; at < sample.length; at++) {
      for (const isCut of [true, false]) {
        const bytes = isCut ? sample.slice(0, at) : sample.slice();
        if (!isCut) bytes[at] = random.int(256);
        decoder.reseal?.(bytes);
        let outcome = 'accepted';
        try {
          decoder.decode(bytes);
        } catch (error) {
          outcome = (error as { readonly code: string }).code;
        }
        expect(['accepted', ...decoder.refusals]).toContain(outcome);
      }
    }
  });
});

describe('commonVersion', () => {
  test.each([
    [[1, 1], [1, 1], 1],
    [[1, 4], [2, 3], 3],
    [[3, 4], [1, 3], 3],
    [[1, 2], [3, 4], undefined],
    [[5, 9], [3, 4], undefined],
  ] as const)('of %j and %j is %s', ([a, b], [c, d], version) => {
    expect(commonVersion({ lowest: a, highest: b }, { lowest: c, highest: d })).toBe(version);
  });
});

describe('GreetingReader', () => {
  const greeting = sampleGreeting(seededRandom(testSeed()));
  const bytes = encodeGreeting(greeting);

  test('gives the same greeting wherever its bytes are cut', () => {
    for (let at = 1; at < bytes.length; at++) {
      const reader = new GreetingReader();

      expect(reader.push(bytes.subarray(0, at))).toBeUndefined();
      expect(reader.push(bytes.subarray(at))).toEqual(greeting);
    }
  });

  test('refuses what came behind the greeting', () => {
    expect(() => new GreetingReader().push(concatBytes([bytes, Uint8Array.of(0)]))).toThrow(
      /more came than a greeting/,
    );
  });

  test.each([
    ['another first byte', Uint8Array.of(0x47), /no greeting of a node/],
    ['another eighth byte', concatBytes([bytes.subarray(0, 7), Uint8Array.of(0)]), /no greeting of a node/],
    ['TLS', Uint8Array.of(0x16, 3, 1), /is TLS, and this side speaks without it/],
    ['a length that is too small', concatBytes([bytes.subarray(0, 8), Uint8Array.of(70, 0)]), /not 70 bytes long/],
    ['a length that is too large', concatBytes([bytes.subarray(0, 8), Uint8Array.of(1, 8)]), /not 2049 bytes long/],
    ['a flood', concatBytes([bytes.subarray(0, 8), new Uint8Array(1_000_000)]), /not 0 bytes long/],
  ])('refuses %s as soon as it is there', (_what, chunk, sentence) => {
    expect(() => new GreetingReader().push(chunk)).toThrow(sentence);
  });

  test('takes the longest greeting there may be, byte by byte', () => {
    const long = new Uint8Array(GREETING_HEAD_BYTES + MAX_GREETING_BYTES);
    long.set(bytes.subarray(0, bytes.length - 4));
    transportDecoders[0]?.reseal?.(long);
    const reader = new GreetingReader();

    for (const byte of long.subarray(0, -1)) expect(reader.push(Uint8Array.of(byte))).toBeUndefined();
    expect(reader.push(long.subarray(-1))).toEqual(greeting);
  });
});
