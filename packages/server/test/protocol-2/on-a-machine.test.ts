/** Frames of a client down to the rows of a store that is flushed and merged meanwhile. */

import { compareBytes, encodeUtf8, type PageRow, type WriteOperation } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { MachineWorld } from '../machine/machine-world.ts';
import { MachineReplica } from '../support/machine-replica.ts';
import { get, put, putOperation, scan, startTestDoor, type TestDoor, write } from '../support/test-door.ts';

async function start(): Promise<TestDoor> {
  const machine = await (await MachineWorld.create()).open();
  return startTestDoor({ replica: new MachineReplica(machine) });
}

describe('a machine behind protocol 2', () => {
  test('does a write of a session once, however often it is said', async () => {
    await using world = await start();
    const [first, second] = [await world.connect(), await world.connect()];
    const opened = await first.request({ kind: 'open-session', expiryMs: 0 });
    const session = opened.kind === 'session' ? opened.session : 0;
    const said = write({ place: { session, serial: 1, settled: 1 }, operations: [putOperation('k', 'once')] });

    const answers = [await first.request(said), await second.request(said)];
    await first.request(put('k', 'later'));
    const third = await second.request(said);
    const row = await first.request(get('k'));
    await first.request({ kind: 'close-session', session });
    const expired = await second.request(said);

    expect(answers[0]).toMatchObject({ kind: 'written' });
    expect([answers[1], third]).toEqual([answers[0], answers[0]]);
    expect(row).toMatchObject({ row: { value: encodeUtf8('later') } });
    expect(expired).toMatchObject({ code: 'KAYA_SESSION_EXPIRED', outcome: 'not-done' });
  });

  test('scans in pages at one revision, in both directions, while rows are changed', async () => {
    const random = seededRandom(testSeed());
    await using world = await start();
    const client = await world.connect();
    const model = new Map<string, string>();
    const change = async (count: number): Promise<void> => {
      const operations: WriteOperation[] = [];
      for (let i = 0; i < count; i++) {
        const key = `k${random.int(400)}`;
        if (random.chance(0.2)) {
          model.delete(key);
          operations.push({ kind: 'delete', key: encodeUtf8(key) });
        } else {
          const value = 'v'.repeat(random.int(60));
          model.set(key, value);
          operations.push(putOperation(key, value));
        }
      }
      await client.request(write({ operations }));
    };
    for (let i = 0; i < 20; i++) await change(20);

    for (const isDescending of [false, true]) {
      const expected = Array.from(model).toSorted(([a], [b]) => compareBytes(encodeUtf8(a), encodeUtf8(b)));
      if (isDescending) expected.reverse();
      const id = client.send(scan({ isDescending, pageBytes: 500, pageRows: 20 }));
      const rows: PageRow[] = [];
      const revisions = new Set<number>();
      let isLast = false;
      for (let asked = id; !isLast;) {
        const answer = await client.answerTo(asked);
        if (answer.kind !== 'page') throw new Error(JSON.stringify(answer));
        rows.push(...answer.page.rows);
        revisions.add(answer.page.revision);
        ({ isLast } = answer.page);
        await change(10);
        if (!isLast) asked = client.send({ kind: 'more', scan: id });
      }

      expect(revisions.size).toBe(1);
      expect(rows.map(({ key, value }) => [Buffer.from(key).toString(), Buffer.from(value).toString()])).toEqual(
        expected,
      );
      expect(rows.every(({ revision }) => revision <= Math.max(...revisions))).toBe(true);
    }
    expect(world.door.openScans).toBe(0);
  });
});
