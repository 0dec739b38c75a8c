import { copyBytes } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { raftDecoders } from './decoders.ts';

describe.each(raftDecoders)('the decoder of $name', (decoder) => {
  test('takes its samples, and encodes them so that they decode to the same', async () => {
    const random = seededRandom(testSeed());

    for (let i = 0; i < 200; i++) {
      const sample = await decoder.sample(random);
      const value = await decoder.decode(sample.slice());
      const encoded = decoder.encode?.(value) ?? sample;
      expect(await decoder.decode(copyBytes(encoded))).toEqual(value);
      expect(Buffer.compare(decoder.isCanonical(value) ? encoded : sample, sample)).toBe(0);
    }
  });

  test('takes or refuses a sample that is cut off, wherever it is', async () => {
    const random = seededRandom(testSeed());
    const sample = await decoder.sample(random);

    for (let length = 0; length < sample.length; length++) {
      const cut = sample.slice(0, length);
      decoder.reseal?.(cut);
      const decoded = Promise.resolve().then(() => decoder.decode(cut));
      const outcome = await decoded.then(
        () => 'accepted',
        (error: { readonly code: string }) => error.code,
      );
      expect(['accepted', ...decoder.refusals]).toContain(outcome);
    }
  });
});
