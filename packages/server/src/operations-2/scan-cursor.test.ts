import type { Page, PageRow } from '@kayadb/codec';
import { settle } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { RowScan } from '../replica/replica.ts';
import { ScanCursor } from './scan-cursor.ts';

const BOUNDS = { limit: 0, pageBytes: 0, pageRows: 2, isWithoutValues: false };

interface World {
  readonly rows: RowScan;
  readonly asked: (readonly [number, number])[];
  closes: number;
  failure: Error | undefined;
  gate: Promise<void> | undefined;
}

/** Rows 1 to `count`; at the end it says so behind an empty batch. */
function open(count: number): World {
  let at = 0;
  const next = async (maxBytes: number, maxRows: number): ReturnType<RowScan['next']> => {
    world.asked.push([maxBytes, maxRows]);
    await world.gate;
    if (world.failure !== undefined) throw world.failure;
    const rows: PageRow[] = [];
    while (rows.length < maxRows && at < count) {
      rows.push({ key: Uint8Array.of(++at), revision: at, value: new Uint8Array(9) });
    }
    return { rows, isLast: false };
  };
  const close = async (): Promise<void> => void world.closes++;
  const world: World = {
    rows: { revision: 7, next, close },
    asked: [],
    closes: 0,
    failure: undefined,
    gate: undefined,
  };
  return world;
}

function numbers(page: Page | undefined): readonly number[] | undefined {
  return page?.rows.map(({ key }) => key[0]!);
}

async function take(cursor: ScanCursor, isTaken = true): Promise<Page | undefined> {
  let taken: Page | undefined;
  await cursor.next(
    (read) => read(),
    (page) => {
      taken = page;
      return isTaken;
    },
  );
  return taken;
}

describe('ScanCursor', () => {
  test('has the node choose what is not asked for', async () => {
    const world = open(1);
    const cursor = new ScanCursor(world.rows, { ...BOUNDS, pageRows: 0 });

    await take(cursor);

    expect(world.asked).toEqual([[1_048_576, 1_000]]);
  });

  test('says of an empty page that it is the last', async () => {
    const cursor = new ScanCursor(open(2).rows, BOUNDS);

    const pages = [await take(cursor), await take(cursor)];

    expect(pages.map((page) => [numbers(page), page?.isLast, page?.revision])).toEqual([
      [[1, 2], false, 7],
      [[], true, 7],
    ]);
  });

  test('asks for no more rows than its limit leaves', async () => {
    const world = open(100);
    const cursor = new ScanCursor(world.rows, { ...BOUNDS, limit: 3, pageBytes: 50 });

    const pages = [await take(cursor), await take(cursor)];

    expect(world.asked).toEqual([
      [50, 2],
      [50, 1],
    ]);
    expect(pages.map((page) => page?.isLast)).toEqual([false, true]);
  });

  test('keeps the page that nobody took, and gives it to the next', async () => {
    const world = open(5);
    const cursor = new ScanCursor(world.rows, BOUNDS);

    const refused = await take(cursor, false);
    const keptBytes = cursor.keptBytes;
    const again = await take(cursor, false);
    const taken = await take(cursor);
    const next = await take(cursor);

    expect([refused, again, taken, next].map(numbers)).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
      [3, 4],
    ]);
    expect([keptBytes, cursor.keptBytes, world.asked.length]).toEqual([20, 0, 2]);
  });

  test('reads one page at a time, for those who ask in their order', async () => {
    const world = open(5);
    let release = (): void => {};
    world.gate = new Promise((resolve) => {
      release = resolve;
    });
    const cursor = new ScanCursor(world.rows, BOUNDS);

    const asking = [take(cursor), take(cursor), take(cursor)];
    await settle();
    const pulls = world.asked.length;
    release();
    const pages = await Promise.all(asking);

    expect(pulls).toBe(1);
    expect(pages.map(numbers)).toEqual([[1, 2], [3, 4], [5]]);
  });

  test('goes on behind a pull that failed', async () => {
    const world = open(5);
    const cursor = new ScanCursor(world.rows, BOUNDS);
    world.failure = new Error('no');

    await expect(take(cursor)).rejects.toThrow('no');
    world.failure = undefined;

    expect(numbers(await take(cursor))).toEqual([1, 2]);
  });

  test('gives nothing behind its close, which waits for what is under way and is done once', async () => {
    const world = open(5);
    let release = (): void => {};
    world.gate = new Promise((resolve) => {
      release = resolve;
    });
    const cursor = new ScanCursor(world.rows, BOUNDS);
    const asking = take(cursor);
    await settle();
    const closing = [cursor.close(), cursor.close()];
    await settle();
    const early = world.closes;

    release();
    await Promise.all(closing);

    expect([early, world.closes, cursor.keptBytes]).toEqual([0, 1, 0]);
    expect(await asking).toBeUndefined();
    expect(await take(cursor)).toBeUndefined();
    expect(world.asked).toHaveLength(1);
  });

  test('lets go of the page that it kept', async () => {
    const cursor = new ScanCursor(open(5).rows, BOUNDS);
    await take(cursor, false);

    await cursor.close();

    expect(cursor.keptBytes).toBe(0);
  });
});
