import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { show, walk } from '../../test/support/entries.ts';
import { WriteBatch } from '../key/write-batch.ts';
import { Memtable } from './memtable.ts';

function frozenMemtable(): Memtable {
  const memtable = new Memtable();
  memtable.insert(new WriteBatch().put('b', 'old').put('a', '1').delete('b').bytes, 7);
  memtable.insert(
    new WriteBatch().deleteRange(encodeUtf8('x'), undefined).put('big', new Uint8Array(400_000)).bytes,
    10,
  );
  memtable.noteApplied(99);
  memtable.freeze();
  return memtable;
}

describe('Memtable.share', () => {
  test('gives another thread the same memtable, through a structured clone', async () => {
    const memtable = frozenMemtable();

    const other = Memtable.fromShared(structuredClone(memtable.share()));

    expect(await walk(other.cursor('forward'))).toEqual(['a#8', 'b#9-', 'b#7', 'big#11']);
    expect(await walk(other.cursor('reverse'), 'b')).toEqual(['b#7', 'b#9-', 'a#8']);
    expect(show(other.get(encodeUtf8('b'), 8)!)).toBe('b#7');
    expect(other.rangeDeletes).toEqual([{ start: encodeUtf8('x'), end: undefined, sequence: 10 }]);
    for (const name of [
      'entryCount',
      'dataBytes',
      'memoryBytes',
      'largestSequence',
      'appliedIndex',
      'isEmpty',
    ] as const) {
      expect(other[name]).toBe(memtable[name]);
    }
  });

  test('copies neither tree nor entries', () => {
    const memtable = frozenMemtable();
    const clone = structuredClone(memtable.share());

    const { value } = memtable.get(encodeUtf8('a'), 99)!;
    value[0] = 0x32;

    expect(Memtable.fromShared(clone).get(encodeUtf8('a'), 99)!.value[0]).toBe(0x32);
  });

  test('takes no writes on the other side', () => {
    const other = Memtable.fromShared(structuredClone(frozenMemtable().share()));

    expect(() => other.insert(new WriteBatch().put('k', 'v').bytes, 100)).toThrow('frozen');
  });

  test('works for a memtable without entries', async () => {
    const memtable = new Memtable();
    memtable.freeze();

    const other = Memtable.fromShared(structuredClone(memtable.share()));

    expect(await walk(other.cursor('forward'))).toEqual([]);
    expect(other.get(encodeUtf8('a'), 1)).toBeUndefined();
    expect(other.isEmpty).toBe(true);
  });

  test('is for frozen memtables', () => {
    expect(() => new Memtable().share()).toThrow('frozen');
  });

  test('crosses to a real worker thread', async () => {
    // `--import tsx` does not reach workers on Node 20.
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      import('tsx/esm/api').then(({ register }) => register()).then(() => import(workerData.module)).then(({ Memtable }) => {
        const cursor = Memtable.fromShared(workerData.shared).cursor('reverse');
        const seen = [];
        for (cursor.seekToStart(); cursor.entry !== undefined; cursor.next()) {
          const { key, sequence, value } = cursor.entry;
          seen.push([Buffer.from(key).toString(), sequence, value.length]);
        }
        parentPort.postMessage(seen);
      });`;
    const worker = new Worker(source, {
      eval: true,
      workerData: { module: new URL('memtable.ts', import.meta.url).href, shared: frozenMemtable().share() },
      execArgv: ['--conditions=@kayadb/source'],
    });

    const [seen] = (await once(worker, 'message')) as unknown[];
    await worker.terminate();

    expect(seen).toEqual([
      ['big', 11, 400_000],
      ['b', 7, 3],
      ['b', 9, 0],
      ['a', 8, 1],
    ]);
  });
});
