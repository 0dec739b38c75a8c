/** A store on a simulated disk, with a simulated clock and processes: each test owns its world. */

import { seededRandom, VirtualClock } from '@kayadb/testkit';
import type { FileSystem, ProcessTable } from '@kayadb/vfs';
import { type FakeProcess, fakeProcessWorld, MemoryFileSystem } from '@kayadb/vfs/testing';

import { type Engine, type EngineOptions, openEngine } from '../../src/index.ts';

export const DIRECTORY = '/db';

export interface TestWorld {
  readonly fileSystem: FileSystem;
  readonly clock: VirtualClock;
  /** The process of the next `openTestEngine`; a fresh one each time, as after a restart. */
  readonly nextProcess: () => ProcessTable;
}

/** Shared, so that no two processes of a test file ever get the same lock token. */
const processWorld = fakeProcessWorld();
let boots = 0;

/** A machine that has just booted: whoever held a lock on this disk before is dead. */
export function testWorld(fileSystem: FileSystem = new MemoryFileSystem()): TestWorld {
  const bootId = `boot-${++boots}`;
  let last: FakeProcess | undefined;
  return {
    fileSystem,
    clock: new VirtualClock(),
    nextProcess: () => {
      last?.kill();
      last = processWorld.start({ bootId });
      return last;
    },
  };
}

export function openTestEngine(world: TestWorld, options: EngineOptions = {}): Promise<Engine> {
  const random = seededRandom(1);
  return openEngine(DIRECTORY, {
    fileSystem: world.fileSystem,
    clock: world.clock,
    processes: world.nextProcess(),
    randomBytes: (count) => random.bytes(count),
    ...options,
  });
}

/** Sizes so small that a few hundred writes reach every level. */
export const tinyOptions: EngineOptions = {
  memtableBytes: 2048,
  blockBytes: 256,
  tableBytes: 2048,
  level0Tables: 2,
  level1Bytes: 4096,
  blockCacheBytes: 8192,
};
