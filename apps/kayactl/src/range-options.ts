/** The flags that choose a range of keys, shared by `scan` and `export`. */

import type { Command } from 'commander';

import { parseBytes } from './bytes-text.ts';
import { usageError } from './cli-error.ts';
import { parseCount } from './global-options.ts';
import type { RowsOptions } from './store/store.ts';

export interface RangeFlags {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly limit?: number;
  readonly reverse?: boolean;
  readonly stale?: boolean;
}

export function addRangeOptions(command: Command): Command {
  return command
    .option('--gt <key>', 'only keys after this one')
    .option('--gte <key>', 'only this key and those after it')
    .option('--lt <key>', 'only keys before this one')
    .option('--lte <key>', 'only this key and those before it')
    .option('--limit <n>', 'at most this many rows', (text) => parseCount(text, 0))
    .option('--reverse', 'last key first')
    .option('--stale', 'of a server: what it has, which may be old; answered without a quorum too');
}

/** @throws CliError KAYA_USAGE for a key that cannot be read, or two bounds on one side. */
export function readRange(flags: RangeFlags, prefix: string | undefined, signal: AbortSignal): RowsOptions {
  const { gt, gte, lt, lte, limit, reverse, stale } = flags;
  if (gt !== undefined && gte !== undefined) throw twoBounds('--gt', '--gte');
  if (lt !== undefined && lte !== undefined) throw twoBounds('--lt', '--lte');
  return {
    signal,
    ...(prefix === undefined ? {} : { prefix: parseBytes(prefix, 'prefix') }),
    ...(gt === undefined ? {} : { gt: parseBytes(gt, '--gt key') }),
    ...(gte === undefined ? {} : { gte: parseBytes(gte, '--gte key') }),
    ...(lt === undefined ? {} : { lt: parseBytes(lt, '--lt key') }),
    ...(lte === undefined ? {} : { lte: parseBytes(lte, '--lte key') }),
    ...(limit === undefined ? {} : { limit }),
    ...(reverse === true ? { reverse } : {}),
    ...(stale === true ? { isStale: stale } : {}),
  };
}

function twoBounds(first: string, second: string): Error {
  return usageError(`${first} and ${second} exclude each other`, 'Give one bound for each side.');
}
