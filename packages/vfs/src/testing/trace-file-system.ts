/**
 * Writes down every call to another file system as a line of text, for golden files: a lost sync shows as a diff.
 *
 * Lines: `write 000001.wal 64+120` (position + bytes), `sync 000001.wal`, `rename CURRENT.tmp CURRENT`, `syncdir .`.
 * A call that failed ends in ` = ENOSPC`. Lines are in the order the calls were made; a synchronous call looks like
 * its twin.
 */

import { FileSystemError } from '../file-system-error.ts';
import type { FileSystem } from '../file-system.ts';
import { InterceptedFileSystem, type Operation, type OperationKind } from './intercepted-file-system.ts';

/** The calls that change what is on the disk or what survives a crash: what most golden files want. */
export const MUTATING_OPERATIONS: readonly OperationKind[] = [
  'write',
  'sync',
  'truncate',
  'makeDirectory',
  'rename',
  'link',
  'unlink',
  'removeDirectory',
  'syncDirectory',
];

const verbs: Partial<Readonly<Record<OperationKind, string>>> = {
  readFile: 'readfile',
  readDirectory: 'readdir',
  makeDirectory: 'mkdir',
  removeDirectory: 'rmdir',
  syncDirectory: 'syncdir',
  diskSpace: 'diskspace',
};

export class TraceFileSystem extends InterceptedFileSystem {
  readonly #lines: string[];

  /**
   * @param root - Paths are written relative to it.
   * @param kinds - The calls to write down, all by default; files that are created always are.
   */
  constructor(inner: FileSystem, root: string, kinds?: readonly OperationKind[]) {
    const lines: string[] = [];
    const begin = (operation: Operation): ((error: unknown) => void) => {
      if (kinds !== undefined && !kinds.includes(operation.kind) && operation.mode !== 'create') return () => {};
      const index = lines.push(describeOperation(operation, root)) - 1;
      return (error) => {
        lines[index] = `${lines[index]} = ${error instanceof FileSystemError ? error.errno : String(error)}`;
      };
    };
    super(inner, {
      call: async (operation, run) => {
        const fail = begin(operation);
        try {
          return await run();
        } catch (error) {
          fail(error);
          throw error;
        }
      },
      callSync: (operation, run) => {
        const fail = begin(operation);
        try {
          return run();
        } catch (error) {
          fail(error);
          throw error;
        }
      },
    });
    this.#lines = lines;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** @returns The lines since the last time, which are then forgotten. */
  takeLines(): readonly string[] {
    return this.#lines.splice(0);
  }
}

function describeOperation(operation: Operation, root: string): string {
  const { kind, paths, mode, position, bytes } = operation;
  const words = [kind === 'open' && mode === 'create' ? 'create' : (verbs[kind] ?? kind)];
  for (const path of paths) words.push(relativePath(path, root));
  if (mode === 'write') words.push('for writing');
  if (position !== undefined) words.push(`${position}+${bytes}`);
  else if (bytes !== undefined) words.push(String(bytes));
  return words.join(' ');
}

function relativePath(path: string, root: string): string {
  if (path === root) return '.';
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}
