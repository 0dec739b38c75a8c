import { describe, expect, test } from 'vitest';

import { describeEntries, entriesOf, entryOf, snapshotOf, votersOf } from '../testing/entries.ts';
import { MemoryLogStorage } from '../testing/memory-log-storage.ts';
import { defaultEntryBytes } from './config.ts';
import type { RaftEvent } from './events.ts';
import { RaftLog } from './log.ts';
import type { Entry } from './types.ts';

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

interface Options {
  readonly maxApplyingBytes?: number;
  readonly events?: RaftEvent[];
}

/** What each entry without payload counts for. */
const ONE = defaultEntryBytes(entryOf(1, 1));

function openLog(storage: MemoryLogStorage, { maxApplyingBytes = NO_LIMIT, events = [] }: Options = {}): RaftLog {
  const onEvent = (event: RaftEvent): unknown => events.push(event);
  return new RaftLog({ storage, maxApplyingBytes, entryBytes: defaultEntryBytes, onEvent });
}

/** Entries `1` to `stable` are stored, the rest up to `last` is not; the term of each is its index, unless terms are given. */
function logOf(stable: number, last: number, options: Options = {}): { log: RaftLog; storage: MemoryLogStorage } {
  const storage = new MemoryLogStorage();
  for (let i = 1; i <= stable; i++) storage.append([entryOf(i, i)]);
  const log = openLog(storage, options);
  for (let i = stable + 1; i <= last; i++) log.append([entryOf(i, i)]);
  return { log, storage };
}

function textOf(found: readonly Entry[] | string): string {
  return typeof found === 'string' ? found : describeEntries(found);
}

describe('RaftLog', () => {
  test.each([
    ['no entries', [], 0],
    ['one that is here', entriesOf(1, 1), 0],
    ['two that are here', entriesOf(1, 1, 2), 0],
    ['all that are here', entriesOf(1, 1, 2, 3), 0],
    ['the later ones', entriesOf(2, 2, 3), 0],
    ['the last one', entriesOf(3, 3), 0],
    ['all, and new ones', entriesOf(1, 1, 2, 3, 4, 4), 4],
    ['the later ones, and new ones', entriesOf(2, 2, 3, 4, 5), 4],
    ['only new ones', entriesOf(4, 4, 4), 4],
    ['others from the first on', entriesOf(1, 4, 4), 1],
    ['others from the second on', entriesOf(2, 1, 4, 4), 2],
    ['others from the third on', entriesOf(3, 1, 2, 4, 4), 3],
  ])('findConflict of %s', (_, entries, conflict) => {
    const events: RaftEvent[] = [];
    const { log } = logOf(0, 3, { events });

    expect(log.findConflict(entries)).toBe(conflict);
    expect(events.map(({ kind }) => kind)).toEqual(conflict > 0 && conflict <= 3 ? ['log-conflict-found'] : []);
  });

  describe('findConflictByTerm', () => {
    test.each([
      // Snapshot at 0.
      [0, [0, 2, 2, 5, 5, 5], 100, 2, 100, 0],
      [0, [0, 2, 2, 5, 5, 5], 5, 6, 5, 5],
      [0, [0, 2, 2, 5, 5, 5], 5, 5, 5, 5],
      [0, [0, 2, 2, 5, 5, 5], 5, 4, 2, 2],
      [0, [0, 2, 2, 5, 5, 5], 5, 2, 2, 2],
      [0, [0, 2, 2, 5, 5, 5], 5, 1, 0, 0],
      [0, [0, 2, 2, 5, 5, 5], 1, 2, 1, 2],
      [0, [0, 2, 2, 5, 5, 5], 1, 1, 0, 0],
      [0, [0, 2, 2, 5, 5, 5], 0, 0, 0, 0],
      // Snapshot at 10: below it, terms are not known.
      [10, [3, 3, 3, 4, 4, 4], 30, 3, 30, 0],
      [10, [3, 3, 3, 4, 4, 4], 14, 9, 14, 4],
      [10, [3, 3, 3, 4, 4, 4], 14, 4, 14, 4],
      [10, [3, 3, 3, 4, 4, 4], 14, 3, 12, 3],
      [10, [3, 3, 3, 4, 4, 4], 14, 2, 9, 0],
      [10, [3, 3, 3, 4, 4, 4], 11, 5, 11, 3],
      [10, [3, 3, 3, 4, 4, 4], 10, 5, 10, 3],
      [10, [3, 3, 3, 4, 4, 4], 10, 3, 10, 3],
      [10, [3, 3, 3, 4, 4, 4], 10, 2, 9, 0],
      [10, [3, 3, 3, 4, 4, 4], 9, 2, 9, 0],
      [10, [3, 3, 3, 4, 4, 4], 4, 2, 4, 0],
      [10, [3, 3, 3, 4, 4, 4], 0, 0, 0, 0],
    ])('after %i, of terms %j, up to %i with term %i: %i of term %i', (base, terms, index, term, expected, own) => {
      const storage = new MemoryLogStorage();
      const [snapshotTerm = 0, ...rest] = terms;
      if (base > 0) storage.applySnapshot(snapshotOf(base, snapshotTerm));
      const log = openLog(storage);
      log.append(entriesOf(base + 1, ...rest));

      expect(log.findConflictByTerm(index, term)).toEqual({ index: expected, term: own });
    });
  });

  test.each([
    ['a later term, though shorter', 2, 4, true],
    ['a later term', 3, 4, true],
    ['a later term, and longer', 4, 4, true],
    ['an earlier term', 2, 2, false],
    ['an earlier term, though longer', 4, 2, false],
    ['the same term, but shorter', 2, 3, false],
    ['the same end', 3, 3, true],
    ['the same term, and longer', 4, 3, true],
  ])('is up to date with %s', (_, lastIndex, lastTerm, expected) => {
    const { log } = logOf(0, 3);

    expect(log.isUpToDate(lastIndex, lastTerm)).toBe(expected);
  });

  test.each([
    ['nothing', [], 2, '1/1 2/2', 3],
    ['what follows', entriesOf(3, 2), 3, '1/1 2/2 2/3', 3],
    ['what takes the place of all', entriesOf(1, 2), 1, '2/1', 1],
    ['what takes the place of a part', entriesOf(2, 3, 3), 3, '1/1 3/2 3/3', 2],
  ])('appends %s', (_, entries, lastIndex, expected, unstableFrom) => {
    const { log } = logOf(2, 2);

    const last = log.append(entries);

    expect(last).toBe(lastIndex);
    expect(textOf(log.entriesFrom(1, NO_LIMIT))).toBe(expected);
    expect(log.unstable.offset).toBe(unstableFrom);
  });

  describe('maybeAppend', () => {
    test.each([
      ['another term before', 3, 2, [4], 3, undefined, 1, '1/1 2/2 3/3'],
      ['a gap before', 4, 4, [4], 3, undefined, 1, '1/1 2/2 3/3'],
      ['nothing, all committed', 3, 3, [], 3, 3, 3, '1/1 2/2 3/3'],
      ['nothing, more committed than there is', 3, 3, [], 4, 3, 3, '1/1 2/2 3/3'],
      ['nothing, a part committed', 3, 3, [], 2, 3, 2, '1/1 2/2 3/3'],
      ['nothing, the commit index never falls', 3, 3, [], 0, 3, 1, '1/1 2/2 3/3'],
      ['nothing behind the beginning', 0, 0, [], 3, 0, 1, '1/1 2/2 3/3'],
      ['what follows', 3, 3, [4], 3, 4, 3, '1/1 2/2 3/3 4/4'],
      ['what follows, committed', 3, 3, [4], 4, 4, 4, '1/1 2/2 3/3 4/4'],
      ['what follows, more committed', 3, 3, [4], 5, 4, 4, '1/1 2/2 3/3 4/4'],
      ['two that follow, more committed', 3, 3, [4, 4], 5, 5, 5, '1/1 2/2 3/3 4/4 4/5'],
      ['one in the place of the last', 2, 2, [4], 3, 3, 3, '1/1 2/2 4/3'],
      ['one in the place of the second', 1, 1, [4], 3, 2, 2, '1/1 4/2'],
      ['two in the place of the second', 1, 1, [4, 4], 3, 3, 3, '1/1 4/2 4/3'],
      ['one that is here: what is behind stays', 1, 1, [2], 2, 2, 2, '1/1 2/2 3/3'],
    ])('%s', (_, prevIndex, prevTerm, terms, commit, matched, committed, expected) => {
      const { log } = logOf(0, 3);
      log.commitTo(1);

      const result = log.maybeAppend(prevIndex, prevTerm, entriesOf(prevIndex + 1, ...terms), commit);

      expect(result).toBe(matched);
      expect(log.committed).toBe(committed);
      expect(textOf(log.entriesFrom(1, NO_LIMIT))).toBe(expected);
    });

    test('never replaces a committed entry', () => {
      const { log } = logOf(0, 3);
      log.commitTo(1);

      expect(() => log.maybeAppend(0, 0, entriesOf(1, 4), 1)).toThrow('entry 1 conflicts with a committed one');
    });
  });

  test('works as before when the storage lets go of entries', () => {
    const { log, storage } = logOf(750, 1000);
    log.commitTo(750);
    log.appliedTo(750, []);

    storage.createSnapshot(500, votersOf(1), new Uint8Array(0));
    storage.compact(500);

    expect(log.lastIndex).toBe(1000);
    expect(log.firstIndex).toBe(501);
    expect(log.term(499)).toBe('compacted');
    for (let index = 500; index <= 1000; index++) expect(log.matches(index, index)).toBe(true);
    expect(log.term(1001)).toBe('unavailable');
    expect(log.unstable.nextEntries().length).toBe(250);
    expect(log.append([entryOf(1001, 1001)])).toBe(1001);
    expect(log.entriesFrom(500, NO_LIMIT)).toBe('compacted');
    expect(textOf(log.entriesFrom(1001, NO_LIMIT))).toBe('1001/1001');
  });

  describe('committed entries', () => {
    test.each([
      // applied, applying, unstable may be applied, paused, waits for a snapshot, expected
      [3, 3, true, false, false, '1/4 1/5'],
      [3, 4, true, false, false, '1/5'],
      [3, 5, true, false, false, ''],
      [4, 4, true, false, false, '1/5'],
      [5, 5, true, false, false, ''],
      [3, 3, false, false, false, '1/4'],
      [3, 4, false, false, false, ''],
      [4, 4, false, false, false, ''],
      [3, 3, true, true, false, ''],
      [3, 3, true, false, true, ''],
    ])(
      'are next, with %i applied and %i applying, unstable ones %s, paused %s, snapshot %s: %s',
      (applied, applying, allowUnstable, isPaused, hasSnapshot, expected) => {
        const storage = new MemoryLogStorage();
        storage.applySnapshot(snapshotOf(3, 1));
        storage.append(entriesOf(4, 1));
        const log = openLog(storage, { maxApplyingBytes: 2 * ONE });
        log.append(entriesOf(5, 1, 1));
        log.commitTo(applying);
        log.appliedTo(applied, []);
        log.acceptApplying(log.nextCommittedEntries(true), true);
        log.commitTo(5);
        // The window of two is full, whatever of it is applied.
        if (isPaused) log.acceptApplying([entryOf(3, 1), entryOf(3, 1)], allowUnstable);
        if (hasSnapshot) {
          log.unstable.restore(snapshotOf(6, 1));
        }

        const next = log.nextCommittedEntries(allowUnstable);

        expect(describeEntries(next)).toBe(expected);
        expect(log.hasNextCommittedEntries(allowUnstable)).toBe(expected !== '');
      },
    );

    test.each([
      // handed out up to, each of so many bytes, pauses
      [4, 50, true],
      [5, 49, false],
      [5, 50, true],
      [5, 51, true],
    ])('handed out up to %i with %i bytes each: paused %s', (index, bytes, isPaused) => {
      const storage = new MemoryLogStorage();
      storage.applySnapshot(snapshotOf(3, 1));
      storage.append(entriesOf(4, 1));
      const log = new RaftLog({ storage, maxApplyingBytes: 100, entryBytes: () => bytes, onEvent: undefined });
      log.append(entriesOf(5, 1, 1));
      log.maybeCommit(5, 1);
      log.appliedTo(3, []);

      log.acceptApplying(entriesOf(4, ...Array.from({ length: index - 3 }, () => 1)), true);

      expect(log.applying).toBe(index);
      expect(log.isApplyingPaused).toBe(isPaused);
    });

    test.each([
      [4, 2, true],
      [4, 1, true],
      [5, 1, false],
      [5, 2, false],
    ])('once %i is applied and frees %i: paused %s', (applied, count, isPaused) => {
      const storage = new MemoryLogStorage();
      storage.applySnapshot(snapshotOf(3, 1));
      storage.append(entriesOf(4, 1));
      const log = openLog(storage, { maxApplyingBytes: 3 * ONE });
      log.append(entriesOf(5, 1, 1));
      log.maybeCommit(5, 1);
      log.acceptApplying([entryOf(4, 1), entryOf(5, 1), entryOf(5, 1), entryOf(5, 1), entryOf(5, 1)], true);

      log.appliedTo(
        applied,
        Array.from({ length: applied === 4 ? count : count + 2 }, () => entryOf(applied, 1)),
      );

      expect(log.applied).toBe(applied);
      expect(log.isApplyingPaused).toBe(isPaused);
    });

    test('are never applied before they are committed', () => {
      const { log } = logOf(3, 3);
      log.commitTo(2);

      expect(() => log.appliedTo(3, [])).toThrow('entry 3 was applied, and only 2 is committed');
    });
  });

  test('commits forward only, and not beyond its end', () => {
    const { log } = logOf(0, 3);
    log.commitTo(2);

    log.commitTo(1);

    expect(log.committed).toBe(2);
    expect(() => log.commitTo(4)).toThrow('beyond the log, which ends at 3');
  });

  test('commits by counting only what is of the own term', () => {
    const { log } = logOf(0, 3);

    expect(log.maybeCommit(2, 3)).toBe(false);
    expect(log.maybeCommit(4, 3)).toBe(false);
    expect(log.maybeCommit(3, 3)).toBe(true);
    expect(log.committed).toBe(3);
  });

  test.each([
    [1, 1, 2],
    [2, 2, 3],
    [3, 1, 1],
  ])('is stable to %i of term %i from %i on unstable', (index, term, offset) => {
    const { log } = logOf(0, 2);

    log.unstable.stableTo(index, term);

    expect(log.unstable.offset).toBe(offset);
  });

  test.each([
    // The snapshot ends at 5 of term 2.
    [6, 2, [], 6],
    [5, 2, [], 6],
    [4, 2, [], 6],
    [6, 4, [], 6],
    [6, 2, [2], 7],
    [5, 2, [2], 6],
    [4, 2, [2], 6],
    [6, 4, [2], 6],
    [5, 4, [2], 6],
  ])('with a snapshot is stable to %i of term %i, with %j unstable, from %i on', (index, term, terms, offset) => {
    const storage = new MemoryLogStorage();
    storage.applySnapshot(snapshotOf(5, 2));
    const log = openLog(storage);
    log.append(entriesOf(6, ...terms));

    log.unstable.stableTo(index, term);

    expect(log.unstable.offset).toBe(offset);
  });

  test('restored from a snapshot begins behind it, committed, with nothing else', () => {
    const storage = new MemoryLogStorage();
    storage.applySnapshot(snapshotOf(1000, 1000));

    const log = openLog(storage);

    expect(textOf(log.entriesFrom(log.firstIndex, NO_LIMIT))).toBe('');
    expect([log.firstIndex, log.committed, log.applied, log.unstable.offset]).toEqual([1001, 1000, 1000, 1001]);
    expect(log.term(1000)).toBe(1000);
  });

  test('knows the terms of a log between its ends, and of the entry before', () => {
    const storage = new MemoryLogStorage();
    storage.applySnapshot(snapshotOf(100, 1));
    const log = openLog(storage);
    log.append(Array.from({ length: 99 }, (_, i) => entryOf(101 + i, 1 + i)));

    expect([log.term(99), log.term(100), log.term(150), log.term(199), log.term(200)]).toEqual([
      'compacted',
      1,
      50,
      99,
      'unavailable',
    ]);
  });

  test('takes the term at its beginning from a snapshot that waits to be stored', () => {
    const storage = new MemoryLogStorage();
    storage.applySnapshot(snapshotOf(100, 1));
    const log = openLog(storage);

    log.restore(snapshotOf(105, 2, votersOf(1)));

    // What is stored is of no interest any more: the snapshot is to take its place.
    expect([log.term(100), log.term(102), log.term(104), log.term(105), log.term(106)]).toEqual([
      'compacted',
      'compacted',
      'compacted',
      2,
      'unavailable',
    ]);
    expect([log.firstIndex, log.lastIndex, log.committed]).toEqual([106, 105, 105]);
  });

  describe('slice', () => {
    /** Entries 101 to 149 are stored, 150 to 199 are not. */
    function openHalf(): RaftLog {
      const storage = new MemoryLogStorage();
      storage.applySnapshot(snapshotOf(100, 100));
      storage.append(Array.from({ length: 49 }, (_, i) => entryOf(101 + i, 101 + i)));
      const log = openLog(storage);
      log.append(Array.from({ length: 50 }, (_, i) => entryOf(150 + i, 150 + i)));
      return log;
    }

    test.each([
      [99, 101, NO_LIMIT, 'compacted'],
      [100, 101, NO_LIMIT, 'compacted'],
      [101, 101, NO_LIMIT, ''],
      [101, 102, NO_LIMIT, '101/101'],
      [149, 150, NO_LIMIT, '149/149'],
      [149, 151, NO_LIMIT, '149/149 150/150'],
      [150, 151, NO_LIMIT, '150/150'],
      [199, 200, NO_LIMIT, '199/199'],
      // One at least.
      [149, 151, 0, '149/149'],
      [150, 152, 0, '150/150'],
      // Across the border.
      [148, 152, 1 * ONE, '148/148'],
      [148, 152, 2 * ONE, '148/148 149/149'],
      [148, 152, 3 * ONE, '148/148 149/149 150/150'],
      [148, 152, 4 * ONE, '148/148 149/149 150/150 151/151'],
      [150, 153, 2 * ONE, '150/150 151/151'],
    ])('from %i to %i within %i', (from, to, maxBytes, expected) => {
      expect(textOf(openHalf().slice(from, to, maxBytes))).toBe(expected);
    });

    test('does not reach beyond the end', () => {
      expect(() => openHalf().slice(199, 201, NO_LIMIT)).toThrow('slice to 201 is beyond the end at 199');
    });
  });

  describe('some', () => {
    test('sees each entry once, in order, a page at a time', () => {
      const { log } = logOf(5, 10);
      const seen: number[] = [];

      const found = log.some(2, 10, 3 * ONE, ({ index }) => {
        seen.push(index);
        return false;
      });

      expect(found).toBe(false);
      expect(seen).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    });

    test('stops at the first that it looks for', () => {
      const { log } = logOf(5, 10);
      const seen: number[] = [];

      const found = log.some(1, 11, ONE, ({ index }) => seen.push(index) === 3);

      expect(found).toBe(true);
      expect(seen).toEqual([1, 2, 3]);
    });
  });
});
