/** A store that this process opens itself, under the directory's lock. */

import { resolve } from 'node:path';

import type { Durability, Engine, EngineEvent } from '@kayadb/engine';

import type { CommandContext } from '../invocation.ts';
import { refuseNodeFolder } from '../node/node-folder.ts';
import { engineStatsDocument } from './engine-stats-document.ts';
import type { EngineReceipt, HealthReport, Row, RowsOptions, StatsDocument, Store, WritePlan } from './store.ts';

/** One batch is one fsync in mode `strict`; a few in flight let the next be gathered meanwhile. */
const BATCH_BYTES = 256 * 1024;
const BATCH_RECORDS = 4096;
const BATCHES_IN_FLIGHT = 4;
/** One record may be as large as a value may be. */
const BYTES_IN_FLIGHT = 32 * 1024 * 1024;

export interface OpenEmbeddedOptions {
  /** Whether a new store may be made where there is none. */
  readonly create: boolean;
}

/** @throws CorruptionError, DirectoryLockedError, EngineError KAYA_STORE_MISSING, FileSystemError. */
export async function openEmbeddedStore(context: CommandContext, options: OpenEmbeddedOptions): Promise<Store> {
  const engine = await openEmbeddedEngine(context, options);
  const { data, durability = 'strict' } = context.globals;
  return new EmbeddedStore(engine, resolve(data), durability);
}

/** The engine itself, for commands that no server answers. Errors as `openEmbeddedStore`. */
export async function openEmbeddedEngine(context: CommandContext, options: OpenEmbeddedOptions): Promise<Engine> {
  const { io, globals } = context;
  await refuseNodeFolder(context, resolve(globals.data));
  const { data, durability = 'strict' } = globals;
  const { openEngine } = await import('@kayadb/engine');
  return await openEngine(data, {
    createIfMissing: options.create,
    durability,
    fileSystem: io.fileSystem,
    processes: io.processes,
    clock: io.clock,
    onEvent: (event) => tell({ io, globals }, event),
  });
}

/** What a person should know before trusting the result; the rest is of no interest to a command that ends at once. */
function tell({ io, globals }: Pick<CommandContext, 'io' | 'globals'>, event: EngineEvent): void {
  if (globals.json) return;
  if (event.kind === 'warning') io.stderr.write(`NOTE: ${event.message}\n`);
  if (event.kind === 'stale-lock-taken') io.stderr.write(`NOTE: the store was not closed by ${event.owner}\n`);
  if (event.kind === 'torn-tail') {
    io.stderr.write(
      `NOTE: left out ${event.bytes} bytes at offset ${event.offset} of ${event.file}: the end of the log does not verify, ` +
        'and nothing behind it says that it was ever durable\n',
    );
  }
}

class EmbeddedStore implements Store {
  readonly kind = 'embedded';
  readonly target: string;
  readonly writePlan: WritePlan;
  readonly #engine: Engine;

  constructor(engine: Engine, target: string, durability: Durability) {
    this.#engine = engine;
    this.target = target;
    this.writePlan = {
      maxUnitRecords: BATCH_RECORDS,
      maxUnitBytes: BATCH_BYTES,
      maxUnitsInFlight: BATCHES_IN_FLIGHT,
      maxBytesInFlight: BYTES_IN_FLIGHT,
      ordered: true,
      acknowledgedIsDurable: durability === 'strict',
    };
  }

  put(key: Uint8Array, value: Uint8Array): Promise<EngineReceipt> {
    return this.#engine.put(key, value);
  }

  delete(key: Uint8Array): Promise<EngineReceipt> {
    return this.#engine.delete(key);
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#engine.get(key);
  }

  rows(options: RowsOptions): AsyncIterable<Row> {
    return this.#engine.scan(options);
  }

  async write(rows: readonly Row[], durability?: Durability): Promise<void> {
    const operations = rows.map(({ key, value }) => ({ kind: 'put', key, value }) as const);
    await this.#engine.batch(operations, durability === undefined ? {} : { durability });
  }

  /** Rows are checked before they are written, so whatever the engine says is a failure. */
  describeRefusal(): undefined {
    return undefined;
  }

  health(): Promise<HealthReport> {
    // Opening it has replayed the log and found every table: that is the answer.
    return Promise.resolve({ role: 'embedded' });
  }

  stats(): Promise<StatsDocument> {
    return Promise.resolve(engineStatsDocument(this.#engine.stats()));
  }

  flush(): Promise<void> {
    return this.#engine.flush();
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}
