import { decodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import type { Engine } from '../src/index.ts';
import { openTestEngine, testWorld, tinyOptions } from './support/open-test-engine.ts';

async function read(engine: Engine, key: string): Promise<string | undefined> {
  const value = await engine.get(key);
  return value === undefined ? undefined : decodeUtf8(value);
}

describe('compareAndBatch', () => {
  test('writes when every condition holds', async () => {
    await using engine = await openTestEngine(testWorld());
    await engine.put('a', '1');

    const result = await engine.compareAndBatch(
      [
        { key: 'a', value: '1' },
        { key: 'b', value: undefined },
      ],
      [{ kind: 'put', key: 'b', value: '2' }],
    );

    expect(result).toMatchObject({ applied: true, sequence: 2, durable: true });
    expect(await read(engine, 'b')).toBe('2');
  });

  test.each([
    ['the value is another', [{ key: 'a', value: '2' }], 0, '1'],
    ['the key should be absent', [{ key: 'a', value: undefined }], 0, '1'],
    ['the key is absent', [{ key: 'none', value: '' }], 0, undefined],
    [
      'only the second fails',
      [
        { key: 'a', value: '1' },
        { key: 'a', value: '11' },
      ],
      1,
      '1',
    ],
  ])('writes nothing and names the condition when %s', async (_, conditions, failed, actual) => {
    await using engine = await openTestEngine(testWorld());
    await engine.put('a', '1');

    const result = await engine.compareAndBatch(conditions, [{ kind: 'put', key: 'b', value: '2' }]);

    expect(result).toEqual({
      applied: false,
      failed,
      actual: actual === undefined ? undefined : Uint8Array.from(Buffer.from(actual)),
    });
    expect(await read(engine, 'b')).toBeUndefined();
    expect(engine.stats().lastSequence).toBe(1);
  });

  test('sees writes that were asked for before it and not those asked for after', async () => {
    await using engine = await openTestEngine(testWorld());

    const first = engine.put('a', '1');
    const compared = engine.compareAndBatch([{ key: 'a', value: '1' }], [{ kind: 'put', key: 'a', value: '2' }]);
    const later = engine.put('a', '3');
    await Promise.all([first, later]);

    expect(await compared).toMatchObject({ applied: true, sequence: 2 });
    expect(await read(engine, 'a')).toBe('3');
  });

  test('lets a counter be counted up by many at once without losing a step, in tables too', async () => {
    await using engine = await openTestEngine(testWorld(), tinyOptions);
    await engine.put('n', '0');
    const increment = async (): Promise<void> => {
      for (;;) {
        const value = (await read(engine, 'n'))!;
        const next = String(Number(value) + 1).padEnd(200);
        const result = await engine.compareAndBatch([{ key: 'n', value }], [{ kind: 'put', key: 'n', value: next }]);
        if (result.applied) return;
      }
    };

    await Promise.all(Array.from({ length: 40 }, increment));

    expect(Number(await read(engine, 'n'))).toBe(40);
    expect(engine.stats().flushCount).toBeGreaterThan(0);
  });

  test('refuses a wrong condition before it takes its turn', async () => {
    await using engine = await openTestEngine(testWorld());
    await engine.put('a', '1');

    const wrong = engine.compareAndBatch([{ key: '', value: undefined }], []);
    const next = engine.put('b', '2');

    await expect(wrong).rejects.toBeInstanceOf(RangeError);
    expect((await next).sequence).toBe(2);
  });

  test('that changes nothing still says whether the conditions hold', async () => {
    await using engine = await openTestEngine(testWorld());

    expect(await engine.compareAndBatch([{ key: 'a', value: undefined }], [])).toMatchObject({ applied: true });
    expect(await engine.compareAndBatch([], [])).toMatchObject({ applied: true });
  });
});
