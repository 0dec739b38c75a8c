/** What the program says when the disk fails under it: one sentence with the file and what to do, for whoever, or whatever, would start it again. */

import { encodeUtf8, type Request } from '@kayadb/codec';
import { VirtualClock } from '@kayadb/testkit';
import { MemoryNetwork } from '@kayadb/transport/testing';
import { type Fault, FaultyFileSystem, InterceptedFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { run } from '../src/run.ts';
import { ask } from './support/ask.ts';
import { createTestWorld, type TestWorld } from './support/test-world.ts';

const put: Request = { kind: 'put', key: encodeUtf8('k'), value: encodeUtf8('v') };

/** Of files of that kind, which may have had another name when they were made. */
function failedSync(extension: string): Fault {
  const matchesPath = (path: string): boolean => path.includes(extension);
  return { at: 1, kinds: ['sync'], matchesPath, effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } };
}

function worldOn(disk: MemoryFileSystem, faults: readonly Fault[], argv: readonly string[] = []): TestWorld {
  const fileSystem = new FaultyFileSystem(disk, faults);
  return createTestWorld({ argv: ['--data', '/data', ...argv], disk, fileSystem });
}

/** Starts the program on `disk`, stores a key, and stops it. */
async function runOnce(disk: MemoryFileSystem): Promise<void> {
  const world = worldOn(disk, []);
  const running = run(world);
  await ask(world, put);
  world.requestStop('SIGTERM');
  expect(await world.settle(running)).toBe(0);
}

const SENTENCE =
  /^ERROR: the disk failed under the node, which has stopped: sync of \/data\/groups\/0\/[\w/.-]+ failed with EIO: .+\nHINT: check the disk before starting again, .+\n$/u;

describe('a disk that fails under the program', () => {
  test('ends it with 1 and a sentence at a write', async () => {
    const disk = new MemoryFileSystem();
    await runOnce(disk);
    const fileSystem = new FaultyFileSystem(disk);
    const world = createTestWorld({ argv: ['--data', '/data'], disk, fileSystem });
    const running = run(world);
    await world.logged('node.ready');
    fileSystem.inject(failedSync('.rlog'));

    await ask(world, put);
    const exitCode = await world.settle(running);

    expect(exitCode).toBe(1);
    expect(world.output.err).toMatch(SENTENCE);
  });

  test('ends it also when that happens in the background, before it has joined its group', async () => {
    const disk = new MemoryFileSystem();
    // Each leaves a table in level 0, until the next start has to merge them.
    for (let i = 0; i < 4; i++) await runOnce(disk);
    const world = worldOn(disk, [failedSync('.sst')]);

    const exitCode = await world.settle(run(world));

    expect(exitCode).toBe(1);
    expect(world.output.err).toMatch(SENTENCE);
  });

  test('ends it during the start', async () => {
    const disk = new MemoryFileSystem();
    await runOnce(disk);
    const world = worldOn(disk, [failedSync('.rlog')]);

    const exitCode = await world.settle(run(world));

    expect(exitCode).toBe(1);
    expect(world.output.err).toMatch(SENTENCE);
  });

  test('has lost nothing when it is started again', async () => {
    const disk = new MemoryFileSystem();
    await runOnce(disk);
    const broken = worldOn(disk, []);
    const running = run(broken);
    await ask(broken, { ...put, key: encodeUtf8('acknowledged') });
    (broken.fileSystem as FaultyFileSystem).inject(failedSync('.rlog'));
    await ask(broken, put);
    await broken.settle(running);
    const again = worldOn(disk, []);
    const runningAgain = run(again);

    const found = await ask(again, { kind: 'get', key: encodeUtf8('acknowledged') });
    again.requestStop('SIGTERM');

    expect(found).toEqual({ kind: 'value', value: encodeUtf8('v') });
    expect(await again.settle(runningAgain)).toBe(0);
  });
});

/** From when it resolves, no sync ends. */
async function runUntilStuck(): Promise<{ world: TestWorld; running: Promise<number> }> {
  const disk = new MemoryFileSystem();
  let isStuck = false;
  const fileSystem = new InterceptedFileSystem(disk, {
    call: ({ kind }, call) => (isStuck && kind === 'sync' ? new Promise<never>(() => {}) : call()),
    callSync: (_operation, call) => call(),
  });
  const world = createTestWorld({ argv: ['--data', '/data'], disk, fileSystem });
  const running = run(world);
  await world.logged('node.ready');
  isStuck = true;
  return { world, running };
}

describe('a disk that fails under one program of three', () => {
  test('ends that one with 1 and a sentence, and the others go on', async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    const list = [1, 2, 3].flatMap((node) => ['--peer', `${node}=127.0.0.1:${7480 + node},127.0.0.1:${7378 + node}`]);
    const programs = [1, 2, 3].map((node) => {
      const disk = new MemoryFileSystem();
      const fileSystem = new FaultyFileSystem(disk);
      const ports = ['--raft-addr', `127.0.0.1:${7480 + node}`, '--client-addr', `127.0.0.1:${7378 + node}`];
      const argv = ['--node-id', String(node), '--data', '/data', ...ports, ...list];
      const world = createTestWorld({ argv, disk, fileSystem, network, clock });
      return { world, fileSystem, running: run(world) };
    });
    const kinds: string[] = [];
    for (const { world } of programs) kinds.push((await ask(world, put)).kind);
    const leader = programs[kinds.indexOf('done')]!;
    const others = programs.filter((program) => program !== leader);

    leader.fileSystem.inject(failedSync('.rlog'));
    await ask(leader.world, put);
    const exitCode = await leader.world.settle(leader.running);
    await clock.advanceAsync(5_000);
    const answers: string[] = [];
    for (const { world } of others) answers.push((await ask(world, put)).kind);
    for (const { world } of others) world.requestStop('SIGTERM');
    const exitCodes = await Promise.all(others.map(({ world, running }) => world.settle(running)));

    expect(exitCode).toBe(1);
    expect(leader.world.output.err).toMatch(SENTENCE);
    expect(answers.toSorted()).toEqual(['done', 'not-leader']);
    expect(exitCodes).toEqual([0, 0]);
  });
});

describe('a disk that does not answer any more', () => {
  test('ends the program after half a minute with 1 and a sentence, and nothing that it holds is waited for', async () => {
    const { world, running } = await runUntilStuck();

    void ask(world, put).catch(() => undefined);
    const exitCode = await world.settle(running);

    expect(exitCode).toBe(1);
    expect(world.output.err).toMatch(
      /^ERROR: the disk has not finished a sync for 30\d\d\d ms, .+\nHINT: check the disk before starting again; .+\n$/u,
    );
    expect(world.output.isUnclosed).toBe(true);
    const told = world.output.log.map(({ event }) => event);
    expect(told.slice(told.indexOf('storage.slow'))).toEqual([
      'storage.slow',
      'storage.stalled',
      'raft.storage-stalled',
      'node.failed',
      'node.stop-failed',
    ]);
  });

  test('does not keep a stop from ending, with 1 and a sentence', async () => {
    const { world, running } = await runUntilStuck();

    world.requestStop('SIGTERM');
    const exitCode = await world.settle(running);

    expect(exitCode).toBe(1);
    expect(world.output.err).toMatch(/^ERROR: the directory was not closed within 10000 ms; .+\nHINT: .+\n$/u);
    expect(world.output.isUnclosed).toBe(true);
  });
});
