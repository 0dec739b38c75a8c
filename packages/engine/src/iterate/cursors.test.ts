import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { ArrayCursor, put, show, sortEntries, tableMeta, walk } from '../../test/support/entries.ts';
import type { Entry } from '../key/internal-key.ts';
import type { Cursor, Direction } from './cursor.ts';
import { LevelCursor } from './level-cursor.ts';
import { MergingCursor } from './merging-cursor.ts';

function failingCursor(later: boolean): Cursor {
  const fail = (): Promise<void> => {
    if (later) return Promise.reject(new Error('later'));
    throw new Error('in the turn');
  };
  return { entry: undefined, seekToStart: fail, seek: fail, next: fail, close: () => undefined };
}

const directions: readonly Direction[] = ['forward', 'reverse'];

describe('MergingCursor', () => {
  test.each(directions)('merges random runs into one order, %s', async (direction) => {
    const random = seededRandom(testSeed());
    const runs: Entry[][] = [[], [], [], [], []];
    for (let sequence = 1; sequence <= 600; sequence++) {
      runs[random.int(runs.length - 1)]!.push(put(`k${random.int(80)}`, sequence));
    }

    const cursor = new MergingCursor(
      runs.map((run, i) => new ArrayCursor(run, direction, i % 2 === 1)),
      direction,
    );

    const expected = sortEntries(runs.flat()).map(show);
    expect(await walk(cursor)).toEqual(direction === 'forward' ? expected : expected.toReversed());
  });

  test('stays in the turn of the caller while no child waits', () => {
    const cursor = new MergingCursor([new ArrayCursor([put('a', 1)], 'forward')], 'forward');

    expect(cursor.seekToStart()).toBeUndefined();
    expect(cursor.next()).toBeUndefined();
    expect(cursor.entry).toBeUndefined();
  });

  test('fails once, as a promise, when children fail in the turn and later', async () => {
    const cursor = new MergingCursor([failingCursor(true), failingCursor(false)], 'forward');

    await expect(cursor.seekToStart()).rejects.toThrow('later');
  });

  test('closes its children with itself', () => {
    const children = [new ArrayCursor([], 'forward'), new ArrayCursor([put('a', 1)], 'forward')];

    new MergingCursor(children, 'forward').close();

    expect(children.map(({ isClosed }) => isClosed)).toEqual([true, true]);
  });
});

describe('LevelCursor', () => {
  const contents: Readonly<Record<number, readonly Entry[]>> = {
    1: [put('a', 1), put('c', 2)],
    2: [put('e', 3), put('e', 1), put('g', 4)],
    3: [put('m', 5)],
  };
  const level = [tableMeta(1, 'a', 'c'), tableMeta(2, 'e', 'g'), tableMeta(3, 'm', 'm')];

  function openLevel(direction: Direction, opened: number[] = []): LevelCursor {
    return new LevelCursor(level, direction, ({ fileNumber }) => {
      opened.push(fileNumber);
      return Promise.resolve(new ArrayCursor(contents[fileNumber]!, direction, true));
    });
  }

  test('walks the tables one after another, both ways', async () => {
    expect(await walk(openLevel('forward'))).toEqual(['a#1', 'c#2', 'e#3', 'e#1', 'g#4', 'm#5']);
    expect(await walk(openLevel('reverse'))).toEqual(['m#5', 'g#4', 'e#1', 'e#3', 'c#2', 'a#1']);
  });

  test.each([
    ['forward', 'd', ['e#3', 'e#1', 'g#4', 'm#5']],
    ['forward', 'e', ['e#3', 'e#1', 'g#4', 'm#5']],
    ['forward', 'z', []],
    ['reverse', 'd', ['c#2', 'a#1']],
    ['reverse', 'e', ['e#1', 'e#3', 'c#2', 'a#1']],
    ['reverse', 'z', ['m#5', 'g#4', 'e#1', 'e#3', 'c#2', 'a#1']],
    ['reverse', 'A', []],
  ] as const)('seeks %s to %s', async (direction, key, expected) => {
    expect(await walk(openLevel(direction), key)).toEqual(expected);
  });

  test('opens a table only when the walk reaches it', async () => {
    const opened: number[] = [];
    const cursor = openLevel('forward', opened);

    await cursor.seek(Buffer.from('f'));

    expect(opened).toEqual([2]);
  });

  test('closes a table whose opening outlives it', async () => {
    const inner = new ArrayCursor([put('a', 1)], 'forward');
    const cursor = new LevelCursor([tableMeta(1, 'a', 'a')], 'forward', () => Promise.resolve(inner));

    const opening = cursor.seekToStart();
    cursor.close();
    await opening;

    expect(inner.isClosed).toBe(true);
    expect(cursor.entry).toBeUndefined();
  });
});
