import { describe, expect, test } from 'vitest';

import { METRICS } from '../metrics.ts';
import { chooseFamilies, FAMILIES, familyOf } from './families.ts';

describe('FAMILIES', () => {
  test('measure every metric once', () => {
    const measured = FAMILIES.flatMap(({ metrics }) => metrics);

    expect(measured.toSorted()).toEqual(METRICS.map(({ id }) => id).toSorted());
  });
});

describe('chooseFamilies', () => {
  test('leaves the long ones out unless asked for', () => {
    expect(chooseFamilies([], false)).toEqual(FAMILIES.filter(({ name }) => name !== 'load-long'));
    expect(chooseFamilies([], true)).toEqual(FAMILIES);
    expect(chooseFamilies(['load-pause'], false)).toEqual([familyOf('load-long')]);
  });

  test('finds a family by its name and by what it measures, each once', () => {
    expect(chooseFamilies(['get-cold', 'get-hit', 'puts'], false)).toEqual([familyOf('puts'), familyOf('reads')]);
  });

  test('names what there is when a word is unknown', () => {
    expect(() => chooseFamilies(['fillseq', 'fillsequence'], false)).toThrow(/no workload fillsequence.*get-missing/);
  });
});
