import { describe, expect, test } from 'vitest';

import { addStretch, describeLogLosses, type FoundInLog, type GapStretch, type RecordStretch } from './log-losses.ts';

/** Records of 100 bytes per operation, the first of the log at LSN 0. */
function records(kind: 'held' | 'behind', first: number, last: number, durableLsn = 0): RecordStretch {
  const offset = 64 + (first - 1) * 100;
  return { kind, file: 'a.wal', offset, bytes: (last - first + 1) * 100, lsn: offset - 64, durableLsn, first, last };
}

function gap(at: number, operations: number, isNeeded = false): GapStretch {
  const offset = 64 + (at - 1) * 100;
  const place = { file: 'a.wal', offset, bytes: operations * 100, lsn: offset - 64 };
  return { kind: 'gap', ...place, reason: 'planted', isNeeded };
}

function judge(stretches: FoundInLog['stretches'], closedAt?: number): object {
  const held = stretches.findLast((each): each is RecordStretch => each.kind === 'held');
  const lastSequence = held?.last ?? 0;
  const { isTorn, lossesOfPrefix, lossesOfAll } = describeLogLosses({ stretches, lastSequence, closedAt });
  const spans = (losses: typeof lossesOfAll): readonly string[] =>
    losses.map(({ kind, firstSequence, lastSequence: last }) => `${kind} ${firstSequence}-${last}`);
  return { isTorn, prefix: spans(lossesOfPrefix), all: spans(lossesOfAll) };
}

describe('describeLogLosses', () => {
  test.each<[string, FoundInLog['stretches'], number | undefined, object]>([
    ['a log that ends whole', [records('held', 1, 5)], undefined, { isTorn: false, prefix: [], all: [] }],
    ['a closed log that ends whole', [records('held', 1, 5)], 5, { isTorn: false, prefix: [], all: [] }],
    [
      'a closed log that ends too early',
      [records('held', 1, 5)],
      8,
      { isTorn: false, prefix: ['log 6-8'], all: ['log 6-8'] },
    ],
    [
      'a torn tail',
      [records('held', 1, 5), gap(6, 1)],
      undefined,
      { isTorn: true, prefix: ['torn-tail 6-null'], all: ['torn-tail 6-null'] },
    ],
    [
      'a gap of which nothing behind it knows that it was durable',
      [records('held', 1, 5), gap(6, 1), records('behind', 7, 8, 500)],
      undefined,
      { isTorn: true, prefix: ['torn-tail 6-null'], all: ['torn-tail 6-null'] },
    ],
    [
      'a gap that a later record vouches for',
      [records('held', 1, 5), gap(6, 2), records('behind', 8, 9, 700)],
      undefined,
      { isTorn: false, prefix: ['log 6-9'], all: ['log 6-7'] },
    ],
    [
      'two gaps, the last one open',
      [records('held', 1, 5), gap(6, 1), records('behind', 7, 9, 600), gap(10, 1)],
      undefined,
      { isTorn: false, prefix: ['log 6-null'], all: ['log 6-6', 'log 10-null'] },
    ],
    [
      'damage among what tables hold',
      [records('held', 1, 2), gap(3, 1), records('held', 4, 9)],
      undefined,
      { isTorn: false, prefix: [], all: [] },
    ],
    [
      'a torn tail of which no record is whole',
      [gap(1, 1), records('behind', 2, 3, 0)],
      undefined,
      { isTorn: true, prefix: ['torn-tail 1-null'], all: ['torn-tail 1-null'] },
    ],
    [
      'a segment that never held anything between two that did',
      [
        records('held', 1, 5),
        gap(6, 2),
        { ...gap(8, 1, true), file: 'b.wal' },
        { ...records('behind', 6, 9, 700), file: 'c.wal' },
      ],
      undefined,
      { isTorn: false, prefix: ['log 6-9'], all: [] },
    ],
    [
      'a log without its beginning',
      [records('behind', 4, 9)],
      undefined,
      { isTorn: false, prefix: ['log 1-9'], all: ['log 1-3'] },
    ],
  ])('judges %s', (_name, stretches, closedAt, expected) => {
    expect(judge(stretches, closedAt)).toEqual(expected);
  });
});

describe('addStretch', () => {
  test('joins records that follow each other, and nothing else', () => {
    const stretches = [records('held', 1, 2, 50)];

    addStretch(stretches, records('held', 3, 4, 90));
    addStretch(stretches, records('held', 6, 6));

    expect(stretches).toEqual([records('held', 1, 4, 90), records('held', 6, 6)]);
  });
});
