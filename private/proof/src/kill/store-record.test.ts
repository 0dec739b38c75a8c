import { describe, expect, test } from 'vitest';

import type { WorkloadOp } from '../workload/workload.ts';
import { StoreRecord } from './store-record.ts';
import { pairValue, type WriterOrders } from './writer-protocol.ts';

/** What was heard of a write: nothing more, that it is done, or that it was refused, with the outcome open or with nothing left of it. */
type End = 'begin' | 'done' | 'poisoned' | 'full';
type Rows = readonly (readonly [string, string])[];

const PUT_1: WorkloadOp = { kind: 'put', key: 'l0/k', value: '1' };
const PUT_2: WorkloadOp = { kind: 'put', key: 'l0/k', value: '2' };
const DELETE: WorkloadOp = { kind: 'delete', key: 'l0/k' };
const BATCH: WorkloadOp = {
  kind: 'batch',
  prefix: undefined,
  writes: [
    { key: 'l0/x', value: 'x' },
    { key: 'l0/y', value: 'y' },
  ],
};

const pairOf = (step: number): Rows => [
  ['pair/a', pairValue(1, 0, step)],
  ['pair/b', pairValue(1, 0, step)],
];

/** What a record that has heard of `ends`, the end of each step, says about `rows`. `begin`: no end was heard of. */
function judge(steps: readonly WorkloadOp[], ends: readonly End[], rows: Rows): readonly string[] {
  const orders: WriterOrders = {
    directory: '',
    checkpoints: '',
    durability: 'strict',
    announces: false,
    life: 1,
    lanes: [steps],
  };
  const record = new StoreRecord(1);
  for (const [step, end] of ends.entries()) {
    record.take({ kind: 'begin', lane: 0, step }, orders);
    if (end === 'done') record.take({ kind: 'done', lane: 0, step, sequence: 10 * (step + 1) }, orders);
    const code = { begin: undefined, done: undefined, poisoned: 'KAYA_ENGINE_POISONED', full: 'KAYA_DISK_FULL' }[end];
    if (code !== undefined) record.take({ kind: 'refused', lane: 0, step, error: { code, message: '' } }, orders);
  }
  return record.take({ kind: 'opened', recoveredRecords: 0, truncatedBytes: 0, rows }, orders);
}

describe('the record of a store', () => {
  test.each<readonly [string, readonly WorkloadOp[], readonly End[], Rows]>([
    ['an acknowledged write', [PUT_1], ['done'], [['l0/k', '1']]],
    ['a write that was cut off, there', [PUT_1, PUT_2], ['done', 'begin'], [['l0/k', '2']]],
    ['a write that was cut off, not there', [PUT_1, PUT_2], ['done', 'begin'], [['l0/k', '1']]],
    ['a write of unknown outcome, there', [PUT_1, PUT_2], ['done', 'poisoned'], [['l0/k', '2']]],
    ['a write that found no room, not there', [PUT_1, PUT_2], ['done', 'full'], [['l0/k', '1']]],
    ['a delete', [PUT_1, DELETE], ['done', 'done'], []],
    ['a batch', [BATCH], ['done'], [['l0/x', 'x'], ['l0/y', 'y'], ...pairOf(0)]],
    ['a batch that was cut off, not there', [BATCH], ['begin'], []],
  ])('accepts %s', (_what, steps, ends, rows) => {
    expect(judge(steps, ends, rows)).toEqual([]);
  });

  test.each<readonly [string, readonly WorkloadOp[], readonly End[], Rows, RegExp]>([
    ['a lost write', [PUT_1], ['done'], [], /k is absent and was acknowledged as "1"/],
    ['an old value', [PUT_1, PUT_2], ['done', 'done'], [['l0/k', '1']], /k is "1".* and was acknowledged as "2"/],
    ['a deleted key', [PUT_1, DELETE], ['done', 'done'], [['l0/k', '1']], /acknowledged as absent/],
    ['a refused write below a later one', [PUT_2, PUT_1], ['poisoned', 'done'], [['l0/k', '2']], /k is "2"/],
    ['a write that found no room, there', [PUT_1, PUT_2], ['done', 'full'], [['l0/k', '2']], /k is "2"/],
    ['a batch that found no room, there', [BATCH], ['full'], [...pairOf(0)], /the pair is of batch/],
    ['half a batch', [BATCH], ['begin'], [['l0/x', 'x'], ...pairOf(0)], /1 open writes do not explain it/],
    [
      'half a pair',
      [BATCH],
      ['done'],
      [
        ['l0/x', 'x'],
        ['l0/y', 'y'],
        ['pair/a', '1.0.0'],
      ],
      /half a batch/,
    ],
    [
      'a pair of an older batch',
      [BATCH, BATCH],
      ['done', 'done'],
      [['l0/x', 'x'], ['l0/y', 'y'], ...pairOf(0)],
      /pair/,
    ],
    ['a key of nobody', [], [], [['z', '1']], /nobody wrote the key z/],
  ])('complains of %s', (_what, steps, ends, rows, complaint) => {
    expect(judge(steps, ends, rows).join('\n')).toMatch(complaint);
  });
});
