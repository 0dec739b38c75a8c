import { compareBytes, encodeUtf8, type Page, type PageRow, type Request2, type Response2 } from '@kayadb/codec';
import { seededRandom, settle, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { MachineError } from '../../src/machine/machine-error.ts';
import type { RowScan } from '../../src/replica/replica.ts';
import type { MemoryReplica } from '../support/memory-replica.ts';
import type { RawClient2 } from '../support/raw-client-2.ts';
import { put, scan, startTestDoor } from '../support/test-door.ts';

function load(replica: MemoryReplica, count: number, valueBytes = 1): void {
  for (let i = 0; i < count; i++) replica.load(`k${String(i).padStart(6, '0')}`, new Uint8Array(valueBytes));
}

function more(id: number): Request2 {
  return { kind: 'more', scan: id };
}

function pageOf(response: Response2): Page {
  if (response.kind !== 'page') throw new Error(`not a page: ${JSON.stringify(response)}`);
  return response.page;
}

function keysOf({ rows }: Page): readonly string[] {
  return rows.map(({ key }) => Buffer.from(key).toString());
}

/** All pages, asked for one after the other. */
async function readAll(client: RawClient2, request: Request2): Promise<readonly Page[]> {
  const id = client.send(request);
  const pages = [pageOf(await client.answerTo(id))];
  while (!pages.at(-1)!.isLast) pages.push(pageOf(await client.request(more(id))));
  return pages;
}

describe('a scan', () => {
  test('comes in pages of rows, of one state, whatever is written meanwhile', async () => {
    await using world = await startTestDoor();
    load(world.replica, 10);
    const client = await world.connect();

    const id = client.send(scan({ pageRows: 4 }));
    const first = pageOf(await client.answerTo(id));
    await client.request(put('k000005', 'changed'));
    await client.request(put('k999999', 'new'));
    const second = pageOf(await client.request(more(id)));
    const third = pageOf(await client.request(more(id)));
    await settle();

    expect([first, second, third].map(({ rows, isLast, revision }) => [rows.length, isLast, revision])).toEqual([
      [4, false, 10],
      [4, false, 10],
      [2, true, 10],
    ]);
    expect(second.rows[1]).toMatchObject({ revision: 6, value: new Uint8Array(1) });
    expect([world.replica.openScans, world.door.openScans]).toEqual([0, 0]);
  });

  test('gives what a model gives, however it is asked', async () => {
    const random = seededRandom(testSeed());
    await using world = await startTestDoor();
    for (let i = 0; i < 200; i++) world.replica.load(`${random.int(300)}`, new Uint8Array(random.int(40)));
    const all = Array.from(world.replica.rows.values()).toSorted((a, b) => compareBytes(a.key, b.key));
    const client = await world.connect();

    for (let i = 0; i < 20; i++) {
      const [from, to] = [encodeUtf8(`${random.int(300)}`), encodeUtf8(random.chance(0.3) ? '' : `${random.int(300)}`)];
      const range = { from, isFromExclusive: random.chance(0.5), to, isToInclusive: random.chance(0.5) };
      const isDescending = random.chance(0.5);
      const limit = random.chance(0.5) ? 0 : 1 + random.int(30);
      const pages = await readAll(
        client,
        scan({ range, isDescending, limit, pageRows: 1 + random.int(20), pageBytes: 1 + random.int(200) }),
      );
      const matching = all.filter(
        ({ key }) =>
          compareBytes(key, from) >= (range.isFromExclusive ? 1 : 0) &&
          (to.length === 0 || compareBytes(key, to) < (range.isToInclusive ? 1 : 0)),
      );
      const ordered = isDescending ? matching.toReversed() : matching;

      expect(pages.flatMap(({ rows }) => rows)).toEqual(limit === 0 ? ordered : ordered.slice(0, limit));
    }
    await settle();
    expect([world.replica.openScans, world.door.openScans]).toEqual([0, 0]);
  });

  test('ends with the row that its limit names, in the page that has it', async () => {
    await using world = await startTestDoor();
    load(world.replica, 10);
    const client = await world.connect();

    const pages = await readAll(client, scan({ limit: 6, pageRows: 3 }));

    expect(pages.map(({ rows, isLast }) => [rows.length, isLast])).toEqual([
      [3, false],
      [3, true],
    ]);
  });

  test('of nothing is one page that is the last', async () => {
    await using world = await startTestDoor();
    const client = await world.connect();

    expect(await client.request(scan())).toMatchObject({ page: { rows: [], isLast: true } });
  });

  test('has a deadline for its first page, and not for what comes behind', async () => {
    await using world = await startTestDoor();
    load(world.replica, 4);
    const client = await world.connect();
    await client.request(scan({ pageRows: 2 }), { id: 1, deadlineMs: 50 });

    await world.clock.advanceAsync(1_000);

    expect(await client.request(more(1))).toMatchObject({ kind: 'page' });
  });

  test('without values has none, and says so', async () => {
    await using world = await startTestDoor();
    load(world.replica, 3, 100);
    const client = await world.connect();

    const [page] = await readAll(client, scan({ isWithoutValues: true }));

    expect(page).toMatchObject({ isWithoutValues: true, rows: { length: 3 } });
    expect(page?.rows.every(({ value }) => value.length === 0)).toBe(true);
  });

  test('by a lease that lapses shows the later state, and lets go of the other', async () => {
    await using world = await startTestDoor();
    load(world.replica, 3);
    world.replica.lapses = 1;
    const client = await world.connect();

    await readAll(client, scan({ freshness: { kind: 'lease' } }));

    expect(world.replica.openScans).toBe(0);
  });

  test('has its id until it has ended', async () => {
    await using world = await startTestDoor();
    load(world.replica, 3);
    const client = await world.connect();
    await client.request(scan({ pageRows: 1 }), { id: 8 });
    await client.request({ kind: 'end-scan', scan: 8 });

    client.send(scan({ pageRows: 1 }), { id: 8 });
    await settle();
    const before = client.received.map(({ response }) => response.kind);
    client.send({ kind: 'health' }, { id: 8 });
    await client.closed;

    expect(before).toEqual(['page', 'done', 'page']);
    expect(client.received.at(-1)).toMatchObject({ id: 8, response: { code: 'KAYA_PROTOCOL' } });
  });
});

describe('MORE', () => {
  test('may be sent right behind the SCAN, several at once, and pages keep their order', async () => {
    await using world = await startTestDoor();
    load(world.replica, 10);
    world.replica.pages.shut();
    const client = await world.connect();

    const ids = [client.send(scan({ pageRows: 3 }), { id: 1 })];
    for (let i = 2; i <= 6; i++) ids.push(client.send(more(1), { id: i }));
    await settle();
    const pulled = world.replica.pageCount;
    world.replica.pages.open();
    const answers = await Promise.all(ids.map((id) => client.answerTo(id)));

    expect(pulled).toBe(1);
    expect(answers.map((answer) => (answer.kind === 'page' ? keysOf(answer.page)[0] : answer))).toEqual([
      'k000000',
      'k000003',
      'k000006',
      'k000009',
      expect.objectContaining({ code: 'KAYA_SCAN_ENDED' }),
      expect.objectContaining({ code: 'KAYA_SCAN_ENDED' }),
    ]);
  });

  test.each([
    ['that was never begun', 7],
    ['with the id of another request', 2],
  ])('of a scan %s is refused', async (_case, target) => {
    await using world = await startTestDoor();
    world.replica.writes.shut();
    const client = await world.connect();
    client.send(put('k', 'v'), { id: 2 });

    expect(await client.request(more(target))).toMatchObject({ code: 'KAYA_SCAN_ENDED', outcome: 'not-done' });
    expect(client.connection.isOpen).toBe(true);
  });

  test('that is taken back loses no row: the page that was read is the next', async () => {
    await using world = await startTestDoor();
    load(world.replica, 6, 10_000);
    const client = await world.connect();
    await client.request(scan({ pageRows: 2 }), { id: 1 });
    world.replica.pages.shut();

    const taken = client.send(more(1), { deadlineMs: 50 });
    await world.clock.advanceAsync(50);
    world.replica.pages.open();
    await settle();
    const held = world.door.heldBytes;
    const next = pageOf(await client.request(more(1)));
    const last = pageOf(await client.request(more(1)));
    await settle();

    expect(await client.answerTo(taken)).toMatchObject({ code: 'KAYA_DEADLINE', outcome: 'not-done' });
    expect(held).toBeGreaterThan(20_000);
    expect([keysOf(next), keysOf(last)]).toEqual([
      ['k000002', 'k000003'],
      ['k000004', 'k000005'],
    ]);
    expect(world.door.heldBytes).toBe(0);
  });

  test('that is taken back at any moment leaves the rows whole', async () => {
    const random = seededRandom(testSeed());
    await using world = await startTestDoor({ nextChunkBytes: () => 1 + random.int(60) });
    load(world.replica, 300);
    const client = await world.connect();
    client.send(scan({ pageRows: 7 }), { id: 1 });
    const seen = new Set<number>();
    const rows: PageRow[] = [];
    let next = 2;
    let isLast = false;
    for (let i = 0; !isLast && i < 2_000; i++) {
      const id = client.send(more(1), { id: next++ });
      if (random.chance(0.5)) client.send({ kind: 'cancel', target: id }, { id: next++ });
      if (random.chance(0.5)) await settle();
      for (const [at, { response }] of client.received.entries()) {
        if (response.kind !== 'page' || seen.has(at)) continue;
        seen.add(at);
        rows.push(...response.page.rows);
        isLast ||= response.page.isLast;
      }
    }

    expect(rows.map(({ key }) => Buffer.from(key).toString())).toEqual(
      Array.from({ length: 300 }, (_, i) => `k${String(i).padStart(6, '0')}`),
    );
  });

  test('that fails ends the scan, which could only fail again', async () => {
    await using world = await startTestDoor();
    load(world.replica, 6);
    const client = await world.connect();
    await client.request(scan({ pageRows: 2 }), { id: 1 });
    world.replica.pageFailure = new MachineError('KAYA_STATE_REPLACED', 'secret');

    const failed = await client.request(more(1));
    const after = await client.request(more(1));
    await settle();

    expect([failed, after]).toMatchObject([{ code: 'KAYA_STATE_REPLACED' }, { code: 'KAYA_SCAN_ENDED' }]);
    expect(JSON.stringify(failed)).not.toContain('secret');
    expect([world.replica.openScans, world.door.openScans]).toEqual([0, 0]);
  });
});

describe('an open scan', () => {
  test('ends with END_SCAN, which may be said twice', async () => {
    await using world = await startTestDoor();
    load(world.replica, 6);
    const client = await world.connect();
    await client.request(scan({ pageRows: 2 }), { id: 1 });

    const answers = [
      await client.request({ kind: 'end-scan', scan: 1 }),
      await client.request({ kind: 'end-scan', scan: 1 }),
    ];

    expect(answers).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    expect([world.replica.openScans, world.door.openScans]).toEqual([0, 0]);
  });

  test('that ends while a page is read gives it to nobody, and is let go behind it', async () => {
    await using world = await startTestDoor();
    load(world.replica, 6);
    const client = await world.connect();
    await client.request(scan({ pageRows: 2 }), { id: 1 });
    world.replica.pages.shut();
    const asked = client.send(more(1));
    const ender = client.send({ kind: 'end-scan', scan: 1 });
    await settle();
    const before = [world.replica.openScans, client.answered.includes(ender)];

    world.replica.pages.open();
    await settle();

    expect(before).toEqual([1, true]);
    expect(await client.answerTo(asked)).toMatchObject({ code: 'KAYA_SCAN_ENDED' });
    expect([world.replica.openScans, world.door.openScans]).toEqual([0, 0]);
  });

  test('ends when it is asked for nothing for a minute, and each MORE begins that anew', async () => {
    await using world = await startTestDoor();
    load(world.replica, 6);
    const client = await world.connect();
    await client.request(scan({ pageRows: 1 }), { id: 1 });
    await world.clock.advanceAsync(59_999);
    await client.request(more(1));
    await world.clock.advanceAsync(59_999);
    const kept = world.door.openScans;
    await world.clock.advanceAsync(1);

    expect([kept, world.door.openScans, world.replica.openScans]).toEqual([1, 0, 0]);
    expect(await client.request(more(1))).toMatchObject({ code: 'KAYA_SCAN_ENDED' });
  });

  test('lives on while its client is still taking the last page', async () => {
    await using world = await startTestDoor({ limits: { writeStallMs: 0 } });
    load(world.replica, 4, 1_000_000);
    const client = await world.connect();
    await client.request({ kind: 'health' });
    client.connection.pause();
    client.send(scan({ pageRows: 2 }), { id: 1 });
    await world.clock.advanceAsync(150_000);
    const kept = world.door.openScans;
    client.connection.resume();

    expect(kept).toBe(1);
    expect(keysOf(pageOf(await client.request(more(1))))).toEqual(['k000002', 'k000003']);
  });

  test('lives on while a page is being read for it, however long that takes', async () => {
    await using world = await startTestDoor();
    load(world.replica, 4);
    const client = await world.connect();
    await client.request(scan({ pageRows: 2 }), { id: 1 });
    world.replica.pages.shut();
    const asked = client.send(more(1));
    await world.clock.advanceAsync(200_000);
    world.replica.pages.open();

    expect(await client.answerTo(asked)).toMatchObject({ kind: 'page' });
  });

  test('is let go with its connection, in whatever it is at', async () => {
    await using world = await startTestDoor();
    load(world.replica, 6);
    const clients = [await world.connect(), await world.connect(), await world.connect()];
    const [idle, reading, opening] = clients as [RawClient2, RawClient2, RawClient2];
    await idle.request(scan({ pageRows: 1 }), { id: 1 });
    await reading.request(scan({ pageRows: 1 }), { id: 1 });
    world.replica.pages.shut();
    reading.send(more(1));
    await settle();
    world.replica.confirmations.shut();
    opening.send(scan({ pageRows: 1 }), { id: 1 });
    await settle();

    for (const client of clients) client.connection.destroy();
    await settle();
    world.replica.pages.open();
    world.replica.confirmations.open();
    await settle();

    expect([world.replica.openScans, world.door.openScans, world.door.heldBytes]).toEqual([0, 0, 0]);
  });

  test('is one of a few on its connection, and of some on the node', async () => {
    await using world = await startTestDoor({ limits: { maxScansPerConnection: 2, maxScans: 3 } });
    load(world.replica, 6);
    const [first, second] = [await world.connect(), await world.connect()];
    for (const client of [first, first, second]) await client.request(scan({ pageRows: 1 }));

    const ofConnection = await first.request(scan());
    const ofNode = await second.request(scan());
    first.connection.destroy();
    await settle();
    const after = await second.request(scan());

    expect(ofConnection).toMatchObject({ code: 'KAYA_TOO_MANY_SCANS', message: expect.stringContaining('connection') });
    expect(ofNode).toMatchObject({ code: 'KAYA_TOO_MANY_SCANS', message: expect.stringContaining('node') });
    expect(after.kind).toBe('page');
  });
});

describe('20 scans of a store of any size', () => {
  /** Rows without end, made when they are asked for. */
  function endless(counts: { pulledBytes: number }): RowScan {
    const value = new Uint8Array(1_000);
    let at = 0;
    const next = async (maxBytes: number, maxRows: number): ReturnType<RowScan['next']> => {
      const rows: PageRow[] = [];
      for (let bytes = 0; bytes < maxBytes && rows.length < maxRows; bytes += 1_010) {
        rows.push({ key: encodeUtf8(String(at++).padStart(10, '0')), revision: 1, value });
        counts.pulledBytes += 1_010;
      }
      return { rows, isLast: false };
    };
    return { revision: 1, next, close: async () => {} };
  }

  test('of clients that do not ask read nothing ahead', async () => {
    const counts = { pulledBytes: 0 };
    await using world = await startTestDoor();
    world.replica.scanSource = () => endless(counts);
    const clients = await Promise.all(Array.from({ length: 20 }, () => world.connect()));

    for (const client of clients) await client.request(scan({ pageBytes: 65_536 }), { id: 1 });
    await world.clock.advanceAsync(10_000);

    expect(counts.pulledBytes).toBeLessThan(20 * 67_000);
    expect(world.door.heldBytes).toBeLessThan(20 * 100);
  });

  test('of clients that ask for all at once and take nothing read only what there is room for', async () => {
    const counts = { pulledBytes: 0 };
    await using world = await startTestDoor({ limits: { maxInFlightBytes: 50_000 } });
    world.replica.scanSource = () => endless(counts);
    const clients = await Promise.all(Array.from({ length: 20 }, () => world.connect()));
    for (const client of clients) {
      await client.request({ kind: 'health' });
      client.connection.pause();
      client.send(scan({ pageBytes: 16_384 }), { id: 1 });
      for (let i = 0; i < 20; i++) client.send(more(1));
    }
    await settle();
    await settle();

    const pulled = counts.pulledBytes;
    const held = world.door.heldBytes;
    for (const client of clients) client.connection.resume();
    await settle();

    // A client has 50 kB waiting and one page over that.
    expect(pulled).toBeLessThan(20 * 100_000);
    expect(held).toBeLessThan(20 * 100_000);
  });
});
