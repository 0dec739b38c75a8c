/** Why the program ends: an exit code for scripts, and two lines for people. docs/reference/server.md, "Exit codes" */

import { AssertionError, KayaError } from '@kayadb/codec';
import { DirectoryLockedError, FileSystemError } from '@kayadb/vfs';

import { UsageError } from './usage-error.ts';

/** The original's numbers; 2 (not found) has no meaning for a server. */
export const EXIT = { ok: 0, failure: 1, corruption: 3, invalidArgument: 4, invariant: 5, locked: 6 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const EXIT_BY_CODE: Readonly<Record<string, ExitCode>> = {
  KAYA_CORRUPTION: EXIT.corruption,
  KAYA_RAFT_CORRUPTION: EXIT.corruption,
  KAYA_RAFT_FOREIGN: EXIT.corruption,
  KAYA_SNAPSHOT_MISSING: EXIT.corruption,
  KAYA_USAGE: EXIT.invalidArgument,
  KAYA_UNSUPPORTED: EXIT.invalidArgument,
  KAYA_RAFT_UNSUPPORTED: EXIT.invalidArgument,
  KAYA_FEATURE_LEVEL: EXIT.invalidArgument,
  KAYA_LOCKED: EXIT.locked,
  KAYA_EMBEDDED_STORE: EXIT.invalidArgument,
  KAYA_NODE_FOREIGN: EXIT.invalidArgument,
  KAYA_NODE_LOST: EXIT.corruption,
};

const REMOVED = 'keep a supervisor from starting it again; docs/operating/membership.md adds a node';

const DAMAGED =
  'nothing was changed; copy the folder, then run kayactl recover --plan --data DIR on it for what is damaged and the ways out';
const NEWER = 'use the version of KayaDB that wrote this data folder, or a later one';

const HINTS: Readonly<Record<string, string>> = {
  KAYA_CORRUPTION: DAMAGED,
  KAYA_RAFT_CORRUPTION: DAMAGED,
  KAYA_RAFT_FOREIGN: DAMAGED,
  KAYA_SNAPSHOT_MISSING: DAMAGED,
  KAYA_LOCKED: 'one process at a time can open a data folder; choose another with --data',
  KAYA_UNSUPPORTED: NEWER,
  KAYA_RAFT_UNSUPPORTED: NEWER,
  KAYA_FEATURE_LEVEL: NEWER,
  KAYA_DISK_FULL: 'free some space and start again; nothing acknowledged is lost',
  KAYA_FS_PERMISSION: 'run as the user that owns the data folder, or choose another with --data',
  KAYA_FS_NOT_FOUND: 'create the folder above the data folder first, or choose another with --data',
  KAYA_LISTEN_FAILED:
    'another server may be running; choose another address with --client-addr, --raft-addr or --metrics-addr, or port 0 for any free one',
  KAYA_IO: 'check the disk before starting again; nothing acknowledged is lost',
  KAYA_ENGINE_POISONED:
    'check the disk before starting again, and keep a supervisor from doing so until then; what was acknowledged is kept, and the next start recovers it',
  KAYA_STORAGE_STALLED:
    'check the disk before starting again; what was acknowledged is kept here and on the disks of other nodes',
  KAYA_EMBEDDED_STORE:
    'kayactl --data OLD export FILE writes its rows, kayactl --server ADDRESS import FILE hands them to the node; nothing was changed',
  KAYA_NODE_FOREIGN: 'look at --node-id and --data; nothing was changed',
  KAYA_NODE_LOST: 'docs/operating/membership.md replaces a node whose directory is gone; nothing was changed',
  KAYA_NODE_REMOVED: REMOVED,
  KAYA_REMOVED: REMOVED,
  KAYA_FENCED:
    'docs/operating/membership.md replaces a node whose directory was lost or set back; nothing acknowledged is lost',
  KAYA_STOP_TIMEOUT: 'the next start replays the log; raise --drain-timeout-ms to give it more time',
};

const UNSEEN_OWNER =
  'two processes on one folder destroy it: make sure that nobody uses it any more, then kayactl unlock removes the lock';

export interface Failure {
  readonly exitCode: ExitCode;
  /** `ERROR: ...` and `HINT: ...`, each on its line. */
  readonly text: string;
}

export function describeFailure(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof AssertionError) {
    const hint = 'this is a fault in KayaDB; please report it with the log';
    return { exitCode: EXIT.invariant, text: `ERROR: broken invariant: ${message}\nHINT: ${hint}\n` };
  }
  const code = error instanceof KayaError ? error.code : '';
  const hint = hintFor(error, code);
  return { exitCode: EXIT_BY_CODE[code] ?? EXIT.failure, text: `ERROR: ${message}\nHINT: ${hint}\n` };
}

/**
 * Why a node that was running has given up. Of a store or a log that takes no more writes, what helps is in the first call that failed, with its file.
 * Whatever the operating system made of that call, its outcome is unknown, so what helps is the same.
 */
export function describeEnd(cause: Error): Failure {
  const disk = diskFailureIn(cause);
  if (disk === undefined) return describeFailure(cause);
  const text = `ERROR: the disk failed under the node, which has stopped: ${disk.message}\nHINT: ${HINTS['KAYA_ENGINE_POISONED']}\n`;
  return { exitCode: EXIT.failure, text };
}

/** What the operating system said, of an error that came of it. */
function diskFailureIn(error: Error): FileSystemError | undefined {
  let cause: unknown = error;
  while (cause instanceof Error && !(cause instanceof FileSystemError)) cause = cause.cause;
  return cause instanceof FileSystemError ? cause : undefined;
}

function hintFor(error: unknown, code: string): string {
  if (error instanceof UsageError) return error.hint;
  if (error instanceof DirectoryLockedError && error.liveness === 'unknown') return UNSEEN_OWNER;
  return HINTS[code] ?? 'see the log for what led to it';
}
