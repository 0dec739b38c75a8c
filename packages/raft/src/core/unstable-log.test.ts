import { describe, expect, test } from 'vitest';

import { describeEntries, entriesOf, snapshotOf } from '../testing/entries.ts';
import type { RaftEvent } from './events.ts';
import { UnstableLog } from './unstable-log.ts';

interface Shape {
  /** `term/index` of each entry; those before the bar are in progress. */
  readonly entries?: string;
  readonly offset?: number;
  readonly snapshot?: string;
}

/** `1/5 | 1/6` at an offset, after an optional snapshot `1/4` or, in progress, `1/4 |`. */
function openUnstable({ entries = '', offset = 5, snapshot }: Shape): {
  readonly log: UnstableLog;
  readonly events: string[];
} {
  const events: string[] = [];
  const log = new UnstableLog(offset, (event: RaftEvent) => events.push(event.kind));
  if (snapshot !== undefined) {
    const [term = 0, index = 0] = snapshot.replace(' |', '').split('/').map(Number);
    log.restore(snapshotOf(index, term));
    if (snapshot.endsWith('|')) log.acceptInProgress();
  }
  const [before = '', after = ''] = entries.includes('|') ? entries.split('|') : ['', entries];
  appendAll(log, before);
  if (before.trim() !== '') log.acceptInProgress();
  appendAll(log, after);
  return { log, events };
}

function appendAll(log: UnstableLog, text: string): void {
  for (const part of text.trim().split(' ')) {
    if (part === '') continue;
    const [term = 0, index = 0] = part.split('/').map(Number);
    log.truncateAndAppend(entriesOf(index, term), 0);
  }
}

/** What `Shape.entries` reads like. */
function shapeOf(log: UnstableLog): string {
  const all = log.count === 0 ? [] : log.take(log.offset, log.offset + log.count, Number.MAX_SAFE_INTEGER, () => 1);
  const inProgress = all.slice(0, log.offsetInProgress - log.offset);
  return `${log.offset}: ${describeEntries(inProgress)} | ${describeEntries(all.slice(inProgress.length))}`;
}

describe('UnstableLog', () => {
  test('without entries and snapshot knows nothing', () => {
    const { log } = openUnstable({});

    expect(log.lastIndex).toBeUndefined();
    expect(log.term(4)).toBeUndefined();
    expect(log.term(5)).toBeUndefined();
  });

  test.each([
    [{ entries: '1/5' }, 5, 1],
    [{ entries: '1/5' }, 6, undefined],
    [{ entries: '1/5' }, 4, undefined],
    [{ entries: '1/5', snapshot: '1/4' }, 5, 1],
    [{ entries: '1/5', snapshot: '1/4' }, 6, undefined],
    [{ entries: '1/5', snapshot: '1/4' }, 4, 1],
    [{ entries: '1/5', snapshot: '1/4' }, 3, undefined],
    [{ snapshot: '1/4' }, 5, undefined],
    [{ snapshot: '1/4' }, 4, 1],
  ])('of %j has at %i the term %s', (shape, index, term) => {
    const { log } = openUnstable(shape);

    expect(log.term(index)).toBe(term);
  });

  test.each([
    [{ entries: '1/5' }, 5],
    [{ entries: '1/5', snapshot: '1/4' }, 5],
    [{ snapshot: '1/4' }, 4],
  ])('of %j ends at %i', (shape, lastIndex) => {
    const { log } = openUnstable(shape);

    expect(log.lastIndex).toBe(lastIndex);
  });

  test('restored from a snapshot has nothing else, and nothing in progress', () => {
    const { log } = openUnstable({ entries: '1/5 |', snapshot: '1/4 |' });

    log.restore(snapshotOf(6, 2));

    expect(shapeOf(log)).toBe('7:  | ');
    expect(log.nextSnapshot?.meta.index).toBe(6);
  });

  describe('acceptInProgress', () => {
    test.each([
      [{}, '5:  | ', false],
      [{ entries: '1/5' }, '5: 1/5 | ', false],
      [{ entries: '1/5 1/6' }, '5: 1/5 1/6 | ', false],
      [{ entries: '1/5 | 1/6' }, '5: 1/5 1/6 | ', false],
      [{ entries: '1/5 1/6 |' }, '5: 1/5 1/6 | ', false],
      [{ snapshot: '1/4' }, '5:  | ', true],
      [{ entries: '1/5', snapshot: '1/4' }, '5: 1/5 | ', true],
      [{ entries: '1/5 | 1/6', snapshot: '1/4 |' }, '5: 1/5 1/6 | ', true],
    ])('of %j leaves %s', (shape, expected, hasSnapshot) => {
      const { log } = openUnstable(shape);

      log.acceptInProgress();

      expect(shapeOf(log)).toBe(expected);
      expect(log.hasNextEntries).toBe(false);
      expect(log.nextEntries()).toEqual([]);
      expect(log.nextSnapshot).toBeUndefined();
      expect(log.snapshot !== undefined).toBe(hasSnapshot);
    });
  });

  describe('stableTo', () => {
    test.each([
      [{}, 5, 1, '5:  | ', ['stable-entry-missing']],
      [{ entries: '1/5 |' }, 5, 1, '6:  | ', []],
      [{ entries: '1/5 | 1/6' }, 5, 1, '6:  | 1/6', []],
      [{ entries: '1/5 1/6 |' }, 5, 1, '6: 1/6 | ', []],
      [{ entries: '2/6 |', offset: 6 }, 6, 1, '6: 2/6 | ', ['stable-entry-mismatched']],
      [{ entries: '1/5 |' }, 4, 1, '5: 1/5 | ', ['stable-entry-missing']],
      [{ entries: '1/5 |', snapshot: '1/4 |' }, 5, 1, '6:  | ', []],
      [{ entries: '1/5 1/6 |', snapshot: '1/4 |' }, 5, 1, '6: 1/6 | ', []],
      [{ entries: '1/5 |', snapshot: '1/4 |' }, 4, 1, '5: 1/5 | ', ['stable-entry-in-snapshot']],
      [{ entries: '2/5 |', snapshot: '2/4 |' }, 4, 1, '5: 2/5 | ', ['stable-entry-in-snapshot']],
    ])('of %j, to %i of term %i, leaves %s', (shape, index, term, expected, told) => {
      const { log, events } = openUnstable(shape);

      log.stableTo(index, term);

      expect(shapeOf(log)).toBe(expected);
      expect(events).toEqual(told);
    });

    test('beyond what is in progress counts that as handed out too', () => {
      const { log } = openUnstable({ entries: '1/5 | 1/6 1/7' });

      log.stableTo(6, 1);

      expect(shapeOf(log)).toBe('7:  | 1/7');
    });
  });

  describe('stableSnapshotTo', () => {
    test.each([
      [4, undefined],
      [5, 4],
    ])('%i leaves the snapshot of %s', (index, left) => {
      const { log } = openUnstable({ snapshot: '1/4 |' });

      log.stableSnapshotTo(index);

      expect(log.snapshot?.meta.index).toBe(left);
    });
  });

  describe('truncateAndAppend', () => {
    test.each([
      ['appends to the end', { entries: '1/5' }, 6, [1, 1], '5:  | 1/5 1/6 1/7', []],
      ['appends behind what is in progress', { entries: '1/5 |' }, 6, [1, 1], '5: 1/5 | 1/6 1/7', []],
      ['replaces everything from the offset on', { entries: '1/5' }, 5, [2, 2], '5:  | 2/5 2/6', ['unstable-replaced']],
      [
        'replaces what lies before the offset',
        { entries: '1/5' },
        4,
        [2, 2, 2],
        '4:  | 2/4 2/5 2/6',
        ['unstable-replaced'],
      ],
      ['replaces what is in progress', { entries: '1/5 |' }, 5, [2, 2], '5:  | 2/5 2/6', ['unstable-replaced']],
      ['keeps what lies before', { entries: '1/5 1/6 1/7' }, 6, [2], '5:  | 1/5 2/6', ['unstable-truncated']],
      [
        'keeps all but the last',
        { entries: '1/5 1/6 1/7' },
        7,
        [2, 2],
        '5:  | 1/5 1/6 2/7 2/8',
        ['unstable-truncated'],
      ],
      [
        'keeps what is in progress before',
        { entries: '1/5 | 1/6 1/7' },
        6,
        [2],
        '5: 1/5 | 2/6',
        ['unstable-truncated'],
      ],
      ['cuts what is in progress', { entries: '1/5 1/6 1/7 |' }, 6, [2], '5: 1/5 | 2/6', ['unstable-truncated']],
    ])('%s', (_, shape, first, terms, expected, told) => {
      const { log, events } = openUnstable(shape);

      log.truncateAndAppend(entriesOf(first, ...terms), 0);

      expect(shapeOf(log)).toBe(expected);
      expect(events).toEqual(told);
    });

    test('leaves lists alone that were handed out before', () => {
      const { log } = openUnstable({ entries: '1/5 1/6' });
      const handedOut = log.nextEntries();
      const given = entriesOf(7, 1);

      log.truncateAndAppend(given, 0);
      log.truncateAndAppend(entriesOf(6, 2), 0);

      expect(describeEntries(handedOut)).toBe('1/5 1/6');
      expect(describeEntries(given)).toBe('1/7');
    });

    test('refuses a gap', () => {
      const { log } = openUnstable({ entries: '1/5' });

      expect(() => log.truncateAndAppend(entriesOf(7, 1), 0)).toThrow('leave a gap behind 5');
    });

    test('refuses indexes that are not exact any more, of entries and of a snapshot', () => {
      const largest = Number.MAX_SAFE_INTEGER - 1;
      const { log } = openUnstable({ offset: largest });

      expect(() => log.truncateAndAppend(entriesOf(largest, 1, 1), 0)).toThrow('more than can be counted');
      expect(() => log.restore(snapshotOf(largest + 1, 1))).toThrow('more than can be counted');
      log.truncateAndAppend(entriesOf(largest, 1), 0);
      expect(log.lastIndex).toBe(largest);
    });
  });
});
