import { describe, expect, test } from 'vitest';

import { scaleOf } from '../scale.ts';
import { FAMILIES, familyOf } from '../stages/families.ts';
import { planJobs, type RunPlan } from './plan-jobs.ts';

const plan: RunPlan = {
  engines: ['kayadb', 'lmdb', 'rocksdb'],
  rounds: 2,
  families: [familyOf('fillseq'), familyOf('reads')],
  scale: scaleOf(1000, 'smoke'),
  dataDirectory: 'data',
  isolated: true,
};

describe('planJobs', () => {
  test('alternates engines within each stage and begins with another one in each round', () => {
    const jobs = planJobs(plan);

    const lines = jobs.map(
      ({ round, engine, steps }) => `${round} ${steps.map(({ stage }) => stage).join()} ${engine}`,
    );
    expect(lines.slice(0, 6)).toEqual([
      '1 fillSequential kayadb',
      '1 fillSequential lmdb',
      '1 fillSequential rocksdb',
      '1 prepareReads kayadb',
      '1 prepareReads lmdb',
      '1 prepareReads rocksdb',
    ]);
    expect(lines.slice(12, 15)).toEqual([
      '2 fillSequential lmdb',
      '2 fillSequential rocksdb',
      '2 fillSequential kayadb',
    ]);
    expect(jobs).toHaveLength(2 * 4 * 3);
  });

  test('gives one process everything when stages share one', () => {
    const jobs = planJobs({ ...plan, rounds: 1, isolated: false });

    expect(jobs.map(({ engine }) => engine)).toEqual(['kayadb', 'lmdb', 'rocksdb']);
    expect(jobs[0]?.steps.map(({ stage }) => stage)).toEqual(['fillSequential', 'prepareReads', 'reads', 'coldReads']);
  });

  test('measures memory before anything else has made the heap grow', () => {
    const jobs = planJobs({ ...plan, families: FAMILIES, isolated: false });

    expect(jobs[0]?.steps[0]?.stage).toBe('memory');
  });
});
