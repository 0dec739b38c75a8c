import { describe, expect, test } from 'vitest';

import type { Action, Condition, History, Operation, SeenRow, WriteAction } from '../history/operation.ts';
import { assertLinearizable, checkHistory } from './check-history.ts';
import { findSessionFault } from './check-sessions.ts';

type Answer = Operation['outcome'];

const get = (...keys: readonly string[]): Action => ({ kind: 'read', keys });
const put = (key: string, value: string): WriteAction => ({
  kind: 'write',
  conditions: [],
  changes: [{ kind: 'put', key, value }],
  otherwise: [],
});
const remove = (key: string): WriteAction => ({ ...put(key, ''), changes: [{ kind: 'delete', key }] });
const at = (revision: number, failed?: number): Answer =>
  failed === undefined ? { kind: 'written', revision } : { kind: 'written', revision, failed };
const saw = (...rows: readonly (SeenRow | null)[]): Answer => ({ kind: 'rows', rows });
const row = (value: string, revision?: number): SeenRow => (revision === undefined ? { value } : { value, revision });
const EXISTS: Condition = { kind: 'exists', key: 'x', exists: true };
const REFUSED: Answer = { kind: 'not-done', reason: 'refused' };
const LOST: Answer = { kind: 'unknown', reason: 'lost' };

/** Client, call, return, what, answer. */
type Line = readonly [number, number, number, Action, Answer?];

function history(...lines: readonly Line[]): History {
  const operations = lines.map(([client, calledUs, returnedUs, action, outcome], index) => {
    const called = { id: index + 1, client, action, calledUs };
    return (outcome === undefined ? called : { ...called, returnedUs, outcome }) as Operation;
  });
  return { operations, notes: [] };
}

describe('checkHistory', () => {
  test.each<[string, readonly Line[]]>([
    [
      'operations one after the other',
      [
        [1, 1, 2, put('x', 'a'), at(1)],
        [2, 3, 4, get('x'), saw(row('a', 1))],
      ],
    ],
    [
      'a read beside the write that it does not see',
      [
        [1, 1, 4, put('x', 'a'), at(1)],
        [2, 2, 3, get('x'), saw(null)],
      ],
    ],
    [
      'an unanswered write that is seen late',
      [
        [1, 1, 2, put('x', 'a'), LOST],
        [2, 3, 4, get('x'), saw(null)],
        [2, 5, 6, get('x'), saw(row('a', 7))],
      ],
    ],
    [
      'an unanswered write that is never seen',
      [
        [1, 1, 2, put('x', 'a')],
        [2, 3, 4, get('x'), saw(null)],
      ],
    ],
    [
      'an unanswered delete that explains an absent key',
      [
        [1, 1, 2, put('x', 'a'), at(1)],
        [2, 3, 4, remove('x'), LOST],
        [1, 5, 6, get('x'), saw(null)],
      ],
    ],
    [
      'an unanswered delete of several, the one whose condition held',
      [
        [1, 1, 2, put('x', 'a'), at(1)],
        [2, 3, 4, { ...remove('x'), conditions: [{ kind: 'value', key: 'x', value: 'other' }] }, LOST],
        [3, 5, 6, { ...remove('x'), conditions: [{ kind: 'value', key: 'x', value: 'a' }] }, LOST],
        [1, 7, 8, get('x'), saw(null)],
      ],
    ],
    [
      'two unanswered writes, the second of which could be done only behind the first',
      [
        [1, 1, 2, put('x', 'a'), at(1)],
        [2, 3, 4, remove('y'), LOST],
        [2, 5, 6, { ...remove('x'), conditions: [{ kind: 'exists', key: 'y', exists: false }] }, LOST],
        [1, 7, 8, get('y'), saw(row('b', 2))],
        [3, 1, 9, put('y', 'b'), at(2)],
        [1, 10, 11, get('x'), saw(null)],
      ],
    ],
    [
      'half of an unanswered batch, the other half of which was written again before it was looked at',
      [
        [1, 1, 2, put('x', 'a'), at(1)],
        [2, 3, 4, { ...remove('x'), changes: [...remove('x').changes, ...put('y', 'b').changes] }, LOST],
        [1, 5, 6, put('y', 'c'), at(3)],
        [1, 7, 8, get('x', 'y'), saw(null, row('c', 3))],
      ],
    ],
    [
      'writes whose revisions go against their calls while they overlap',
      [
        [1, 1, 5, put('x', 'a'), at(2)],
        [2, 2, 6, put('x', 'b'), at(1)],
        [1, 7, 8, get('x'), saw(row('a', 2))],
      ],
    ],
    [
      'a refused write that is not there',
      [
        [1, 1, 2, put('x', 'a'), REFUSED],
        [1, 3, 4, get('x'), saw(null)],
      ],
    ],
  ])('accepts %s', (_what, lines) => {
    const verdict = checkHistory(history(...lines));

    expect(verdict).toEqual({ kind: 'linearizable' });
  });

  test.each<[string, readonly Line[]]>([
    [
      'stale-read: #4 of client 2 saw x as a at 1, but #2 of client 1 wrote it at revision 2, and before the read was called #3 of client 2 had ended at revision 2',
      [
        [1, 1, 2, put('x', 'a'), at(1)],
        [1, 3, 10, put('x', 'b'), at(2)],
        [2, 4, 5, get('x'), saw(row('b', 2))],
        [2, 6, 7, get('x'), saw(row('a', 1))],
      ],
    ],
    [
      'lost-write: #3 of client 2 saw x as a at 1, but #2 of client 1 wrote it at revision 2, and before the read was called that had been answered',
      [
        [1, 1, 2, put('x', 'a'), at(1)],
        [1, 3, 4, put('x', 'b'), at(2)],
        [2, 5, 6, get('x'), saw(row('a', 1))],
      ],
    ],
    [
      'lost-write: #2 of client 2 saw x as absent, but #1 of client 1 had written it at revision 1, and nobody deleted it since',
      [
        [1, 1, 2, put('x', 'a'), at(1)],
        [2, 3, 4, get('x'), saw(null)],
      ],
    ],
    [
      'applied-twice: #3 of client 2 saw x as a at 3, but #1 of client 1, which wrote that, was done at revision 1',
      [
        [1, 1, 2, put('x', 'a'), at(1)],
        [2, 3, 4, put('x', 'b'), at(2)],
        [2, 5, 6, get('x'), saw(row('a', 3))],
      ],
    ],
    ['phantom: #1 of client 1 saw x as a at 1, which nobody had written', [[1, 1, 2, get('x'), saw(row('a', 1))]]],
    [
      'phantom: #1 of client 1 saw x as a at 1, which nobody had written',
      [
        [1, 1, 2, get('x'), saw(row('a', 1))],
        [2, 3, 4, put('x', 'a'), at(1)],
      ],
    ],
    [
      'refused-but-done: #2 of client 2 saw x as a at 1, but #1 of client 1, which would have written that, was answered that it was not done',
      [
        [1, 1, 2, put('x', 'a'), REFUSED],
        [2, 3, 4, get('x'), saw(row('a', 1))],
      ],
    ],
    [
      'refused-but-done: #2 of client 2 saw x as a at 4, but #1 of client 1, which would have written that, was answered that it was not done',
      [
        [1, 1, 2, { ...put('x', 'a'), conditions: [EXISTS] }, { kind: 'written', failed: 0 }],
        [2, 3, 4, get('x'), saw(row('a', 4))],
      ],
    ],
    [
      'split-brain: #1 of client 1 and #2 of client 2 were both answered with revision 4',
      [
        [1, 1, 3, put('x', 'a'), at(4)],
        [2, 2, 4, put('y', 'b'), at(4)],
      ],
    ],
    [
      'reordered: #2 of client 2 was done at revision 3, but before it was called #1 of client 1 had ended at revision 4',
      [
        [1, 1, 2, put('x', 'a'), at(4)],
        [2, 3, 4, put('y', 'b'), at(3)],
      ],
    ],
    [
      'torn-read: #3 of client 2 saw one key at revision 2 and y as a at 1, though #2 of client 1 wrote y at revision 2',
      [
        [1, 1, 2, { ...put('x', 'a'), changes: [...put('x', 'a').changes, ...put('y', 'a').changes] }, at(1)],
        [1, 3, 9, { ...put('x', 'b'), changes: [...put('x', 'b').changes, ...put('y', 'b').changes] }, at(2)],
        [2, 4, 5, get('x', 'y'), saw(row('b', 2), row('a', 1))],
      ],
    ],
    [
      'wrong-compare: #2 of client 2 was answered that "x is absent" held, but at its revision 2 x was as #1 of client 1 left it at 1',
      [
        [1, 1, 2, put('x', 'a'), at(1)],
        [2, 3, 4, { ...put('x', 'b'), conditions: [{ kind: 'exists', key: 'x', exists: false }] }, at(2)],
      ],
    ],
    [
      'wrong-compare: #2 of client 2 was answered that "x is a" did not hold, but at its revision 2 x was as #1 of client 1 left it at 1',
      [
        [1, 1, 2, put('x', 'a'), at(1)],
        [2, 3, 4, { ...put('x', 'b'), conditions: [{ kind: 'value', key: 'x', value: 'a' }] }, at(2, 0)],
      ],
    ],
    [
      'no-order: no order of the operations explains the answer of #3 of client 2',
      [
        [1, 1, 2, put('x', 'a'), { kind: 'written' }],
        [2, 3, 4, get('x'), saw(row('a'))],
        [2, 5, 6, get('x'), saw(null)],
      ],
    ],
    [
      'no-order: no order of the operations explains the answer of #2 of client 2',
      [
        [1, 1, 2, put('x', 'a'), at(1)],
        [
          2,
          3,
          4,
          { kind: 'write', conditions: [EXISTS], changes: put('x', 'b').changes, otherwise: put('x', 'c').changes },
          LOST,
        ],
        [1, 5, 6, get('x'), saw(row('c', 2))],
      ],
    ],
    [
      'applied-twice: #3 of client 1 saw list/a as w w, with w twice',
      [
        [1, 1, 2, put('list/a', 'w'), at(1)],
        [1, 3, 4, put('list/a', 'w w'), at(2)],
        [1, 5, 6, get('list/a'), saw(row('w w', 2))],
      ],
    ],
    [
      'lost-write: #3 of client 1 saw list/a without v, though #1 of client 1, which added it, had been answered before',
      [
        [1, 1, 2, put('list/a', 'v'), at(1)],
        [1, 3, 4, put('list/a', 'w'), at(2)],
        [1, 5, 6, get('list/a'), saw(row('w', 2))],
      ],
    ],
  ])('says "%s"', (expected, lines) => {
    const verdict = checkHistory(history(...lines));

    expect(verdict.kind === 'faulty' ? verdict.explanation.split('.\n')[0] : verdict.kind).toBe(expected);
  });

  test('finds the smallest prefix that is wrong, and draws it', () => {
    const lines: readonly Line[] = [
      [1, 1000, 2000, put('x', 'a'), at(1)],
      [2, 1500, 4000, put('x', 'b'), at(2)],
      [3, 3000, 3500, get('x'), saw(row('b', 2))],
      [1, 5000, 9000, put('x', 'c'), LOST],
      [3, 6000, 7000, get('x'), saw(row('a', 1))],
      [3, 8000, 8500, get('x'), saw(row('a', 1))],
    ];

    const verdict = checkHistory({ ...history(...lines), notes: [{ atUs: 4500, text: 'kill -9 node 2' }] });

    expect(verdict).toMatchObject({ kind: 'faulty', fault: { kind: 'stale-read' } });
    expect(verdict.kind === 'faulty' && verdict.prefix.operations.at(-1)?.id).toBe(5);
    expect(verdict.kind === 'faulty' && verdict.explanation.split('\n').slice(1)).toEqual([
      '      1.000 ms  |---|                 #1 client 1: put x=a -> done at 1',
      '      1.500 ms    |-------|           #2 client 2: put x=b -> done at 2',
      '      3.000 ms        |-|             #3 client 3: get x -> b at 2',
      '      4.500 ms              *         kill -9 node 2',
      '      5.000 ms                |---->  #4 client 1: put x=c -> no answer',
      '      6.000 ms                  |-|   #5 client 3: get x -> a at 1',
    ]);
  });

  test('says that it could not tell when the search is bounded too tightly', () => {
    const writes = Array.from({ length: 8 }, (_, i): Line => [i, 1 + i, 20 + i, put('x', `${i}`), { kind: 'written' }]);
    const reads: readonly Line[] = [[9, 40, 41, get('x'), saw(row('3'))]];

    const verdict = checkHistory(history(...writes, ...reads), { maxStates: 3 });

    expect(verdict).toEqual({ kind: 'undecided' });
    expect(checkHistory(history(...writes, ...reads))).toEqual({ kind: 'linearizable' });
  });

  test('refuses rows whose writer cannot be told', () => {
    const twice = [put('x', 'a'), put('x', 'a')].map((action, i): Line => [i, 1 + i, 5 + i, action, LOST]);

    const check = (): unknown => checkHistory(history(...twice, [3, 8, 9, get('x'), saw(row('a', 4))]));

    expect(check).toThrow(new RangeError('2 writes of unknown revision put a under x'));
  });
});

describe('assertLinearizable', () => {
  test('throws the explanation', () => {
    const wrong = history([1, 1, 2, get('x'), saw(row('a', 1))]);

    expect(() => assertLinearizable(wrong)).toThrow(
      /^not linearizable: phantom: #1 of client 1 saw x as a at 1, which nobody had written\.\n/,
    );
    expect(() => assertLinearizable(history())).not.toThrow();
  });
});

describe('findSessionFault', () => {
  test.each<[string, readonly Line[]]>([
    [
      '#2 of client 1 saw x as a at 1, but before that #1 of client 1 had it at 2',
      [
        [1, 1, 2, get('x'), saw(row('b', 2))],
        [1, 3, 4, get('x'), saw(row('a', 1))],
      ],
    ],
    [
      '#2 of client 1 saw x as a at 1, but before that #1 of client 1 had it at 2',
      [
        [1, 1, 2, put('x', 'b'), at(2)],
        [1, 3, 4, get('x'), saw(row('a', 1))],
      ],
    ],
    [
      '#2 of client 1 was done at revision 1, after #1 of client 1 at 2',
      [
        [1, 1, 2, put('x', 'b'), at(2)],
        [1, 3, 4, put('y', 'a'), at(1)],
      ],
    ],
  ])('says "%s"', (sentence, lines) => {
    expect(findSessionFault(history(...lines))?.sentence).toBe(sentence);
  });

  test('lets clients see different things', () => {
    const lines: readonly Line[] = [
      [1, 1, 2, get('x'), saw(row('b', 2))],
      [2, 3, 4, get('x'), saw(row('a', 1))],
    ];

    expect(findSessionFault(history(...lines))).toBeUndefined();
  });
});
