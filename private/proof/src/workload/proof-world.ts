/** A machine with a simulated disk, on which stores are opened one after the other, as by processes that start again. */

import { decodeUtf8 } from '@kayadb/codec';
import { type Engine, type EngineOptions, openEngine } from '@kayadb/engine';
import { seededRandom, VirtualClock } from '@kayadb/testkit';
import type { FileSystem, ProcessTable } from '@kayadb/vfs';
import { type FakeProcess, fakeProcessWorld } from '@kayadb/vfs/testing';

import type { Content } from './workload.ts';

export const DIRECTORY = '/db';

/** Sizes so small that some hundred writes reach every level. */
export const tinyOptions: EngineOptions = {
  memtableBytes: 2048,
  blockBytes: 256,
  tableBytes: 2048,
  level0Tables: 2,
  level1Bytes: 4096,
  blockCacheBytes: 8192,
};

/** Shared, so that no two processes ever get the same lock token. */
const processWorld = fakeProcessWorld();
let boots = 0;

export class ProofWorld {
  readonly fileSystem: FileSystem;
  readonly clock = new VirtualClock();
  readonly #bootId = `boot-${++boots}`;
  #process: FakeProcess | undefined;

  /** The machine has just booted: whoever held a lock on this disk before is dead. */
  constructor(fileSystem: FileSystem) {
    this.fileSystem = fileSystem;
  }

  /** Opens the store as a process of its own; the one before has died. */
  open(options: EngineOptions = tinyOptions, directory: string = DIRECTORY): Promise<Engine> {
    const random = seededRandom(1);
    return openEngine(directory, {
      fileSystem: this.fileSystem,
      clock: this.clock,
      processes: this.#nextProcess(),
      randomBytes: (count) => random.bytes(count),
      ...options,
    });
  }

  #nextProcess(): ProcessTable {
    this.#process?.kill();
    this.#process = processWorld.start({ bootId: this.#bootId });
    return this.#process;
  }
}

export async function contentOf(engine: Engine): Promise<Content> {
  const rows = new Map<string, string>();
  for await (const { key, value } of engine.scan()) rows.set(decodeUtf8(key), decodeUtf8(value));
  return rows;
}
