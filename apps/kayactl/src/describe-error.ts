/** Turns any error into what the user sees: a code, a sentence, what to do next, and the exit status. */

import { ClientError } from '@kayadb/client';
import { AssertionError, KayaError } from '@kayadb/codec';
import { DirectoryLockedError } from '@kayadb/vfs';

import { CliError } from './cli-error.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

export interface ErrorDescription {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly exitCode: ExitCode;
}

interface Guidance {
  readonly hint: string;
  readonly exitCode: ExitCode;
}

const io = (hint: string): Guidance => ({ hint, exitCode: EXIT.io });
const invalid = (hint: string): Guidance => ({ hint, exitCode: EXIT.invalidArgument });

const SERVER_DOWN =
  'Check that the server runs, that --server names its client address (its default is 127.0.0.1:7379), and that both sides speak TLS or neither does (--tls-ca turns it on).';
const SLOW_SERVER =
  'The server may be busy or the network slow; a write may or may not have happened. Try again, or raise --timeout.';
const TOKEN =
  'Give the token the server was started with: --client-token-file FILE or KAYA_CLIENT_TOKEN for data, --operator-token-file FILE or KAYA_OPERATOR_TOKEN for the membership.';

const NODE_DAMAGED: Guidance = {
  hint: 'Nothing was changed. Run "kayactl recover --dry-run" on the folder of the node for a report on every file, and "kayactl recover --plan" for the ways out.',
  exitCode: EXIT.corruption,
};

/** One guidance per code that can reach the command line; everything else gets `OTHER`. */
const GUIDANCE: Readonly<Record<string, Guidance>> = {
  KAYA_CORRUPTION: {
    hint: 'Nothing damaged was changed or removed. Copy the folder, then run "kayactl recover --dry-run" on it for a report on every file, and "kayactl recover --plan" for the ways out.',
    exitCode: EXIT.corruption,
  },
  KAYA_LOCKED: {
    hint: 'Stop the process that holds it, or talk to it with --server HOST:PORT instead of --data.',
    exitCode: EXIT.lockConflict,
  },
  KAYA_STORE_MISSING: io('Name the folder of a store with --data DIR, or a running server with --server HOST:PORT.'),
  KAYA_STORE_IS_BACKUP: invalid('Run "kayactl --data NEW restore" on it, or "kayactl verify" to check it.'),
  KAYA_STORE_LOG: invalid(
    'A node keeps the log of this store: name the folder of the node with --data, or ask it with --server.',
  ),
  KAYA_NOTHING_TO_SALVAGE: {
    hint: 'Name the folder of a store with --data DIR; "kayactl recover --dry-run" says what is in this one.',
    exitCode: EXIT.notFound,
  },
  KAYA_NO_HARD_LINKS: io('Choose a folder on the same file system, or run "kayactl backup".'),
  KAYA_RAFT_CORRUPTION: NODE_DAMAGED,
  KAYA_RAFT_FOREIGN: NODE_DAMAGED,
  KAYA_NODE_LOST: NODE_DAMAGED,
  KAYA_SNAPSHOT_MISSING: NODE_DAMAGED,
  KAYA_RAFT_UNSUPPORTED: invalid('Use the version of KayaDB that wrote it.'),
  KAYA_FEATURE_LEVEL: invalid('Use the version of KayaDB that the nodes of the group run.'),
  KAYA_UNSUPPORTED_COMMAND: invalid('Use the version of KayaDB that the nodes of the group run.'),
  KAYA_UNSUPPORTED: invalid('Use the version of KayaDB that wrote it, or install the module that the message names.'),
  KAYA_ENGINE_POISONED: io('Free or repair the disk, then run the command again; what was acknowledged is kept.'),
  KAYA_FS_NOT_FOUND: io('Check the path.'),
  KAYA_FS_EXISTS: io('Choose another name, or move the file that is there out of the way.'),
  KAYA_FS_IS_DIRECTORY: io('Name a file.'),
  KAYA_FS_PERMISSION: io('Run as the owner of the data, and check that the folder is writable.'),
  KAYA_FS_TOO_MANY_FILES: io('Raise the limit with ulimit -n.'),
  KAYA_DISK_FULL: io('Free some space, then run the command again; what was acknowledged is kept.'),
  KAYA_IO: io('Check the disk and the system log.'),
  KAYA_UNAVAILABLE: io(SERVER_DOWN),
  KAYA_DIAL_FAILED: io(SERVER_DOWN),
  KAYA_DIAL_TIMEOUT: io(SERVER_DOWN),
  KAYA_CONNECTION_LOST: io(SERVER_DOWN),
  KAYA_TIMEOUT: io(SLOW_SERVER),
  KAYA_UNKNOWN_OUTCOME: io(
    'Look whether it was done, with "kayactl get" or "kayactl members", before you run the command again.',
  ),
  KAYA_NOT_LEADER: io(
    'Another node leads, or none does: name the other nodes with --server as well, and look at "kayactl status".',
  ),
  KAYA_UNAUTHORIZED: invalid(TOKEN),
  KAYA_INVALID_ARGUMENT: invalid('Correct the request; sending it again unchanged does not help.'),
  KAYA_PROTOCOL: io('Check that --server names the client address of a KayaDB server, and not another port.'),
  KAYA_SERVER: io('Look into the log of the server for the reason.'),
  KAYA_TLS_UNTRUSTED: invalid(
    'If it is the right machine, give its CA with --tls-ca or its key with --tls-pin, or have its certificate renewed; if not, find out who answers there.',
  ),
  KAYA_TLS_HANDSHAKE: io(
    'Check that the server speaks TLS at this address, and trusts the certificate of --tls-cert if it asks for one.',
  ),
  KAYA_NO_QUORUM: io('Most of the nodes do not answer: look at "kayactl status", and bring them back.'),
  KAYA_OVERLOADED: io('Try again after a while; "kayactl status" says whether there is a leader.'),
  KAYA_STOPPING: io('The node is being stopped: try again, and list the other nodes with --server.'),
  KAYA_SESSION_EXPIRED: io('Read the key, then run the command again if it was not done.'),
  KAYA_SCAN_ENDED: io('The node that served the scan was lost in the middle: run the command again.'),
  KAYA_MEMBERSHIP_REFUSED: io('Do what the message says first; "kayactl members" shows who is there and who answers.'),
};

/** Causes that say more than that nobody could be spoken to. */
const TELLING_CAUSES: ReadonlySet<string> = new Set(['KAYA_TLS_UNTRUSTED', 'KAYA_TLS_HANDSHAKE']);

const OLD_SERVER = invalid('The server speaks an older protocol that has no words for it: update it.');

const UNSEEN_OWNER =
  'Two processes on one folder destroy it: make sure that nobody uses it any more. Then "kayactl unlock" removes the lock.';

const OTHER = io('Run the command again; if it fails in the same way, report it with this message.');

function tellingCode(error: KayaError): string {
  const { code, cause } = error;
  return code === 'KAYA_UNAVAILABLE' && cause instanceof KayaError && TELLING_CAUSES.has(cause.code)
    ? cause.code
    : code;
}

/** Never throws, whatever was thrown. */
export function describeError(error: unknown): ErrorDescription {
  if (error instanceof CliError) {
    return { code: error.code, message: error.message, hint: error.hint, exitCode: error.exitCode };
  }
  if (error instanceof AssertionError) {
    return {
      code: 'KAYA_INVARIANT',
      message: `a rule inside KayaDB was broken: ${error.message}`,
      hint: 'This is a bug. Keep a copy of the data folder and report it with this message.',
      exitCode: EXIT.invariant,
    };
  }
  if (error instanceof KayaError) {
    const code = tellingCode(error);
    const isOldServer = error instanceof ClientError && code === 'KAYA_UNSUPPORTED';
    const { hint, exitCode } = isOldServer ? OLD_SERVER : (GUIDANCE[code] ?? OTHER);
    const isUnseen = error instanceof DirectoryLockedError && error.liveness === 'unknown';
    return { code, message: error.message, hint: isUnseen ? UNSEEN_OWNER : hint, exitCode };
  }
  return { code: 'KAYA_INTERNAL', message: error instanceof Error ? error.message : String(error), ...OTHER };
}
