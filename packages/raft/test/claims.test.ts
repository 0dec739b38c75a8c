/** That none of the claims has been lost, and none is tested twice under its name. */

import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import {
  ELECTION_AND_LOG_SCENARIOS,
  FURTHER_SCENARIOS,
  LEADER_AND_MEMBERSHIP_SCENARIOS,
  PAPER_CLAIMS,
} from './claims.ts';

const tests = readdirSync(import.meta.dirname)
  .filter((name) => /^(?:paper|scenarios)-.*\.test\.ts$/.test(name))
  .map((name) => readFileSync(`${import.meta.dirname}/${name}`, 'utf8'))
  .join('\n');

/** At the beginning of a title, or in a table of what titles begin with. */
function countOf(name: string): number {
  return [...tests.matchAll(new RegExp(`['"\`]${name}(?=['"\`]|: )`, 'g'))].length;
}

describe('the claims that others test too', () => {
  test.each([
    ['claims of the paper', 26, PAPER_CLAIMS],
    ['scenarios of elections and logs', 60, ELECTION_AND_LOG_SCENARIOS],
    ['scenarios of leaders and members', 58, LEADER_AND_MEMBERSHIP_SCENARIOS],
    ['further scenarios', 20, FURTHER_SCENARIOS],
  ])('%s: each of the %i has one test', (_what, count, names) => {
    const others = names.filter((name) => countOf(name) !== 1);

    expect(others).toEqual([]);
    expect(new Set(names).size).toBe(count);
  });
});
