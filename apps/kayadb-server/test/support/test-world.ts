/** A whole machine for the program to run on: disk, network, clock, streams and signals, all in memory. */

import { encodeUtf8 } from '@kayadb/codec';
import { VirtualClock } from '@kayadb/testkit';
import { MemoryNetwork } from '@kayadb/transport/testing';
import type { FileSystem } from '@kayadb/vfs';
import { fakeProcessTable, MemoryFileSystem } from '@kayadb/vfs/testing';

import type { World } from '../../src/run.ts';

export interface TestWorld extends World {
  readonly network: MemoryNetwork;
  readonly clock: VirtualClock;
  readonly disk: MemoryFileSystem;
  readonly output: { out: string; err: string; log: Record<string, unknown>[] };
  requestStop(signal: string): void;
  writeFile(path: string, text: string): Promise<void>;
  /** Resolves with the log line of `event`. */
  logged(event: string): Promise<Record<string, unknown>>;
}

export interface TestWorldOptions {
  readonly argv?: readonly string[];
  readonly env?: Record<string, string>;
  readonly isRoot?: boolean;
  readonly disk?: MemoryFileSystem;
  /** What the program sees of the disk. */
  readonly fileSystem?: FileSystem;
}

export function createTestWorld(options: TestWorldOptions = {}): TestWorld {
  const clock = new VirtualClock();
  const disk = options.disk ?? new MemoryFileSystem();
  const output = { out: '', err: '', log: [] as Record<string, unknown>[] };
  const waiting = new Map<string, (line: Record<string, unknown>) => void>();
  let requestStop: ((signal: string) => void) | undefined;
  const stopRequested = new Promise<string>((resolve) => {
    requestStop = resolve;
  });
  return {
    argv: options.argv ?? [],
    env: options.env ?? {},
    isRoot: options.isRoot ?? false,
    stdout: (text) => void (output.out += text),
    stderr: (text) => void (output.err += text),
    logDestination: {
      write: (text) => {
        const line = JSON.parse(text) as Record<string, unknown>;
        output.log.push(line);
        waiting.get(String(line['event']))?.(line);
      },
    },
    fileSystem: options.fileSystem ?? disk,
    processes: fakeProcessTable(),
    network: new MemoryNetwork({ clock }),
    clock,
    stopRequested,
    disk,
    output,
    requestStop: (signal) => requestStop?.(signal),
    writeFile: async (path, text) => {
      const handle = await disk.open(path, 'create');
      await handle.write(encodeUtf8(text), 0);
      await handle.close();
    },
    logged: (event) =>
      new Promise((resolve) => {
        const line = output.log.find((each) => each['event'] === event);
        if (line === undefined) waiting.set(event, resolve);
        else resolve(line);
      }),
  };
}
