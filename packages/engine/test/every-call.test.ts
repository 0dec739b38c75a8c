/** Every public call in every state that a store can be in: what works, and what says why it does not. */

import { FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { Engine } from '../src/index.ts';
import { openTestEngine, testWorld, tinyOptions } from './support/open-test-engine.ts';

type Call = (engine: Engine) => unknown;

const reads: Readonly<Record<string, Call>> = {
  get: (engine) => engine.get('a'),
  getSync: (engine) => engine.getSync('a'),
  getMany: (engine) => engine.getMany(['a', 'b']),
  has: (engine) => engine.has('a'),
  scan: (engine) => engine.scan().next(),
  'scan in batches': (engine) => engine.scan().nextBatch(10),
  keys: (engine) => engine.keys().next(),
  values: (engine) => engine.values().next(),
  snapshot: (engine) => engine.snapshot(),
  approximateSize: (engine) => engine.approximateSize({}),
  verify: (engine) => engine.verify(),
};

const writes: Readonly<Record<string, Call>> = {
  put: (engine) => engine.put('a', '1'),
  delete: (engine) => engine.delete('a'),
  deleteRange: (engine) => engine.deleteRange({ prefix: 'a' }),
  batch: (engine) => engine.batch([{ kind: 'put', key: 'a', value: '1' }]),
  'an empty batch': (engine) => engine.batch([]),
  compareAndBatch: (engine) =>
    engine.compareAndBatch([{ key: 'none', value: undefined }], [{ kind: 'put', key: 'a', value: '1' }]),
  flush: (engine) => engine.flush(),
  compact: (engine) => engine.compact(),
  checkpoint: (engine) => engine.checkpoint('/checkpoint'),
  backup: (engine) => engine.backup('/backup'),
};

const always: Readonly<Record<string, Call>> = {
  stats: (engine) => engine.stats().putCount,
  directory: (engine) => engine.directory,
  durableIndex: (engine) => engine.durableIndex,
};

/** The code that a call fails with, thrown or rejected; `undefined` when it succeeds. */
async function failureOf(call: Call, engine: Engine): Promise<unknown> {
  try {
    await call(engine);
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
}

async function failuresOf(calls: Readonly<Record<string, Call>>, engine: Engine): Promise<Record<string, unknown>> {
  const failures: Record<string, unknown> = {};
  for (const [name, call] of Object.entries(calls)) failures[name] = await failureOf(call, engine);
  return failures;
}

function all(calls: Readonly<Record<string, Call>>, code: string | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.keys(calls).map((name) => [name, code]));
}

async function poisonedEngine(): Promise<Engine> {
  const disk = new FaultyFileSystem(new MemoryFileSystem());
  const engine = await openTestEngine(testWorld(disk), tinyOptions);
  await engine.put('a', '1');
  disk.inject({ at: 1, effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } });
  await engine.put('b', '2').catch(() => undefined);
  return engine;
}

describe('every call', () => {
  test('of an open store succeeds', async () => {
    await using engine = await openTestEngine(testWorld(), tinyOptions);

    expect(await failuresOf({ ...reads, ...writes, ...always }, engine)).toEqual(
      all({ ...reads, ...writes, ...always }, undefined),
    );
  });

  test('of a closed store says that it is closed, but for those that need nothing of it', async () => {
    const engine = await openTestEngine(testWorld(), tinyOptions);
    await engine.close();

    expect(await failuresOf({ ...reads, ...writes }, engine)).toEqual(
      all({ ...reads, ...writes }, 'KAYA_ENGINE_CLOSED'),
    );
    const harmless = { ...always, close: (closed: Engine) => closed.close() };
    expect(await failuresOf(harmless, engine)).toEqual(all(harmless, undefined));
  });

  test('of a store that is being closed says that it is closed', async () => {
    const engine = await openTestEngine(testWorld(), tinyOptions);
    const closing = engine.close();

    const failures = await failuresOf({ ...reads, ...writes }, engine);

    expect(failures).toEqual(all({ ...reads, ...writes }, 'KAYA_ENGINE_CLOSED'));
    await closing;
  });

  test('made before a store is closed is finished or says that it was closed', async () => {
    const engine = await openTestEngine(testWorld(), tinyOptions);
    await engine.batch(Array.from({ length: 300 }, (_, i) => ({ kind: 'put', key: `k${i}`, value: 'v' })));
    const names = Object.keys({ ...reads, ...writes });
    const outcomes = Object.values({ ...reads, ...writes }).map((call) => failureOf(call, engine));

    await engine.close();

    const failures = await Promise.all(outcomes);
    const wrong = names.filter(
      (_, i) => ![undefined, 'KAYA_ENGINE_CLOSED', 'KAYA_ABORTED'].includes(failures[i] as string | undefined),
    );
    expect(wrong).toEqual([]);
  });

  test('of a store that takes no more writes reads, and refuses to write with the first cause', async () => {
    const engine = await poisonedEngine();

    expect(await failuresOf({ ...reads, ...always }, engine)).toEqual(all({ ...reads, ...always }, undefined));
    expect(await failuresOf(writes, engine)).toEqual(all(writes, 'KAYA_ENGINE_POISONED'));
    await expect(engine.close()).rejects.toMatchObject({ code: 'KAYA_ENGINE_POISONED' });
    expect(await failuresOf({ ...reads, ...writes }, engine)).toEqual(
      all({ ...reads, ...writes }, 'KAYA_ENGINE_CLOSED'),
    );
  });

  test('names a call for every method of the public interface', async () => {
    await using engine = await openTestEngine(testWorld());
    const named = Object.keys({ ...reads, ...writes, ...always }).map((name) => name.split(' ').at(0));

    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(engine)).filter((name) => name !== 'constructor');

    expect(methods.filter((name) => !named.includes(name))).toEqual(['close']);
  });
});

describe('a scan', () => {
  test('that a close overtakes fails once with a typed error and is at its end then', async () => {
    const engine = await openTestEngine(testWorld(), tinyOptions);
    await engine.batch(Array.from({ length: 50 }, (_, i) => ({ kind: 'put', key: `k${i}`, value: 'v' })));
    const scan = engine.scan();
    await scan.next();

    await engine.close();

    await expect(scan.next()).rejects.toMatchObject({ code: 'KAYA_ENGINE_CLOSED' });
    expect(await scan.next()).toEqual({ done: true, value: undefined });
    expect(await scan.nextBatch(5)).toEqual([]);
    expect(await scan.return()).toEqual({ done: true, value: undefined });
  });
});

describe('a wrong argument', () => {
  const bytes = 5 as unknown as string;
  test.each<[string, Call, typeof TypeError | typeof RangeError]>([
    ['a key that is no bytes', (engine) => engine.put(bytes, 'v'), TypeError],
    ['a value that is no bytes', (engine) => engine.put('k', bytes), TypeError],
    ['an empty key', (engine) => engine.put('', 'v'), RangeError],
    ['a key over 4,096 bytes', (engine) => engine.put('k'.repeat(4097), 'v'), RangeError],
    ['a value over 16 MiB', (engine) => engine.put('k', new Uint8Array(16 * 1024 * 1024 + 1)), RangeError],
    ['an unknown durability', (engine) => engine.put('k', 'v', { durability: 'maybe' as 'strict' }), TypeError],
    ['an applied index without an external log', (engine) => engine.put('k', 'v', { appliedIndex: 1 }), TypeError],
    ['operations that are no array', (engine) => engine.batch('x' as unknown as []), TypeError],
    ['an operation of an unknown kind', (engine) => engine.batch([{ kind: 'merge' } as never]), TypeError],
    ['an operation that is nothing', (engine) => engine.batch([undefined as never]), TypeError],
    ['two bounds on a side', (engine) => engine.deleteRange({ gt: 'a', gte: 'b' }), TypeError],
    ['a range without anything', (engine) => engine.deleteRange(undefined as never), TypeError],
    ['conditions that are no array', (engine) => engine.compareAndBatch({} as never, []), TypeError],
    ['a condition that is nothing', (engine) => engine.compareAndBatch([undefined as never], []), TypeError],
    ['a get without a key', (engine) => engine.get(undefined as never), TypeError],
    ['a getSync of an empty key', (engine) => engine.getSync(''), RangeError],
    ['keys that are no array', (engine) => engine.getMany('k' as never), TypeError],
    ['a has of no bytes', (engine) => engine.has(bytes), TypeError],
    ['a negative limit', (engine) => engine.scan({ limit: -1 }), RangeError],
    ['a limit of 1.5', (engine) => engine.keys({ limit: 1.5 }), RangeError],
    ['no bytes at all', (engine) => engine.values({ limitBytes: 0 }), RangeError],
    ['a prefix in the place of the options', (engine) => engine.scan('user/' as never), TypeError],
    ['an unknown encoding', (engine) => engine.scan({ keyEncoding: 'hex' as 'utf8' }), TypeError],
    ['a foreign snapshot', (engine) => engine.get('k', { snapshot: {} as never }), TypeError],
    ['a snapshot in the place of the options', (engine) => engine.get('k', engine.snapshot() as never), TypeError],
    [
      'a snapshot in the place of the options of has',
      (engine) => engine.has('k', engine.snapshot() as never),
      TypeError,
    ],
    ['options of a read that are none', (engine) => engine.getMany(['k'], 'x' as never), TypeError],
    [
      'a snapshot in the place of the options of a scan',
      (engine) => engine.scan(engine.snapshot() as never),
      TypeError,
    ],
    ['a batch of no rows', (engine) => engine.scan().nextBatch(0), RangeError],
    ['no directory', (engine) => engine.checkpoint(''), TypeError],
    ['a directory that is no path', (engine) => engine.backup(5 as never), TypeError],
  ])('is refused and changes nothing: %s', async (_, call, kind) => {
    await using engine = await openTestEngine(testWorld());
    await engine.put('k', 'v');
    const before = engine.stats().lastSequence;

    const failure = await failureOf(call, engine);

    expect(failure).toBeInstanceOf(kind);
    expect((failure as Error).message).toMatch(/^[a-z].{10,}[^.]$/);
    expect(engine.stats().lastSequence).toBe(before);
    expect(Buffer.from((await engine.get('k'))!).toString()).toBe('v');
  });
});
