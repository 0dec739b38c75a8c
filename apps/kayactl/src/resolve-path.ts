/** Folders that a command names. */

import { resolve } from 'node:path';

import { usageError } from './cli-error.ts';

/** @throws CliError KAYA_USAGE for an empty `path`, which would mean the working folder. @param what - For people. */
export function resolvePath(path: string, what: string): string {
  if (path === '') throw usageError(`${what} has an empty name`, 'Give the path of a folder.');
  return resolve(path);
}
