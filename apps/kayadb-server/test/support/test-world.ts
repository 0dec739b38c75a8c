/** A whole machine for the program to run on: disk, network, clock, streams and signals, all in memory. Time goes on while a test waits. */

import { encodeUtf8 } from '@kayadb/codec';
import { nodeRandom, seededRandom, testSeed, VirtualClock } from '@kayadb/testkit';
import { MemoryNetwork } from '@kayadb/transport/testing';
import type { FileSystem } from '@kayadb/vfs';
import { fakeProcessTable, MemoryFileSystem } from '@kayadb/vfs/testing';

import type { World } from '../../src/world.ts';

export type LogLine = Readonly<Record<string, unknown>>;

export interface TestWorld extends World {
  readonly network: MemoryNetwork;
  readonly clock: VirtualClock;
  readonly disk: MemoryFileSystem;
  readonly output: { out: string; err: string; log: LogLine[]; isUnclosed: boolean };
  requestStop(signal: string): void;
  requestReload(): void;
  writeFile(path: string, text: string): Promise<void>;
  /** Resolves with the log line of `event`. */
  logged(event: string): Promise<LogLine>;
  /** Waits for `work` while time goes on. */
  settle<T>(work: Promise<T>): Promise<T>;
}

export interface TestWorldOptions {
  readonly argv?: readonly string[];
  readonly env?: World['env'];
  readonly isRoot?: boolean;
  readonly disk?: MemoryFileSystem;
  /** What the program sees of the disk. */
  readonly fileSystem?: FileSystem;
  /** Of another world, for several machines that reach each other at the same time. */
  readonly network?: MemoryNetwork;
  readonly clock?: VirtualClock;
}

const STEP_MS = 10;
const LIMIT_MS = 60_000;
const EPOCH_MS = Date.UTC(2026, 5, 1);

export function createTestWorld(options: TestWorldOptions = {}): TestWorld {
  const clock = options.clock ?? new VirtualClock();
  const network = options.network ?? new MemoryNetwork({ clock });
  const disk = options.disk ?? new MemoryFileSystem();
  const fileSystem = options.fileSystem ?? disk;
  const random = seededRandom(testSeed()).fork((options.argv ?? []).join(' '));
  const output = { out: '', err: '', log: [] as LogLine[], isUnclosed: false };
  let requestStop: ((signal: string) => void) | undefined;
  let requestReload: (() => void) | undefined;
  const stopRequested = new Promise<string>((resolve) => {
    requestStop = resolve;
  });
  const until = async <T>(what: string, find: () => T | undefined): Promise<T> => {
    for (let ms = 0; ms < LIMIT_MS; ms += STEP_MS) {
      const found = find();
      if (found !== undefined) return found;
      await clock.advanceAsync(STEP_MS);
    }
    throw new Error(`not within ${LIMIT_MS} ms: ${what}; ${output.err}${JSON.stringify(output.log, undefined, 1)}`);
  };
  return {
    argv: options.argv ?? [],
    env: { KAYA_NO_METRICS: '1', ...options.env },
    isRoot: options.isRoot ?? false,
    stdout: (text) => void (output.out += text),
    stderr: (text) => void (output.err += text),
    logDestination: { write: (text) => void output.log.push(JSON.parse(text) as LogLine) },
    fileSystem,
    storeFileSystem: fileSystem,
    processes: fakeProcessTable(),
    network,
    clock,
    wallClock: () => EPOCH_MS + clock.now(),
    random: nodeRandom(random),
    yieldTurn: () => Promise.resolve(),
    stopRequested,
    onUnclosed: () => {
      output.isUnclosed = true;
    },
    onReloadRequested: (listener) => {
      requestReload = listener;
    },
    disk,
    output,
    requestStop: (signal) => requestStop?.(signal),
    requestReload: () => requestReload?.(),
    writeFile: async (path, text) => {
      const handle = await disk.open(path, 'create');
      await handle.write(encodeUtf8(text), 0);
      await handle.close();
    },
    logged: (event) => until(event, () => output.log.find((each) => each['event'] === event)),
    settle: async (work) => {
      let isSettled = false;
      const done = work.finally(() => {
        isSettled = true;
      });
      done.catch(() => undefined);
      await until('a promise settles', () => isSettled || undefined);
      return done;
    },
  };
}
