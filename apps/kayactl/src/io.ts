/** Everything the program touches outside itself. `main.ts` gives it the real process, tests give it a small world. */

import type { Readable, Writable } from 'node:stream';

import type { connect } from '@kayadb/client';
import type { Clock } from '@kayadb/codec';
import type { FileSystem, ProcessTable } from '@kayadb/vfs';

/** A standard input; on a terminal, `setRawMode` gives each key as it is pressed. */
export type InputStream = Readable & { readonly isTTY?: boolean; setRawMode?(isRaw: boolean): unknown };

/** A standard output; on a terminal, `isTTY` is true, and `columns` and `rows` its size, as Node sets them. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

export interface KayactlIo {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fileSystem: FileSystem;
  /** Tells whether the process that holds a folder still runs. */
  readonly processes: ProcessTable;
  readonly clock: Clock;
  /** Milliseconds since 1970, for what certificates say. */
  readonly wallClock: () => number;
  readonly connect: typeof connect;
  /** Cryptographically random, for identities that are made here. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Lets other work of the process have a turn. */
  readonly yieldTurn: () => Promise<void>;
  /** Aborted when the user wants to stop; its reason is `SIGINT` or `SIGTERM`. */
  readonly signal: AbortSignal;
}
