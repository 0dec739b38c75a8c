import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { Engine } from '../src/index.ts';
import { openTestEngine, testWorld, tinyOptions } from './support/open-test-engine.ts';

const KEYS = 300;

function keyOf(number: number): string {
  return `key-${String(number).padStart(4, '0')}`;
}

/** Random writes of all kinds, done to the engine and to `model`. */
async function writeSome(
  engine: Engine,
  model: Map<string, string>,
  random: ReturnType<typeof seededRandom>,
): Promise<void> {
  for (let i = 0; i < 40; i++) {
    const [from, to] = [random.int(KEYS), random.int(KEYS)].toSorted((a, b) => a - b);
    if (random.chance(0.05)) {
      await engine.deleteRange({ gte: keyOf(from!), lt: keyOf(to!) });
      for (let n = from!; n < to!; n++) model.delete(keyOf(n));
    } else if (random.chance(0.2)) {
      await engine.delete(keyOf(from!));
      model.delete(keyOf(from!));
    } else {
      const value = `${random.int(1_000_000)}`.repeat(1 + random.int(5));
      await engine.put(keyOf(from!), value);
      model.set(keyOf(from!), value);
    }
  }
}

function rowsOf(model: ReadonlyMap<string, string>): { key: string; value: string }[] {
  return [...model].map(([key, value]) => ({ key, value })).toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

const text = { keyEncoding: 'utf8', valueEncoding: 'utf8' } as const;

describe('scans of a store in use', () => {
  test('show the state they were opened in, whatever is written, flushed and compacted meanwhile', async () => {
    const random = seededRandom(testSeed());
    await using engine = await openTestEngine(testWorld(), tinyOptions);
    const model = new Map<string, string>();
    const open: { scan: ReturnType<typeof engine.scan<'utf8', 'utf8'>>; expected: unknown[]; rows: unknown[] }[] = [];

    const wrong: unknown[] = [];
    for (let round = 0; round < 40; round++) {
      await writeSome(engine, model, random);
      if (random.chance(0.2)) await engine.flush();
      if (random.chance(0.1)) await engine.compact();
      const reverse = random.chance(0.5);
      const expected = reverse ? rowsOf(model).toReversed() : rowsOf(model);
      open.push({ scan: engine.scan({ ...text, reverse }), expected, rows: [] });
      for (const one of random.shuffle([...open]).slice(0, 5)) {
        const batch = random.chance(0.3)
          ? await one.scan.next().then(({ value }) => (value === undefined ? [] : [value]))
          : await one.scan.nextBatch(1 + random.int(100));
        one.rows.push(...batch);
        if (batch.length > 0) continue;
        open.splice(open.indexOf(one), 1);
        if (JSON.stringify(one.rows) !== JSON.stringify(one.expected)) wrong.push(one);
      }
    }
    for (const { scan, expected, rows } of open) {
      for await (const row of scan) rows.push(row);
      if (JSON.stringify(rows) !== JSON.stringify(expected)) wrong.push({ expected, rows });
    }

    expect(wrong).toEqual([]);
  }, 60_000);

  test('end with the store, and keep nothing from closing', async () => {
    const engine = await openTestEngine(testWorld(), tinyOptions);
    for (let i = 0; i < KEYS; i++) await engine.put(keyOf(i), 'x'.repeat(50));
    const untouched = engine.scan();
    const begun = engine.keys();
    await begun.next();
    const pulled = engine.scan();
    const pulling = pulled.nextBatch(1000).catch((error: unknown) => error);

    await engine.close();

    await expect(untouched.next()).rejects.toMatchObject({ code: 'KAYA_ENGINE_CLOSED' });
    await expect(begun.nextBatch(5)).rejects.toMatchObject({ code: 'KAYA_ENGINE_CLOSED' });
    expect(await pulling).toSatisfy((result) => Array.isArray(result) || result.code === 'KAYA_ENGINE_CLOSED');
    expect(await untouched.next()).toEqual({ done: true, value: undefined });
  });
});
