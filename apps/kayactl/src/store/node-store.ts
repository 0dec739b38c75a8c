/** The rows of a node that is not running, as a store that can only be read: nothing in its directory changes. */

import type { NodeRows } from '@kayadb/server';
import { inspectDirectoryLock } from '@kayadb/vfs';

import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../invocation.ts';
import { nodeOptions } from '../node/node-folder.ts';
import type { HealthReport, Row, RowsOptions, StatsDocument, Store, WritePlan, WriteReceipt } from './store.ts';

/** @throws What a start of the node would fail with; DirectoryLockedError while it runs. */
export async function openNodeStore(context: CommandContext, directory: string): Promise<Store> {
  const { NodeRows: Rows } = await import('@kayadb/server');
  const rows = await Rows.open({ ...nodeOptions(context), directory, log: 'committed' });
  const { appliedIndex, reach } = rows;
  await warnOfOwner(context, directory);
  if (reach !== undefined && reach.lastIndex > appliedIndex && !context.globals.json) {
    const count = reach.lastIndex - appliedIndex;
    await context.output.note(
      `NOTE: rows as of entry ${appliedIndex}; ${count} later ${count === 1 ? 'entry is' : 'entries are'} in the log of this node and not known to be committed`,
    );
  }
  return new NodeStore(rows, directory);
}

/** Of a process that cannot be seen from here nobody knows whether it writes meanwhile. */
async function warnOfOwner({ io, globals, output }: CommandContext, directory: string): Promise<void> {
  const lock = await inspectDirectoryLock(io.fileSystem, directory, io.processes);
  if (lock.kind !== 'held' || globals.json) return;
  const { pid, host } = lock.owner;
  await output.note(
    `NOTE: process ${pid} on host ${host} has ${directory} open, or had it when it ended: if it still runs, ask it with --server in place of reading its files`,
  );
}

class NodeStore implements Store {
  readonly kind = 'embedded';
  readonly target: string;
  readonly #rows: NodeRows;

  constructor(rows: NodeRows, target: string) {
    this.#rows = rows;
    this.target = target;
  }

  get writePlan(): WritePlan {
    throw this.#refusal();
  }

  async put(): Promise<WriteReceipt | undefined> {
    throw this.#refusal();
  }

  async delete(): Promise<WriteReceipt | undefined> {
    throw this.#refusal();
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return (await this.#rows.get(key))?.value;
  }

  rows(options: RowsOptions): AsyncIterable<Row> {
    return this.#rows.scan(options);
  }

  async write(): Promise<void> {
    throw this.#refusal();
  }

  describeRefusal(): undefined {
    return undefined;
  }

  async health(): Promise<HealthReport> {
    throw this.#refusal();
  }

  async stats(): Promise<StatsDocument> {
    throw this.#refusal();
  }

  async flush(): Promise<void> {
    throw this.#refusal();
  }

  close(): Promise<void> {
    return this.#rows.close();
  }

  #refusal(): CliError {
    return new CliError('KAYA_USAGE', `the rows of ${this.target} can only be read: it is the directory of a node`, {
      hint: 'Start the node and talk to it with --server HOST:PORT.',
    });
  }
}
