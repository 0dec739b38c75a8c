/** The test of one share of the decoders. Test files that call it run side by side. */

import { breathe, seededRandom, sized, testSeed, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { publishFigures } from '../report.ts';
import { decoderShare } from './all-decoders.ts';
import { toHex } from './check-input.ts';
import { checkMemory } from './check-memory.ts';
import { readCorpus, updatesCorpus, writeCorpus } from './corpus.ts';
import { fuzzDecoder } from './fuzz-decoder.ts';
import { mutate } from './mutate.ts';

const EXECUTIONS = sized({ ci: 20_000, long: 1_000_000 });
/** What comes from the network, from a log, a table or a manifest, piece by piece: whoever reads a whole file is made of these. */
const PIECES: readonly string[] = [
  'block',
  'command',
  'connection',
  'filter',
  'footer',
  'frame',
  'peer-greeting',
  'peer-greeting-stream',
  'request',
  'request-2',
  'response',
  'response-2',
  'stored-block',
  'version-edit',
  'wal',
  'write-batch',
  'write-conditions',
  'write-operations',
];
const PIECE_EXECUTIONS = sized({ ci: 20_000, long: 5_000_000 });
const MEMORY_EXECUTIONS = sized({ ci: 300, long: 20_000 });

/** Describes the tests of share `index` of `count`. */
export function describeFuzzing(index: number, count: number): void {
  describe.each(decoderShare(index, count))('the decoder of $name', (decoder) => {
    const leastExecutions = PIECES.includes(decoder.name) ? PIECE_EXECUTIONS : EXECUTIONS;

    test(
      'gives a value or its typed error for any bytes, the same each time',
      { timeout: timeoutFor(60_000) },
      async () => {
        const seed = testSeed();
        const corpus = readCorpus(decoder.name);

        const result = await fuzzDecoder(decoder, {
          seed,
          executions: leastExecutions,
          corpus: updatesCorpus ? [] : corpus,
        });

        const { executions, accepted, refusals, kept, failure } = result;
        publishFigures(`fuzz-${decoder.name}`, { executions, accepted, refusals, corpus: corpus.length });
        if (updatesCorpus) writeCorpus(decoder.name, kept);
        expect(failure).toBeUndefined();
        expect(executions).toBeGreaterThanOrEqual(leastExecutions);
        expect(accepted).toBeGreaterThan(leastExecutions / 200);
        expect(corpus.length).toBeGreaterThan(0);
      },
    );

    test('takes memory by the length of its bytes, not by what they say', { timeout: timeoutFor(60_000) }, async () => {
      const random = seededRandom(testSeed()).fork(decoder.name);
      const corpus = readCorpus(decoder.name);

      const wrong: string[] = [];
      for (let i = 0; i < corpus.length + MEMORY_EXECUTIONS; i++) {
        const sample = corpus[i] ?? (random.chance(0.5) ? await decoder.sample(random) : random.pick(corpus));
        const input = i < corpus.length ? sample : mutate(random, sample, sample);
        if (i >= corpus.length) decoder.reseal?.(input);
        const found = await checkMemory(decoder, input);
        if (found !== undefined) wrong.push(`${found}: ${toHex(input)}`);
        await breathe();
      }

      expect(wrong).toEqual([]);
    });
  });
}
