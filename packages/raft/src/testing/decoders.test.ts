import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { raftDecoders } from './decoders.ts';

describe.each(raftDecoders)('the decoder of $name', (decoder) => {
  test('takes its samples, and encodes them to the same bytes', async () => {
    const random = seededRandom(testSeed());

    for (let i = 0; i < 500; i++) {
      const sample = await decoder.sample(random);
      const value = await decoder.decode(sample.slice());
      const encoded = decoder.encode?.(value) ?? sample;
      expect(Buffer.compare(encoded, sample)).toBe(0);
    }
  });

  test('refuses a sample that is cut off, wherever it is', async () => {
    const random = seededRandom(testSeed());
    const sample = await decoder.sample(random);

    for (let length = 0; length < sample.length; length++) {
      const cut = sample.slice(0, length);
      decoder.reseal?.(cut);
      const outcome = Promise.resolve().then(() => decoder.decode(cut));
      await expect(outcome).rejects.toSatisfy((error: { code: string }) => decoder.refusals.includes(error.code));
    }
  });
});
