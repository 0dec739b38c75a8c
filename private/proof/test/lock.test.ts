import { seededRandom, sized, testSeed, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { fightForStore } from '../src/lock/rival-processes.ts';
import { Findings, publishFigures } from '../src/report.ts';

const ROUNDS = sized({ ci: 60, long: 3000 });

describe('processes that want one store at once', () => {
  test('get it one after another, with what the one before has left', { timeout: timeoutFor(60_000) }, async () => {
    const findings = new Findings();

    const figures = await fightForStore(seededRandom(testSeed()), ROUNDS, findings);

    expect(findings.sentences).toEqual([]);
    publishFigures('lock', { ...figures });
    expect(figures.opened).toBe(ROUNDS);
    expect(figures.refused).toBe(3 * ROUNDS);
    expect(figures.died).toBeGreaterThan(ROUNDS / 4);
  });
});
