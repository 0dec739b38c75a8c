/** The options of the command. */

import { tmpdir } from 'node:os';
import { resolve } from 'node:path';

import { Command, InvalidArgumentError } from 'commander';

import { ENGINE_NAMES, type EngineName, isEngineName } from './engines/engine-name.ts';
import { DEFAULT_ENTRIES, type RunSize, SMOKE_ENTRIES } from './scale.ts';
import { chooseFamilies, type Family } from './stages/families.ts';

export interface BenchmarkOptions {
  readonly size: RunSize;
  readonly rounds: number;
  readonly entries: number;
  readonly families: readonly Family[];
  readonly engines: readonly EngineName[];
  /** Where results are written. */
  readonly out: string;
  /** In which a folder for the stores is made and removed again. */
  readonly data: string;
}

interface RawOptions {
  readonly smoke: boolean;
  readonly long: boolean;
  readonly rounds?: number;
  readonly entries?: number;
  readonly only: readonly string[];
  readonly engines: readonly EngineName[];
  readonly out: string;
  readonly data: string;
}

const DEFAULT_ROUNDS = 5;

/** @param words - The command line behind the program. */
export function parseOptions(words: readonly string[]): BenchmarkOptions {
  const command = createCommand();
  const raw = command.parse(words, { from: 'user' }).opts<RawOptions>();
  const { smoke, long } = raw;
  try {
    return {
      size: smoke ? 'smoke' : long ? 'long' : 'usual',
      rounds: raw.rounds ?? (smoke ? 1 : DEFAULT_ROUNDS),
      entries: raw.entries ?? (smoke ? SMOKE_ENTRIES : DEFAULT_ENTRIES),
      families: chooseFamilies(raw.only, long || smoke),
      engines: raw.engines,
      out: resolve(raw.out),
      data: resolve(raw.data),
    };
  } catch (error) {
    return command.error(`error: ${(error as Error).message}`);
  }
}

function createCommand(): Command {
  return new Command('bench:engine')
    .description('Measures the engine and its peers side by side, alternating, and says how far ours is ahead.')
    .option('--smoke', 'every workload in a small size, one round: shows that all work, not how fast', false)
    .option(
      '--long',
      'also the load of 20 million entries, and memory at 256 MiB: minutes for each engine and round',
      false,
    )
    .option('--rounds <count>', `rounds; default ${DEFAULT_ROUNDS}`, parseCount)
    .option('--entries <count>', `entries of a store; default ${DEFAULT_ENTRIES}`, parseCount)
    .option('--only <workloads>', 'only these, and what shares a store with them; comma-separated', parseList, [])
    .option('--engines <names>', `comma-separated: ${ENGINE_NAMES.join(',')}`, parseEngines, ENGINE_NAMES)
    .option('--out <folder>', 'where results.json, report.txt and the charts go', 'bench/results')
    .option('--data <folder>', 'where the stores are; must be on the disk to be measured', tmpdir());
}

function parseList(text: string): readonly string[] {
  return text.split(',').map((word) => word.trim());
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('it must be a whole number above 0.');
  return count;
}

function parseEngines(text: string): readonly EngineName[] {
  const words = parseList(text);
  const unknown = words.find((word) => !isEngineName(word));
  if (unknown !== undefined) throw new InvalidArgumentError(`there is no engine ${unknown}.`);
  return ENGINE_NAMES.filter((name) => words.includes(name));
}
