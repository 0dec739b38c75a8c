/**
 * Power loss with several segments of the log in use, step by step: moments that random workloads meet once in a thousand. A segment is left
 * behind by the log while a sync of it is under way, or while its memtable still waits to be flushed.
 */

import type { Durability, Engine } from '@kayadb/engine';
import { crashClone, InterceptedFileSystem, MemoryFileSystem, type Operation } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { contentOf, ProofWorld, tinyOptions } from '../src/workload/proof-world.ts';

const DIRECTORY = '/db';
const INTERVAL_MS = 100;
/** Four of these fill a memtable; the fifth goes into the next segment. */
const LARGE = 'x'.repeat(300);
const MEMTABLE_BYTES = 1024;
const never = (): number => 0;

/** Holds back answers of syncs: the sync has taken effect, and nobody hears of it. */
class Gate {
  #ending: string | undefined;
  #opened: Promise<void> = Promise.resolve();
  #open: () => void = () => {};

  /** From now on, for files whose path ends so. */
  shut(ending: string): void {
    this.#ending = ending;
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#ending = undefined;
    this.#open();
  }

  async pass({ kind, paths }: Operation): Promise<void> {
    if (kind === 'sync' && this.#ending !== undefined && paths[0]!.endsWith(this.#ending)) await this.#opened;
  }
}

interface Bench {
  readonly disk: MemoryFileSystem;
  /** Of the log. */
  readonly log: Gate;
  /** Of flushes. */
  readonly tables: Gate;
  readonly world: ProofWorld;
  readonly engine: Engine;
}

async function openBench(durability: Durability): Promise<Bench> {
  const disk = new MemoryFileSystem();
  const [log, tables] = [new Gate(), new Gate()];
  const gated = new InterceptedFileSystem(disk, {
    call: async (operation, run) => {
      const result = await run();
      await log.pass(operation);
      await tables.pass(operation);
      return result;
    },
    callSync: (_operation, run) => run(),
  });
  const world = new ProofWorld(gated, 'before');
  const options = { ...tinyOptions, memtableBytes: MEMTABLE_BYTES, durability, intervalMs: INTERVAL_MS };
  return { disk, log, tables, world, engine: await world.open(options) };
}

async function namesOf(disk: MemoryFileSystem, ending: string): Promise<readonly string[]> {
  const names = (await disk.readDirectory(DIRECTORY)).map(({ name }) => name);
  return names.filter((name) => name.endsWith(ending)).toSorted();
}

/** Four values, and a fifth behind them in the next segment. */
async function fillSegment({ engine }: Bench, letter: string): Promise<readonly string[]> {
  const keys = [1, 2, 3, 4, 5].map((i) => `${letter}${i}`);
  for (const key of keys) await engine.put(key, LARGE, { durability: 'relaxed' });
  return keys;
}

async function keysAfter(disk: MemoryFileSystem): Promise<readonly string[]> {
  const engine = await new ProofWorld(disk, 'after').open();
  return [...(await contentOf(engine)).keys()];
}

describe('power loss with several segments in use', () => {
  test('a sync that began before the end of a segment vouches for nothing behind it', async () => {
    const bench = await openBench('interval');
    const { disk, log, tables, world, engine } = bench;
    const [left] = await namesOf(disk, '.wal');
    await engine.put('synced', 'v');
    log.shut(left!);
    tables.shut('.sst');
    await world.clock.advanceAsync(INTERVAL_MS + 1);
    await fillSegment(bench, 'a');
    expect((await namesOf(disk, '.wal')).length).toBeGreaterThan(1);

    log.open();
    await world.clock.advanceAsync(0);
    await engine.put('last', 'v', { durability: 'relaxed' });
    const crashed = crashClone(disk, { kind: 'everything' }, never);
    const certain = await crashClone(disk, { kind: 'nothing-unsynced' }, never).readFile(`${DIRECTORY}/${left}`);
    const handle = await crashed.open(`${DIRECTORY}/${left}`, 'write');
    await handle.truncate(certain.length);
    await handle.write(certain, 0);
    await handle.close();

    expect(await keysAfter(crashed)).toEqual(['synced']);
  });

  test('a strict write makes earlier ones durable, also those in a segment whose memtable is next to be flushed', async () => {
    const bench = await openBench('relaxed');
    const { disk, tables, world, engine } = bench;
    tables.shut('.sst');
    const first = await fillSegment(bench, 'a');
    const second = await fillSegment(bench, 'b');
    tables.open();
    tables.shut('.sst');
    await world.clock.advanceAsync(0);
    expect(engine.stats().tableCount).toBe(1);

    await engine.put('strict', 'v', { durability: 'strict' });

    const crashed = crashClone(disk, { kind: 'nothing-unsynced' }, never);
    expect(await keysAfter(crashed)).toEqual([...first, ...second, 'strict']);
  });
});
