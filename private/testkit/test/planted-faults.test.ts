import { describe, expect, test } from 'vitest';

import { checkHistory } from '../src/linearizability/check-history.ts';
import { seededRandom } from '../src/seeded-random.ts';
import { testSeed } from '../src/test-seed.ts';
import { recordRun } from './support/record-run.ts';
import {
  DoubleWords,
  DoubleWrites,
  LostWrites,
  PhantomValues,
  RefusedButDone,
  ReorderedWrites,
  SplitBrain,
  StaleReads,
  TornBatches,
  WrongCompares,
} from './support/wrong-stores.ts';

const RUNS = 6;
const OPERATIONS = 300;

const WRONG_STORES = [
  ['reads of an old state', StaleReads, 'stale-read'],
  ['acknowledged writes that are lost', LostWrites, 'lost-write'],
  ['writes that are done twice', DoubleWrites, 'applied-twice'],
  ['words that are appended twice', DoubleWords, 'split-brain'],
  ['revisions in the wrong order', ReorderedWrites, 'reordered'],
  ['values that nobody wrote', PhantomValues, 'split-brain'],
  ['two leaders', SplitBrain, 'split-brain'],
  ['batches in two parts', TornBatches, 'torn-read'],
  ['conditions that were not looked at', WrongCompares, 'wrong-compare'],
  ['refused writes that are done', RefusedButDone, 'refused-but-done'],
] as const;

describe('the check of a wrong store', () => {
  test.each(WRONG_STORES)(
    'finds %s, and says what it is',
    async (_what, Store, kind) => {
      const random = seededRandom(testSeed()).fork(Store.name);
      const found: string[] = [];

      for (let run = 0; run < RUNS; run++) {
        const seed = random.int(2 ** 32);
        const unknownShare = run % 2 === 0 ? 0.04 : 0;
        const history = await recordRun({ Store, seed, operations: OPERATIONS, unknownShare });
        const verdict = checkHistory(history);
        found.push(verdict.kind === 'faulty' ? verdict.fault.kind : verdict.kind);
      }

      expect(found).toContain(kind);
      expect(found).not.toContain('linearizable');
      expect(found).not.toContain('undecided');
    },
    60_000,
  );

  test.each(WRONG_STORES.filter(([, Store]) => Store !== ReorderedWrites && Store !== SplitBrain))(
    'finds %s where answers carry no revisions',
    async (_what, Store) => {
      const random = seededRandom(testSeed()).fork(`${Store.name} without revisions`);
      const found: string[] = [];

      for (let run = 0; run < RUNS; run++) {
        const seed = random.int(2 ** 32);
        const history = await recordRun({ Store, seed, operations: OPERATIONS, hasRevisions: false });
        found.push(checkHistory(history).kind);
      }

      expect(found.filter((kind) => kind === 'faulty').length).toBeGreaterThanOrEqual(RUNS / 2);
    },
    60_000,
  );
});
