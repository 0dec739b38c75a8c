import { copyBytes, decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import {
  deleteOperation,
  deleteRangeOperation,
  type Layer,
  numberedKey,
  putOperation,
  readRows,
  ScanWorld,
  type ScanWorldOptions,
} from '../../test/support/scan-world.ts';
import type { ScanRequest } from './open-scan.ts';
import { normaliseBounds } from './range.ts';

const directions = ['forward', 'reverse'] as const;

/** Rows `key-000000` up, in the tables of level 1, none of them cached. */
function numberedWorld(
  count: number,
  options: ScanWorldOptions = {},
  newer: readonly Layer[] = [],
): Promise<ScanWorld> {
  const operations = Array.from({ length: count }, (_, i) => putOperation(numberedKey(i)));
  return ScanWorld.create([{ place: 1, operations }, ...newer], { tableEntries: 1000, cacheBytes: 0, ...options });
}

/** Holds back every read until it is told to go on. */
function holdReads(world: ScanWorld): { readonly letGo: () => void; readonly reached: Promise<void> } {
  let letGo = (): void => undefined;
  let reach = (): void => undefined;
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  world.onRead = () => {
    reach();
    return held;
  };
  return { letGo, reached };
}

function stringKeys(world: ScanWorld, request: Partial<ScanRequest> = {}): ReturnType<typeof world.scan<string>> {
  return world.scan<string>({ want: 'keys', keyEncoding: 'utf8', ...request });
}

async function allOf<Item>(scan: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of scan) items.push(item);
  return items;
}

describe('the rows of a scan', () => {
  test('are handed out as bytes or text, whole or in part', async () => {
    const world = await ScanWorld.create([{ place: 1, operations: [putOperation('é', 'ü')] }]);
    const [key, value] = [encodeUtf8('é'), encodeUtf8('ü')];

    const first = async (request: Partial<ScanRequest>): Promise<unknown> =>
      (await world.scan<unknown>(request).nextBatch(9))[0];

    expect(await first({})).toEqual({ key, value });
    expect(await first({ keyEncoding: 'utf8' })).toEqual({ key: 'é', value });
    expect(await first({ valueEncoding: 'utf8' })).toEqual({ key, value: 'ü' });
    expect(await first({ keyEncoding: 'utf8', valueEncoding: 'utf8' })).toEqual({ key: 'é', value: 'ü' });
    expect(await first({ want: 'keys' })).toEqual(key);
    expect(await first({ want: 'keys', keyEncoding: 'utf8' })).toBe('é');
    expect(await first({ want: 'values' })).toEqual(value);
    expect(await first({ want: 'values', valueEncoding: 'utf8' })).toBe('ü');
  });

  test.each([200, 100_000])('have U+FFFD for what is no UTF-8, in blocks of %i bytes', async (blockBytes) => {
    const invalid = Uint8Array.of(0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82, 0xef, 0xbb, 0xbf);
    const long = encodeUtf8('x'.repeat(blockBytes));
    const operations = [
      { kind: 'put', key: invalid, value: invalid } as const,
      { kind: 'put', key: encodeUtf8('b'), value: long } as const,
    ];
    const world = await ScanWorld.create([{ place: 1, operations }], { blockBytes });

    const rows: unknown[] = [];
    for await (const row of world.scan<unknown>({ keyEncoding: 'utf8', valueEncoding: 'utf8' })) rows.push(row);

    expect(rows).toEqual([
      { key: decodeUtf8(invalid), value: decodeUtf8(invalid) },
      { key: 'b', value: decodeUtf8(long) },
    ]);
  });

  test.each(directions)(
    'as text are those as bytes, decoded; ASCII or not, in the same blocks or others, %s',
    async (direction) => {
      // Every stretch of ASCII is followed by one that is not, and some rows are hidden by a newer delete.
      const text = (i: number): string => (i % 200 < 100 ? `value-${'v'.repeat(i % 90)}` : `wért-${i}`);
      const operations = Array.from({ length: 1000 }, (_, i) => putOperation(numberedKey(i), text(i)));
      const deletes = Array.from({ length: 20 }, (_, i) => deleteOperation(numberedKey(47 * i)));
      const world = await ScanWorld.create(
        [
          { place: 1, operations },
          { place: 'memtable', operations: deletes },
        ],
        { blockBytes: 2000 },
      );
      const bytes = await allOf(world.scan<{ key: Uint8Array; value: Uint8Array }>({ direction }));
      const expected = bytes.map(({ key, value }) => ({ key: decodeUtf8(key), value: decodeUtf8(value) }));
      const encoding = { direction, keyEncoding: 'utf8', valueEncoding: 'utf8' } as const;

      const rows = await allOf(world.scan<unknown>(encoding));
      const keys = await allOf(world.scan<unknown>({ ...encoding, want: 'keys' }));
      const values = await allOf(world.scan<unknown>({ ...encoding, want: 'values' }));

      expect(rows).toHaveLength(980);
      expect(rows).toEqual(expected);
      expect(keys).toEqual(expected.map(({ key }) => key));
      expect(values).toEqual(expected.map(({ value }) => value));
    },
  );

  test.each(directions)('never change, and changing them changes no other, %s', async (direction) => {
    const memtable = Array.from({ length: 300 }, (_, i) => putOperation(numberedKey(3 * i), 'from the memtable'));
    const world = await numberedWorld(1000, { cacheBytes: 1_000_000 }, [{ place: 'memtable', operations: memtable }]);
    const expected = world.naiveRows().map(({ key, value }) => ({ key: copyBytes(key), value: copyBytes(value) }));
    const scan = world.scan({ direction });

    const kept: { key: Uint8Array; value: Uint8Array }[] = [];
    const copies: { key: Uint8Array; value: Uint8Array }[] = [];
    for (let batch = await scan.nextBatch(50); batch.length > 0; batch = await scan.nextBatch(50)) {
      for (const row of batch) {
        copies.push({ key: copyBytes(row.key), value: copyBytes(row.value) });
        if (kept.push(row) % 2 === 0) continue;
        row.key.fill(0xee);
        row.value.fill(0xee);
      }
    }

    expect(direction === 'forward' ? copies : copies.toReversed()).toEqual(expected);
    expect(kept.filter((_, i) => i % 2 === 1)).toEqual(copies.filter((_, i) => i % 2 === 1));
    expect((await world.scan().nextBatch(1))[0]).toEqual(expected[0]);
  });

  test('include values larger than any buffer', async () => {
    const values = [300_000, 10, 5_000_000, 70_000].map((size, i) => 'abcd'[i]!.repeat(size));
    const operations = values.map((value, i) => putOperation(`k${i}`, value));
    const world = await ScanWorld.create([
      { place: 1, operations: operations.slice(0, 2) },
      { place: 'memtable', operations: operations.slice(2) },
    ]);

    for (const direction of directions) {
      const rows = await readRows(world.scan({ direction }));

      const expected = values.map((value, i) => `k${i}=${value}`);
      expect(rows.join() === (direction === 'forward' ? expected : expected.toReversed()).join()).toBe(true);
    }
  });

  test('come in batches of bounded size', async () => {
    const operations = Array.from({ length: 12 }, (_, i) => putOperation(`k${i}`, 'x'.repeat(1_000_000)));
    const world = await ScanWorld.create([{ place: 'memtable', operations }]);

    expect((await world.scan().nextBatch(1000)).length).toBeLessThan(6);
  });

  test('of a snapshot do not change with what is written meanwhile', async () => {
    const world = await numberedWorld(10, {}, [{ place: 'memtable', operations: [deleteOperation(numberedKey(3))] }]);

    expect(await readRows(world.scan({ sequence: 10 }))).toHaveLength(10);
    expect(await readRows(world.scan({ sequence: 11 }))).toHaveLength(9);
  });
});

describe('the limits of a scan', () => {
  test('end it behind the row that reaches them, and give at least one', async () => {
    const world = await numberedWorld(10);
    const countRows = async (request: Partial<ScanRequest>): Promise<number> =>
      (await world.scan(request).nextBatch(100)).length;

    expect(await countRows({ limit: 0 })).toBe(0);
    expect(await countRows({ limit: 3 })).toBe(3);
    // Keys of 10 bytes, values of 19.
    expect(await countRows({ limitBytes: 0 })).toBe(1);
    expect(await countRows({ limitBytes: 58 })).toBe(2);
    expect(await countRows({ limitBytes: 59 })).toBe(3);
    expect(await countRows({ limitBytes: 59, limit: 2 })).toBe(2);
    expect(await countRows({ limitBytes: 20, want: 'keys' })).toBe(2);
    expect(await countRows({ limitBytes: 20, want: 'values' })).toBe(2);
  });

  test('count what was handed out, not what a seek left aside', async () => {
    const world = await numberedWorld(100);
    const scan = stringKeys(world, { limit: 5, limitBytes: 50 });

    const before = [await scan.next(), await scan.next()];
    scan.seek(numberedKey(90));
    const after = await scan.nextBatch(100);

    expect(before.map(({ value }) => value)).toEqual([numberedKey(0), numberedKey(1)]);
    expect(after).toEqual([numberedKey(90), numberedKey(91), numberedKey(92)]);
  });
});

describe('seek', () => {
  test.each(directions)('goes anywhere inside the bounds, %s', async (direction) => {
    const world = await numberedWorld(1000, { tableEntries: 100 });
    const bounds = normaliseBounds({ gt: numberedKey(100), lt: numberedKey(900) });
    const scan = stringKeys(world, { bounds, direction });
    const keyAfterSeek = async (target: string): Promise<string | undefined> => {
      scan.seek(target);
      return (await scan.next()).value;
    };
    const isForward = direction === 'forward';

    expect(await keyAfterSeek(numberedKey(500))).toBe(numberedKey(500));
    expect(await keyAfterSeek(numberedKey(300))).toBe(numberedKey(300));
    expect(await keyAfterSeek(`${numberedKey(300)}x`)).toBe(numberedKey(isForward ? 301 : 300));
    expect(await keyAfterSeek(isForward ? 'a' : 'z')).toBe(numberedKey(isForward ? 101 : 899));
    expect(await keyAfterSeek(isForward ? 'z' : 'a')).toBeUndefined();
  });

  test('waits for the pulls before it', async () => {
    const world = await numberedWorld(100);
    const scan = stringKeys(world);

    const first = scan.next();
    scan.seek(numberedKey(50));
    const second = scan.next();

    expect((await first).value).toBe(numberedKey(0));
    expect((await second).value).toBe(numberedKey(50));
  });

  test('refuses what is no key', async () => {
    const scan = (await numberedWorld(1)).scan();

    expect(() => scan.seek(7 as unknown as string)).toThrow(TypeError);
  });
});

describe('the pulls of a scan', () => {
  test('are served in order when several are in flight', async () => {
    const scan = stringKeys(await numberedWorld(10));

    const [a, b, c, d] = await Promise.all([scan.next(), scan.nextBatch(3), scan.next(), scan.nextBatch(100)]);

    expect([a.value, ...b, c.value, ...d]).toEqual(
      Array.from({ length: 1 + b.length + 1 + d.length }, (_, i) => numberedKey(i)),
    );
  });

  test('refuse a batch of no rows', async () => {
    const scan = (await numberedWorld(1)).scan();

    await expect(scan.nextBatch(0)).rejects.toThrow(RangeError);
    await expect(scan.nextBatch(1.5)).rejects.toThrow(RangeError);
    await scan.return();
  });

  test('let others have a turn, also where there are no rows to show', async () => {
    let now = 0;
    let yields = 0;
    const clock = { now: () => now++, setTimer: () => ({ cancel: () => undefined }) };
    const yieldTurn = (): Promise<void> => {
      yields++;
      return Promise.resolve();
    };
    const operations = Array.from({ length: 20_000 }, (_, i) => deleteOperation(numberedKey(i)));
    const world = await ScanWorld.create([{ place: 'memtable', operations }], { resources: { clock, yieldTurn } });

    expect(await world.scan().nextBatch(1)).toEqual([]);
    expect(yields).toBeGreaterThan(10);
  });
});

describe('the end of a scan', () => {
  test.each([
    ['reaching its last row', 50],
    ['leaving the loop', 1],
  ])('by %s releases everything, once', async (_, rows) => {
    const world = await numberedWorld(50);
    let ends = 0;
    const scan = world.scan({ onEnd: () => ends++ });

    let seen = 0;
    for await (const row of scan) if (row.key.length > 0 && ++seen === rows && rows < 50) break;
    await scan.return();

    expect([ends, world.released]).toEqual([1, 1]);
    expect(await scan.next()).toEqual({ done: true, value: undefined });
    expect(await scan.nextBatch(5)).toEqual([]);
  });

  test('by return() waits for the pull in flight', async () => {
    const world = await numberedWorld(50);
    const { letGo, reached } = holdReads(world);
    const scan = stringKeys(world);

    const pulling = scan.next();
    await reached;
    const returning = scan.return();
    const releasedEarly = world.released;
    letGo();

    expect((await pulling).value).toBe(numberedKey(0));
    expect(await returning).toEqual({ done: true, value: undefined });
    expect([releasedEarly, world.released]).toEqual([0, 1]);
  });

  test('leaves a scan that was never pulled without an open file', async () => {
    const world = await numberedWorld(50);

    const scan = world.scan();
    const heldBy = world.released;
    await scan.return();

    expect([heldBy, world.released, world.calls.open]).toEqual([0, 1, 0]);
  });

  test.each(['before', 'between', 'during'] as const)('by its signal %s pulls fails one pull', async (when) => {
    const world = await numberedWorld(500, { blockBytes: 4000 });
    const abort = new AbortController();
    if (when === 'before') abort.abort(new Error('enough'));
    const scan = world.scan({ signal: abort.signal });
    if (when === 'between') {
      await scan.next();
      abort.abort(new Error('enough'));
    }
    const { letGo, reached } = holdReads(world);

    const pulling = scan.next();
    if (when === 'during') {
      await reached;
      abort.abort(new Error('enough'));
    }
    letGo();

    await expect(pulling).rejects.toMatchObject({ code: 'KAYA_ABORTED', cause: new Error('enough') });
    expect(await scan.next()).toEqual({ done: true, value: undefined });
    expect(world.released).toBe(1);
  });

  test('by its signal releases everything without another pull', async () => {
    const world = await numberedWorld(500, { blockBytes: 4000 });
    const abort = new AbortController();
    const scan = world.scan({ signal: abort.signal });
    await scan.next();

    abort.abort();

    expect(world.released).toBe(1);
  });

  test('from outside fails the next pull, once, and is over when nothing is held any more', async () => {
    const world = await numberedWorld(500);
    const scan = world.scan();
    await scan.next();

    await scan.fail(new Error('closed'));

    expect(world.released).toBe(1);
    await expect(scan.next()).rejects.toThrow('closed');
    expect(await scan.next()).toEqual({ done: true, value: undefined });
    await scan.fail(new Error('again'));
    expect(await scan.next()).toEqual({ done: true, value: undefined });
  });

  test('from outside during a pull waits until the file is not read any more', async () => {
    const world = await numberedWorld(500);
    const { letGo, reached } = holdReads(world);
    const scan = world.scan();
    const pulling = scan.next();
    await reached;

    const failing = scan.fail(new Error('closed'));
    const first = await Promise.race([failing.then(() => 'over'), Promise.resolve('not yet')]);
    const releasedEarly = world.released;
    letGo();

    await expect(pulling).rejects.toThrow('closed');
    await failing;
    expect([first, releasedEarly, world.released]).toEqual(['not yet', 0, 1]);
  });

  test('by a read that fails comes after the rows before it', async () => {
    const world = await numberedWorld(5000, { tableEntries: 2000 });
    const scan = stringKeys(world);
    const keys = await scan.nextBatch(20);
    world.onRead = () => {
      throw new Error('the disk is gone');
    };

    const failure = await (async () => {
      try {
        for (;;) keys.push(...(await scan.nextBatch(100)));
      } catch (error) {
        return error;
      }
    })();

    expect(failure).toEqual(new Error('the disk is gone'));
    expect(keys).toEqual(Array.from(keys, (_, i) => numberedKey(i)));
    expect(await scan.next()).toEqual({ done: true, value: undefined });
    expect(world.released).toBe(1);
  });
});

describe('what a scan reads', () => {
  test('does not enter the cache, but for the blocks that seeks land in', async () => {
    const world = await numberedWorld(20_000, { cacheBytes: 500_000, tableEntries: 30_000, blockBytes: 4000 });
    const bounds = normaliseBounds({ gte: numberedKey(9000) });
    await readRows(world.scan({ bounds, limit: 2 }));
    const { read } = world.calls;

    await readRows(world.scan({ bounds, limit: 2 }));
    const short = world.calls.read - read;
    await readRows(world.scan());
    const long = world.calls.read - read;
    await readRows(world.scan());
    const again = world.calls.read - read - long;

    expect(short).toBe(0);
    expect(long).toBeGreaterThan(3);
    expect(again).toBeGreaterThan(3);
  });

  test('grows with the length of the scan', async () => {
    const world = await numberedWorld(20_000, { tableEntries: 30_000, blockBytes: 1000 });
    const opened = world.scan();
    await opened.nextBatch(10);
    const few = world.calls.read;
    while ((await opened.nextBatch(1000)).length > 0);

    // About 1.2 MB of blocks, in runs of 16, 32, 64, 128 and then 256 KiB.
    expect(world.calls.read - few).toBeLessThan(12);
  });

  test('is no table beyond the bounds', async () => {
    const world = await numberedWorld(1000, { tableEntries: 100 });

    await readRows(world.scan({ bounds: normaliseBounds({ gte: numberedKey(150), lt: numberedKey(200) }) }));
    await readRows(
      world.scan({ bounds: normaliseBounds({ gte: numberedKey(300), lte: numberedKey(350) }), direction: 'reverse' }),
    );

    expect(world.calls.open).toBe(2);
  });

  test.each(directions)('is next to nothing of what a range delete hides, %s', async (direction) => {
    const hidden: Layer = { place: 'memtable', operations: [deleteRangeOperation(numberedKey(10), numberedKey(9990))] };
    const world = await numberedWorld(10_000, {}, [hidden]);

    const rows = await readRows(world.scan({ direction }));

    expect(rows).toHaveLength(20);
    expect(world.calls.open).toBe(2);
    expect(world.calls.read).toBeLessThan(20);
  });

  test.each(directions)('is what was written into a deleted range since, %s', async (direction) => {
    const newer: Layer[] = [
      { place: 0, operations: [deleteRangeOperation(numberedKey(0)), putOperation(numberedKey(3000), 'in a table')] },
      { place: 'memtable', operations: [putOperation(numberedKey(4000), 'in the memtable')] },
    ];
    const world = await numberedWorld(10_000, {}, newer);

    const rows = await readRows(world.scan({ direction }));

    const expected = [`${numberedKey(3000)}=in a table`, `${numberedKey(4000)}=in the memtable`];
    expect(rows).toEqual(direction === 'forward' ? expected : expected.toReversed());
    expect(world.calls.read).toBeLessThan(25);
  });

  test.each(directions)('is no memtable older than the range delete, %s', async (direction) => {
    const operations = Array.from({ length: 10_000 }, (_, i) => putOperation(numberedKey(i), ''));
    let looks = 0;
    const clock = { now: () => looks++ / 1000, setTimer: () => ({ cancel: () => undefined }) };
    const world = await ScanWorld.create(
      [
        { place: 'memtable', operations },
        { place: 'memtable', operations: [deleteRangeOperation('key-')] },
      ],
      { resources: { clock, yieldTurn: () => Promise.resolve() } },
    );

    expect(await readRows(world.scan({ direction }))).toEqual([]);
    // A walk through the memtable would look at the clock every few hundred entries.
    expect(looks).toBeLessThan(5);
  });
});
