/** The command: what the Raft core does in a second, and what its durable log makes of a disk. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';

import { summariseValues } from '../report/statistics.ts';
import { timeCore } from './time-core.ts';
import { type LogRates, timeLog } from './time-log.ts';

const TARGET_ENTRIES_PER_SECOND = 300_000;
const TARGET_SHARE = 0.6;

interface RawOptions {
  readonly rounds: number;
  readonly entries: number;
  readonly batches: number;
  readonly data: string;
}

const command = new Command('bench:raft')
  .description('Measures the Raft core by itself, and its durable log beside plain writes and syncs, in turns.')
  .option('--rounds <n>', 'rounds; medians are told', count, 5)
  .option('--entries <n>', 'entries replicated in each round', count, 640_000)
  .option(
    '--batches <n>',
    'batches of 64 entries of 256 bytes synced in each round; 3000 fill three segments',
    count,
    3000,
  )
  .option('--data <folder>', 'where the log is made and removed again', tmpdir());
const { rounds, entries, batches, data } = command.parse().opts<RawOptions>();

const core: number[] = [];
const logs: LogRates[] = [];
for (let round = 0; round < rounds; round++) {
  core.push(timeCore(entries));
  const directory = mkdtempSync(join(resolve(data), 'kayadb-bench-'));
  try {
    logs.push(await timeLog(directory, batches, round));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const table = new Table({ head: ['figure', 'median', 'least', 'most', 'target'] });
table.push(
  row('core: entries per second, three nodes on one thread', core, `>= ${TARGET_ENTRIES_PER_SECOND}`),
  row('log: batches per second', pick('log'), ''),
  row('plain appends, file grows: batches per second', pick('growingFile'), ''),
  row('plain writes over zeros: batches per second', pick('filledFile'), ''),
  row('log / plain appends', ratios('growingFile'), `>= ${TARGET_SHARE}`),
  row('log / plain writes over zeros', ratios('filledFile'), `>= ${TARGET_SHARE}`),
);
console.log(table.toString());

function pick(name: keyof LogRates): readonly number[] {
  return logs.map((rates) => rates[name]);
}

/** Of each round, as its parts ran one right after another. */
function ratios(name: keyof LogRates): readonly number[] {
  return logs.map((rates) => rates.log / rates[name]);
}

function row(title: string, values: readonly number[], target: string): string[] {
  const { median, min, max } = summariseValues(values);
  return [title, ...[median, min, max].map(format), target];
}

function format(value: number): string {
  return value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString('en');
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1 on is wanted.');
  return value;
}
