import { FileSystemError } from '@kayadb/vfs';
import { describe, expect, test } from 'vitest';

import { CorruptionError, EngineError } from '../errors.ts';
import { Poison } from '../write/poison.ts';
import { BackgroundLoop } from './background-loop.ts';
import { Scheduler } from './scheduler.ts';

describe('BackgroundLoop', () => {
  test('repeats its step until it finds nothing to do', async () => {
    let left = 3;
    const loop = new BackgroundLoop(() => Promise.resolve(left-- > 0));

    loop.kick();
    await loop.idle();

    expect(left).toBe(-1);
  });

  test('loses no kick that comes while it finds nothing to do', async () => {
    let work = 0;
    let looks = 0;
    const loop = new BackgroundLoop(async () => {
      looks++;
      const found = work > 0;
      if (found) work--;
      await Promise.resolve();
      if (looks === 1) {
        // The work arrives after the look and before the loop has come to rest.
        work = 1;
        loop.kick();
      }
      return found;
    });

    loop.kick();
    await loop.idle();

    expect(work).toBe(0);
  });

  test('never runs two steps at once', async () => {
    let running = 0;
    let most = 0;
    let left = 5;
    const loop = new BackgroundLoop(async () => {
      running++;
      most = Math.max(most, running);
      await Promise.resolve();
      running--;
      return left-- > 0;
    });

    for (let i = 0; i < 4; i++) loop.kick();
    await loop.idle();

    expect(most).toBe(1);
  });
});

interface World {
  readonly scheduler: Scheduler;
  readonly poison: Poison;
  readonly failures: string[];
  /** How the next jobs end. */
  flushes: (Error | undefined)[];
  compactions: (Error | undefined)[];
}

function takeOne(jobs: (Error | undefined)[]): Promise<boolean> {
  if (jobs.length === 0) return Promise.resolve(false);
  const failure = jobs.shift();
  return failure === undefined ? Promise.resolve(true) : Promise.reject(failure);
}

function schedulerWorld(): World {
  const poison = new Poison(() => undefined);
  const failures: string[] = [];
  const world: World = {
    poison,
    failures,
    flushes: [],
    compactions: [],
    scheduler: new Scheduler(
      {
        flushOne: () => takeOne(world.flushes),
        compactOne: () => takeOne(world.compactions),
        onFailure: (job, error) => failures.push(`${job}: ${error.constructor.name}`),
      },
      poison,
    ),
  };
  return world;
}

describe('Scheduler', () => {
  test('tells waiters of progress', async () => {
    const world = schedulerWorld();
    world.flushes = [undefined];

    await expect(world.scheduler.waitFor('flush')).resolves.toBeUndefined();
  });

  test.each([
    ['a full disk', new FileSystemError('ENOSPC', 'write', '/db/1.sst')],
    ['a damaged input', new CorruptionError('000001.sst', 64, 'x')],
    ['an input that the disk does not give', new FileSystemError('EIO', 'read', '/db/1.sst')],
    ['an input that this installation cannot read', new EngineError('KAYA_UNSUPPORTED', 'x')],
  ])('stops at %s, says so, and tries again when asked', async (_name, failure) => {
    const world = schedulerWorld();
    world.flushes = [failure, undefined];

    await expect(world.scheduler.waitFor('flush')).rejects.toBe(failure);
    expect(world.poison.cause).toBeUndefined();

    await expect(world.scheduler.waitFor('flush')).resolves.toBeUndefined();
    expect(world.failures).toHaveLength(1);
  });

  test('tells those who wait for one job nothing of the other', async () => {
    const world = schedulerWorld();
    world.compactions = [new CorruptionError('000001.sst', 64, 'x'), undefined];
    world.flushes = [undefined];

    const compaction = world.scheduler.waitFor('compaction');
    const flush = world.scheduler.waitFor('flush');

    await expect(compaction).rejects.toBeInstanceOf(CorruptionError);
    await expect(flush).resolves.toBeUndefined();
  });

  test.each([
    ['a failed sync', new FileSystemError('EIO', 'sync', '/db/1.sst')],
    ['a full disk found by a sync', new FileSystemError('ENOSPC', 'sync', '/db/1.sst')],
    ['a failed write', new FileSystemError('EIO', 'write', '/db/1.sst')],
  ])('poisons the store after %s', async (_name, failure) => {
    const world = schedulerWorld();
    world.flushes = [failure];

    await expect(world.scheduler.waitFor('flush')).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });

    expect(world.poison.cause).toBe(failure);
    await expect(world.scheduler.waitFor('flush')).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });
  });

  test('gives the reason of the poison to those whose job fails after it in its own way', async () => {
    const world = schedulerWorld();
    const first = new FileSystemError('EIO', 'write', '/db/2.sst');
    world.flushes = [new FileSystemError('EIO', 'write', '/db/MANIFEST')];

    const flush = world.scheduler.waitFor('flush');
    world.poison.set(first);

    await expect(flush).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED', cause: first });
  });
});
