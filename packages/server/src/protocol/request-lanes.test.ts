import { seededRandom, settle, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { type Lane, RequestLanes } from './request-lanes.ts';

/** Tasks that end when the test says so. */
function openLanes(hasRoom = (): boolean => true) {
  const lanes = new RequestLanes(hasRoom);
  const started: string[] = [];
  const running = new Map<string, () => void>();
  const run = (lane: Lane, name: string): void => {
    void lanes.run(lane, () => {
      started.push(name);
      return new Promise<void>((resolve) => {
        running.set(name, resolve);
      });
    });
  };
  const end = async (name: string): Promise<void> => {
    running.get(name)!();
    running.delete(name);
    await settle();
  };
  return { lanes, started, running, run, end };
}

describe('RequestLanes', () => {
  test('starts all writes in the turn in which they come', () => {
    const { run, started } = openLanes();

    for (const name of ['a', 'b', 'c']) run('write', name);

    expect(started).toEqual(['a', 'b', 'c']);
  });

  test('holds a read until the writes before it have ended, and a write until the reads have', async () => {
    const { run, end, started } = openLanes();
    run('write', 'put 1');
    run('write', 'put 2');
    run('read', 'get');
    run('write', 'put 3');

    await end('put 2');
    const afterOne = [...started];
    await end('put 1');
    const afterBoth = [...started];
    await end('get');

    expect(afterOne).toEqual(['put 1', 'put 2']);
    expect(afterBoth).toEqual(['put 1', 'put 2', 'get']);
    expect(started).toEqual(['put 1', 'put 2', 'get', 'put 3']);
  });

  test('works on four reads and one scan at a time', async () => {
    const { run, end, started } = openLanes();
    for (let i = 0; i < 5; i++) run('read', `get ${i}`);
    run('alone', 'scan 0');
    run('alone', 'scan 1');

    const atFirst = started.length;
    for (let i = 0; i < 5; i++) await end(`get ${i}`);

    expect(atFirst).toBe(4);
    expect(started.at(-1)).toBe('scan 0');
    await end('scan 0');
    expect(started.at(-1)).toBe('scan 1');
  });

  test('starts no read while a large answer has no room, and goes on when told', async () => {
    let hasRoom = false;
    const { lanes, run, started } = openLanes(() => hasRoom);
    run('write', 'put');
    run('read', 'get');
    run('write', 'behind');

    const without = [...started];
    hasRoom = true;
    lanes.startWaiting();

    expect(without).toEqual(['put']);
    expect(started).toEqual(['put']);
  });

  test('goes on after a task that failed', async () => {
    const lanes = new RequestLanes(() => true);
    const failing = lanes.run('write', () => Promise.reject(new Error('broken')));
    const behind = lanes.run('read', () => Promise.resolve('read'));

    await expect(failing).rejects.toThrow('broken');
    await expect(behind).resolves.toBe('read');
  });

  test('never lets two lanes overlap and keeps the order, whatever comes and ends when', async () => {
    const random = seededRandom(testSeed());
    const { run, end, started, running } = openLanes();
    const asked: string[] = [];
    const kinds: readonly Lane[] = ['write', 'read', 'alone'];

    for (let step = 0; step < 400; step++) {
      if (random.int(2) === 0 && asked.length < 150) {
        const lane = kinds[random.int(3)]!;
        asked.push(`${lane} ${asked.length}`);
        run(lane, asked.at(-1)!);
      } else if (running.size > 0) {
        await end([...running.keys()][random.int(running.size)]!);
      }
      const lanesNow = new Set([...running.keys()].map((name) => name.split(' ')[0]));
      expect(lanesNow.size).toBeLessThanOrEqual(1);
    }
    while (running.size > 0) await end(running.keys().next().value!);

    expect(started).toEqual(asked);
  });
});
