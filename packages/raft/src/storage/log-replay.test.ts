import { describe, expect, test } from 'vitest';

import { LogReplay } from './log-replay.ts';
import { APPEND_RECORD, RESET_RECORD } from './segment-format.ts';
import type { SegmentRecord } from './segment-records.ts';

const FILE = '000004.rlog';
const RECORD_BYTES = 80;
const START = { segment: 4, startLsn: 1000, firstIndex: 11, previousTerm: 3 };

/** The record in place `n` of the segment. */
function recordAt(
  n: number,
  firstIndex: number,
  terms: readonly number[],
  fields: Partial<SegmentRecord> = {},
): SegmentRecord {
  const offset = 96 + n * RECORD_BYTES;
  const lsn = START.startLsn + n * RECORD_BYTES;
  const entries = terms.map((term, i) => ({ term, offset: offset + 48 + i * 10, bytes: 10 }));
  const payloadBytes = 10 * terms.length;
  const record = { kind: APPEND_RECORD, firstIndex, previousTerm: 3, commit: 0, durableLsn: START.startLsn };
  return { ...record, payloadBytes, count: terms.length, offset, lsn, entries, ...fields };
}

function replayOf(...records: readonly SegmentRecord[]): LogReplay {
  const replay = new LogReplay(START);
  for (const record of records) replay.apply(FILE, START.segment, record);
  return replay;
}

function describeTable({ table }: LogReplay): string {
  const indexes = Array.from({ length: table.lastIndex - table.firstIndex + 1 }, (_, i) => table.firstIndex + i);
  return [`behind ${table.firstIndex - 1}:`, ...indexes.map((index) => `${table.term(index)}/${index}`)].join(' ');
}

describe('LogReplay', () => {
  test('makes of records what they say, one after the other', () => {
    const steps = [
      recordAt(0, 11, [3, 3, 4]),
      recordAt(1, 14, [4], { previousTerm: 4 }),
      recordAt(2, 12, [5], { previousTerm: 3 }),
      recordAt(3, 13, [], { previousTerm: 5 }),
      recordAt(4, 31, [6], { kind: RESET_RECORD, previousTerm: 6 }),
      // The log begins in an older segment, which is gone, and where this one begins was replaced.
      recordAt(5, 9, [7], { previousTerm: 2 }),
    ];

    const found = steps.map((_, i) => describeTable(replayOf(...steps.slice(0, i + 1))));

    expect(found).toEqual([
      'behind 10: 3/11 3/12 4/13',
      'behind 10: 3/11 3/12 4/13 4/14',
      'behind 10: 3/11 5/12',
      'behind 10: 3/11 5/12',
      'behind 30: 6/31',
      'behind 8: 7/9',
    ]);
  });

  test('knows the greatest commit index that a record says', () => {
    const replay = replayOf(recordAt(0, 11, [3, 3], { commit: 11 }), recordAt(1, 12, [4], { commit: 10 }));

    expect(replay.commit).toBe(11);
  });

  test('knows what no later record vouches for', () => {
    const durableLsn = START.startLsn + RECORD_BYTES;
    const replay = replayOf(recordAt(0, 11, [3]), recordAt(1, 12, [3, 3]), recordAt(2, 14, [3], { durableLsn }));

    expect(replay.durableLsn).toBe(durableLsn);
    expect(replay.unvouched.map(({ lsn, lastIndexBefore }) => [lsn, lastIndexBefore])).toEqual([
      [durableLsn, 11],
      [durableLsn + RECORD_BYTES, 13],
    ]);
  });

  test('takes a segment for durable that has a successor', () => {
    const replay = replayOf(recordAt(0, 11, [3]), recordAt(1, 12, [3]));
    const startLsn = START.startLsn + 2 * RECORD_BYTES;

    replay.enter('000005.rlog', { segment: 5, startLsn, firstIndex: 13, previousTerm: 3 });

    expect([replay.durableLsn, replay.unvouched]).toEqual([startLsn, []]);
  });

  test.each([
    ['a gap', recordAt(1, 14, [3]), 'a record begins at index 14, and the log ends at 12'],
    [
      'another term before it',
      recordAt(1, 13, [4], { previousTerm: 4 }),
      'follows an entry of term 4, and the log has term 3 at index 12',
    ],
    ['no entries, and not at the end', recordAt(1, 12, []), 'a record begins at index 12, and the log ends at 12'],
  ])('refuses a record with %s', (_what, record, reason) => {
    const replay = (): unknown => replayOf(recordAt(0, 11, [3, 3]), record);

    expect(replay).toThrow(
      expect.objectContaining({
        file: FILE,
        offset: record.offset,
        message: expect.stringContaining(reason) as unknown,
      }),
    );
  });

  test.each([
    [
      { firstIndex: 12, previousTerm: 3 },
      'it begins behind entry 11 of term 3, and the log ends with entry 12 of term 3',
    ],
    [
      { firstIndex: 13, previousTerm: 4 },
      'it begins behind entry 12 of term 4, and the log ends with entry 12 of term 3',
    ],
  ])('refuses a successor that begins with %j', (start, reason) => {
    const replay = replayOf(recordAt(0, 11, [3, 3]));

    const enter = (): void => replay.enter('000005.rlog', { segment: 5, startLsn: 1080, ...start });

    expect(enter).toThrow(expect.objectContaining({ file: '000005.rlog', offset: 0 }));
    expect(enter).toThrow(reason);
  });
});
