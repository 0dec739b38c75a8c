/** The outside world as the engine uses it. The one file of the engine that reaches for the real clock and randomness. */

import { randomBytes } from 'node:crypto';

import type { Clock } from '@kayadb/codec';
import { type FileSystem, nodeFileSystem, nodeProcessTable, type ProcessTable } from '@kayadb/vfs';

import type { EngineOptions } from './options.ts';

export interface Resources {
  readonly fileSystem: FileSystem;
  readonly processes: ProcessTable;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Lets other work of the process have a turn. */
  readonly yieldTurn: () => Promise<void>;
}

export function resolveResources(options: EngineOptions): Resources {
  return {
    fileSystem: options.fileSystem ?? nodeFileSystem(),
    processes: options.processes ?? nodeProcessTable(),
    clock: options.clock ?? systemClock,
    randomBytes: options.randomBytes ?? randomBytes,
    yieldTurn: options.yieldTurn ?? (() => new Promise((resolve) => setImmediate(resolve))),
  };
}

const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
