/** The outside world of the program: main.ts has the real one, tests have one in memory. */

import type { Clock } from '@kayadb/codec';
import type { NodeOptions } from '@kayadb/server';
import type { Network } from '@kayadb/transport';
import type { FileSystem, ProcessTable } from '@kayadb/vfs';
import type { DestinationStream } from 'pino';

import type { Environment } from './layers.ts';

export interface World {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly isRoot: boolean;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly logDestination: DestinationStream;
  readonly fileSystem: FileSystem;
  /** `undefined` when `fileSystem` is the real one: then the store works on it in threads of its own. */
  readonly storeFileSystem: FileSystem | undefined;
  readonly processes: ProcessTable;
  readonly network: Network;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly random: NodeOptions['random'];
  /** Lets timers and sockets have a turn. */
  readonly yieldTurn: () => Promise<void>;
  /** Resolves with the name of the first signal that asks the program to end. */
  readonly stopRequested: Promise<string>;
  /** Not everything could be closed in time: the disk may hold threads of the process, which then does not end by itself. */
  readonly onUnclosed: () => void;
  /** Sets what is done when the program is asked to read its files again. */
  readonly onReloadRequested: (listener: () => void) => void;
}
