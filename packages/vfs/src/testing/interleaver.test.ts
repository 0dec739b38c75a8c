import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { Interleaver } from './interleaver.ts';
import { MemoryFileSystem } from './memory-file-system.ts';

/** Two actors that each create three files; the order in which that happened. */
async function orderOf(seed: number): Promise<string> {
  const random = seededRandom(seed);
  const disk = new MemoryFileSystem();
  const order: string[] = [];
  disk.afterEachMutation(({ path }) => order.push(path));
  const interleaver = new Interleaver(() => random.next());
  for (const name of ['a', 'b']) {
    interleaver.spawn(name, disk, async (fs) => {
      for (let index = 0; index < 3; index++) await fs.makeDirectory(`/${name}${index}`);
    });
  }
  while ((await interleaver.step()) !== undefined);
  return order.join(' ');
}

describe('Interleaver', () => {
  test('gives the same order for the same random numbers, and many orders for others', async () => {
    const seed = testSeed();
    const orders = new Set<string>();

    for (let index = 0; index < 200; index++) orders.add(await orderOf(seed + index));

    expect(await orderOf(seed)).toBe(await orderOf(seed));
    // All ways to merge two runs of three.
    expect(orders.size).toBe(20);
  });

  test('does nothing before the first turn, and one thing per turn', async () => {
    const disk = new MemoryFileSystem();
    const interleaver = new Interleaver(() => 0);
    const actor = interleaver.spawn('a', disk, async (fs) => {
      await fs.makeDirectory('/x');
    });

    expect(actor.waitingFor).toBeUndefined();
    expect(await interleaver.step()).toBe(actor);
    expect(actor.waitingFor).toMatchObject({ kind: 'makeDirectory', paths: ['/x'] });
    expect(await disk.stat('/x')).toBeUndefined();
    await interleaver.step();
    expect(await disk.stat('/x')).toBeDefined();
    expect(actor.state).toBe('waiting');
    await interleaver.step();
    expect(actor.state).toBe('finished');
    expect(await interleaver.step()).toBeUndefined();
  });

  test('never lets a crashed actor go on', async () => {
    const disk = new MemoryFileSystem();
    const interleaver = new Interleaver(() => 0);
    const actor = interleaver.spawn('a', disk, async (fs) => {
      await fs.makeDirectory('/x');
    });
    await interleaver.step();

    interleaver.crash(actor);

    expect(await interleaver.step()).toBeUndefined();
    expect(actor.state).toBe('crashed');
    expect(await disk.stat('/x')).toBeUndefined();
  });

  test('hands on what an actor throws', async () => {
    const interleaver = new Interleaver(() => 0);
    interleaver.spawn('a', new MemoryFileSystem(), async (fs) => fs.unlink('/none'));

    await interleaver.step();
    await interleaver.step();

    await expect(interleaver.step()).rejects.toMatchObject({ code: 'KAYA_FS_NOT_FOUND' });
  });
});
