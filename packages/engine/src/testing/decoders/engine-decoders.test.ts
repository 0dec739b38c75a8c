import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { engineDecoders } from './engine-decoders.ts';

describe.each(engineDecoders)('the decoder of $name', (decoder) => {
  test('accepts every sample, and gives back its bytes', async () => {
    const random = seededRandom(testSeed()).fork(decoder.name);

    for (let i = 0; i < 50; i++) {
      const sample = await decoder.sample(random);
      const value = await decoder.decode(sample.slice());
      const encoded = decoder.encode === undefined ? sample : decoder.encode(value);

      expect(encoded).toEqual(sample);
    }
  });

  test('finds nothing to reseal in a sample', async () => {
    const random = seededRandom(testSeed()).fork(decoder.name);

    for (let i = 0; i < 50; i++) {
      const sample = await decoder.sample(random);
      const resealed = sample.slice();
      decoder.reseal?.(resealed);

      expect(resealed).toEqual(sample);
    }
  });
});
