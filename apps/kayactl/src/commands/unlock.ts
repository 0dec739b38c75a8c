/** `kayactl unlock [--token TOKEN]` */

import { resolve } from 'node:path';

import {
  breakDirectoryLock,
  DirectoryLockedError,
  type DirectoryLockState,
  inspectDirectoryLock,
  LOCK_FILE_NAME,
  type LockOwner,
  type ProcessIdentity,
  UNREADABLE_LOCK_TOKEN,
} from '@kayadb/vfs';
import type { Command } from 'commander';

import { CliError, usageError } from '../cli-error.ts';
import { examples } from '../examples.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { CommandContext, Invocation } from '../invocation.ts';
import { isNodeFolder } from '../node/node-folder.ts';

interface UnlockFlags {
  readonly token?: string;
}

export function addUnlockCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('unlock')
    .summary('remove the lock of a process that cannot be seen from here')
    .description(
      'Says who holds the folder that --data names. With --token it removes that lock, on your word that its owner has ' +
        'ended: for a folder that was last used on another host or in another container, where this machine cannot look. ' +
        'It refuses while the owner runs. Of the folder of a node, the store in it is unlocked as well. Every other lock of an ended process is taken over without this command.',
    )
    .option(
      '--token <token>',
      'remove the lock with this token, which the error names; "unreadable" if it cannot be read',
    );
  examples(command, [
    'kayactl --data ./data unlock',
    'kayactl --data ./data unlock --token 3d9c0d5e-58a4-4b0c-9f0e-6f6d2a0c7f11',
  ]);
  invocation.handle<UnlockFlags>(command, (context, _args, { token }) => unlock(context, token));
}

async function unlock(context: CommandContext, token: string | undefined): Promise<ExitCode> {
  const { io, globals } = context;
  if (globals.servers.length > 0) throw localOnly();
  const directory = resolve(globals.data);
  await assertFolder(context, directory);
  const state = await inspectDirectoryLock(io.fileSystem, directory, io.processes);
  if (token === undefined) return tell(context, directory, state);
  const expected = token === UNREADABLE_LOCK_TOKEN ? undefined : token;
  const removed = await breakDirectoryLock(io.fileSystem, directory, io.processes, expected);
  if (!removed) throw noSuchLock(directory, token);
  if (state.kind === 'held' && state.owner.token === token) await unlockStores(context, directory, state.owner);
  // A token may also be that of a process which ended while it took the lock over.
  const isLock = !('owner' in state) || state.owner.token === token;
  const text = isLock ? `OK removed the lock, ${sentence(state)}` : 'OK removed a claim to take over the lock';
  await print(context, { removed: true, ...describeOwner(state) }, text);
  return EXIT.ok;
}

/** A node holds its store as well, and whoever vouches for the end of a process does so for all that it held. */
async function unlockStores(context: CommandContext, directory: string, owner: LockOwner): Promise<void> {
  if (!(await isNodeFolder(context, directory))) return;
  const { storeFolders } = await import('@kayadb/server');
  const { fileSystem, processes } = context.io;
  for (const folder of await storeFolders(fileSystem, directory)) {
    const path = `${directory}/${folder}`;
    const state = await inspectDirectoryLock(fileSystem, path, processes);
    if (state.kind === 'held' && isSameProcess(state.owner, owner))
      await breakDirectoryLock(fileSystem, path, processes, state.owner.token);
  }
}

function isSameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return (['pid', 'host', 'bootId', 'pidNamespace', 'startTicks'] as const).every((field) => a[field] === b[field]);
}

/** @throws DirectoryLockedError when opening would be refused. */
async function tell(context: CommandContext, directory: string, state: DirectoryLockState): Promise<ExitCode> {
  const path = `${directory}/${LOCK_FILE_NAME}`;
  if (state.kind === 'unreadable') throw DirectoryLockedError.unreadable(path);
  if (state.kind === 'held') throw DirectoryLockedError.heldBy(path, state.owner, state.liveness);
  await print(context, { removed: false, ...describeOwner(state) }, `${path}: ${sentence(state)}`);
  return EXIT.ok;
}

function print({ globals, output }: CommandContext, document: object, text: string): Promise<void> {
  return globals.json ? output.json(document) : output.line(text);
}

function describeOwner(state: DirectoryLockState): object {
  if (state.kind === 'free' || state.kind === 'unreadable') return { state: state.kind };
  const { pid, host, takenAt } = state.owner;
  return { state: state.kind, pid, host, takenAt };
}

function sentence(state: DirectoryLockState): string {
  switch (state.kind) {
    case 'free':
      return 'free';
    case 'unreadable':
      return 'a file that could not be read';
    case 'stale':
      return `left by ${nameOf(state)}, which has ended; whoever opens the store next takes it over`;
    case 'held':
      return `held by ${nameOf(state)}, which cannot be seen from here`;
  }
}

function nameOf({ owner }: Extract<DirectoryLockState, { readonly kind: 'held' | 'stale' }>): string {
  return `process ${owner.pid} on host ${owner.host} since ${owner.takenAt}`;
}

async function assertFolder({ io }: CommandContext, directory: string): Promise<void> {
  const stat = await io.fileSystem.stat(directory);
  if (stat?.kind === 'directory') return;
  throw usageError(`there is no folder ${directory}`, 'Name the folder of a store with --data DIR.');
}

function noSuchLock(directory: string, token: string): Error {
  const hint = 'Run "kayactl unlock" without --token to see who holds the folder.';
  return usageError(`no lock in ${directory} has the token ${token}; nothing was changed`, hint);
}

function localOnly(): Error {
  return new CliError('KAYA_LOCAL_ONLY', 'unlock works on a folder only: a server that answers holds its folder', {
    hint: 'Leave --server out and name the folder with --data, once its server has ended.',
  });
}
