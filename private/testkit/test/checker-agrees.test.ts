import { describe, expect, test } from 'vitest';

import type { History, Operation, SeenRow } from '../src/history/operation.ts';
import { checkHistory } from '../src/linearizability/check-history.ts';
import { drawTimeline } from '../src/linearizability/timeline.ts';
import { type SeededRandom, seededRandom } from '../src/seeded-random.ts';
import { testSeed } from '../src/test-seed.ts';
import { isLinearizableByBruteForce } from './support/brute-force.ts';
import { recordRun } from './support/record-run.ts';

const TINY = 600;
const LARGER = 250;
const LONG = 4;

/** The history with one answer changed: a row of another read, no row, another revision, or another outcome of a compare. */
function spoil(history: History, random: SeededRandom): History {
  const answered = history.operations.filter(({ outcome }) => outcome?.kind === 'rows' || outcome?.kind === 'written');
  if (answered.length === 0) return history;
  const victim = random.pick(answered);
  const rows = answered.flatMap(({ outcome }) => (outcome?.kind === 'rows' ? outcome.rows : []));
  const operations = history.operations.map((operation) =>
    operation === victim ? spoilOperation(victim, rows, random) : operation,
  );
  return { ...history, operations };
}

function spoilOperation(operation: Operation, rows: readonly (SeenRow | null)[], random: SeededRandom): Operation {
  const { outcome } = operation;
  if (outcome?.kind === 'rows') {
    const at = random.int(outcome.rows.length);
    const row = random.chance(0.3) ? null : random.pick(rows);
    return { ...operation, outcome: { ...outcome, rows: outcome.rows.with(at, row) } } as Operation;
  }
  if (outcome?.kind === 'written' && operation.action.kind === 'write') {
    if (operation.action.conditions.length > 0 && random.chance(0.6)) {
      const { failed, ...rest } = outcome;
      return { ...operation, outcome: failed === undefined ? { ...rest, failed: 0 } : rest } as Operation;
    }
    if (outcome.revision === undefined) return operation;
    return { ...operation, outcome: { ...outcome, revision: outcome.revision + random.int(3) } } as Operation;
  }
  return operation;
}

describe('the check of tiny histories', () => {
  test.each([true, false])(
    'says what trying every order says, with revisions: %s',
    async (hasRevisions) => {
      const random = seededRandom(testSeed()).fork(`tiny ${hasRevisions}`);
      const disagreements: string[] = [];
      const verdicts = { sound: 0, faulty: 0 };

      for (let round = 0; round < TINY; round++) {
        const run = await recordRun({
          seed: random.int(2 ** 32),
          clients: 3,
          operations: 5,
          registers: ['x', 'y'],
          lists: ['list/z'],
          mix: { append: 6 },
          unknownShare: 0.25,
          refusedShare: 0.05,
          hasRevisions,
          hasFinalReads: random.chance(0.3),
        });
        const history = random.chance(0.3) ? run : spoil(run, random);
        if (history.operations.length > 8) continue;
        const expected = isLinearizableByBruteForce(history) ? 'linearizable' : 'faulty';
        const verdict = checkHistory(history);
        verdicts[expected === 'faulty' ? 'faulty' : 'sound']++;
        if (verdict.kind !== expected) {
          const said = verdict.kind === 'faulty' ? verdict.explanation : verdict.kind;
          disagreements.push(`expected ${expected} of\n${drawTimeline(history.operations, [])}\ngot ${said}`);
        }
      }

      expect(disagreements).toEqual([]);
      expect(Math.min(verdicts.sound, verdicts.faulty)).toBeGreaterThan(TINY / 20);
    },
    60_000,
  );
});

describe('the check of random histories', () => {
  test.each([true, false])(
    'finds nothing wrong with a right store, with revisions: %s',
    async (hasRevisions) => {
      const random = seededRandom(testSeed()).fork(`larger ${hasRevisions}`);
      const faulty: unknown[] = [];

      for (let round = 0; round < LARGER; round++) {
        const seed = random.int(2 ** 32);
        const history = await recordRun({
          seed,
          clients: 1 + random.int(10),
          operations: 20 + random.int(60),
          // Without revisions, many unanswered writes leave more orders than can be tried.
          unknownShare: random.pick(hasRevisions ? [0, 0.05, 0.3] : [0, 0.02, 0.05]),
          refusedShare: random.pick([0, 0.1]),
          hasRevisions,
        });
        const verdict = checkHistory(history);
        if (verdict.kind !== 'linearizable') faulty.push({ seed, verdict });
      }

      expect(faulty).toEqual([]);
    },
    60_000,
  );

  test('comes to an end with 1,000 operations of 10 clients, many of them unanswered', async () => {
    const random = seededRandom(testSeed()).fork('long');
    const verdicts: string[] = [];

    for (let round = 0; round < LONG; round++) {
      const history = await recordRun({ seed: random.int(2 ** 32), operations: 1000, unknownShare: 0.05 * round });
      verdicts.push(checkHistory(history).kind);
    }

    expect(verdicts).toEqual(verdicts.map(() => 'linearizable'));
  }, 60_000);
});
