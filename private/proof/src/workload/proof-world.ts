/** A machine with a simulated disk, on which stores are opened one after the other, as by processes that start again. */

import { type Engine, type EngineOptions, openEngine, type ScanOptions } from '@kayadb/engine';
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

let boots = 0;
/** Bound: rows taken from a scan at once. */
const MAX_ROWS = 1000;

export class ProofWorld {
  readonly fileSystem: FileSystem;
  readonly clock = new VirtualClock();
  readonly #processes = fakeProcessWorld();
  readonly #boot: string;
  #process: FakeProcess | undefined;

  /**
   * The machine has just booted: whoever held a lock on this disk before is dead.
   *
   * @param boot - Unlike that of every machine that had this disk before. What is written to disk depends on it.
   */
  constructor(fileSystem: FileSystem, boot: string = `boot-${++boots}`) {
    this.fileSystem = fileSystem;
    this.#boot = boot;
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

  /** The process that had the store open last is dead, whatever it has left. */
  die(): void {
    this.#process?.kill();
  }

  #nextProcess(): ProcessTable {
    this.#process?.kill();
    const process = this.#processes.start({ bootId: this.#boot });
    this.#process = process;
    // Lock tokens are unique on a disk, whatever machine it was in before.
    return { ...process, newToken: () => `${this.#boot}-${process.newToken()}` };
  }
}

export async function contentOf(
  engine: Engine,
  options: Pick<ScanOptions, 'snapshot' | 'reverse'> = {},
): Promise<Content> {
  const scan = engine.scan({ ...options, keyEncoding: 'utf8', valueEncoding: 'utf8' });
  const content = new Map<string, string>();
  for (let rows = await scan.nextBatch(MAX_ROWS); rows.length > 0; rows = await scan.nextBatch(MAX_ROWS)) {
    for (const { key, value } of rows) content.set(key, value);
  }
  return content;
}
