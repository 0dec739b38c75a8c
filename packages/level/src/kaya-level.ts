/** The database: abstract-level's calls carried to the engine. A reader of the package starts here. */

import { type BatchOperation, type Engine, openEngine, type WriteOptions } from '@kayadb/engine';
import {
  type AbstractBatchOperation,
  type AbstractBatchOptions,
  type AbstractChainedBatch,
  type AbstractClearOptions,
  type AbstractDelOptions,
  AbstractLevel,
  type AbstractPutOptions,
  type Transcoder,
} from 'abstract-level';

import { clearRows } from './clear-rows.ts';
import { type Format, formatValue, type Formatted } from './formats.ts';
import { KayaChainedBatch } from './kaya-chained-batch.ts';
import { KayaIterator, KayaKeyIterator, KayaValueIterator } from './kaya-iterator.ts';
import { KayaSnapshot, type SnapshotOptions } from './kaya-snapshot.ts';
import { LevelError, toLevelError } from './level-error.ts';
import { type LevelKey, toEngineKey } from './level-key.ts';
import {
  type KayaLevelOptions,
  type KayaOpenOptions,
  type PrivateIteratorOptions,
  type PrivateRangeOptions,
  type PrivateReadOptions,
  type SyncOption,
  toKeyRange,
  toReadOptions,
  toWriteOptions,
} from './level-options.ts';

/** What this database can do, for programs that ask: https://github.com/Level/supports */
const MANIFEST = {
  encodings: { buffer: true, utf8: true, view: true },
  has: true,
  getSync: true,
  createIfMissing: true,
  errorIfExists: true,
  explicitSnapshots: true,
  signals: { iterators: true },
  additionalMethods: { approximateSize: true, compactRange: true },
} as const;

export interface RangeKeyOptions<K> {
  /** Encodes `start` and `end`; by default the database's. */
  readonly keyEncoding?: string | Transcoder.PartialEncoder<K> | undefined;
}

/** As the iterator's options; abstract-level asks for an operation in the shape of a private batch. */
interface PrivateOperation {
  readonly type: 'put' | 'del';
  readonly key: LevelKey;
  readonly value: LevelKey;
}

/** A chained batch takes `sync` when it is written. */
export interface KayaBatch<TDatabase, K, V> extends AbstractChainedBatch<TDatabase, K, V> {
  write(options?: SyncOption): Promise<void>;
}

/** The calls that write are abstract-level's own; only their types know one more option here. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging
export interface KayaLevel<K = string, V = string> {
  open(options?: KayaOpenOptions): Promise<void>;
  put(key: K, value: V): Promise<void>;
  put<T = K, U = V>(key: T, value: U, options: AbstractPutOptions<T, U> & SyncOption): Promise<void>;
  del(key: K): Promise<void>;
  del<T = K>(key: T, options: AbstractDelOptions<T> & SyncOption): Promise<void>;
  batch(): KayaBatch<this, K, V>;
  batch(operations: AbstractBatchOperation<this, K, V>[]): Promise<void>;
  batch<T = K, U = V>(
    operations: AbstractBatchOperation<this, T, U>[],
    options: AbstractBatchOptions<T, U> & SyncOption,
  ): Promise<void>;
  clear(): Promise<void>;
  clear<T = K>(options: AbstractClearOptions<T> & SyncOption): Promise<void>;
}

/**
 * A Level database whose data is a KayaDB store in a folder.
 *
 * Durability: a write is in the operating system's hands once its promise resolves, and on disk within about
 * `engine.intervalMs`; with `sync: true` it is on disk, with all before it. See `KayaLevelOptions.engine.durability`.
 * Bound: keys of 0 to 4,096 bytes (a key of zero bytes only: 4,095), values of 16 MiB, batches of 32 MiB; more is a RangeError.
 */
export class KayaLevel<K = string, V = string> extends AbstractLevel<string | Buffer | Uint8Array, K, V> {
  readonly #location: string;
  #engine: Engine | undefined;

  /**
   * Opens by itself in the next turn; operations wait for that.
   *
   * @param location - The store's folder, created when it is missing; the folder around it must be there.
   */
  constructor(location: string, options?: KayaLevelOptions<K, V>) {
    if (typeof location !== 'string' || location === '') {
      throw new TypeError("The first argument 'location' must be a non-empty string");
    }
    super(MANIFEST, options);
    this.#location = location;
  }

  /** As given to the constructor. */
  get location(): string {
    return this.#location;
  }

  /**
   * The open engine, for what Level has no calls for: statistics, backup, checkpoint, verification. Its keys are those of
   * the database, but for keys of zero bytes only, which have one more zero there. Writes to it are not announced here.
   *
   * @throws LevelError LEVEL_DATABASE_NOT_OPEN
   */
  get engine(): Engine {
    if (this.#engine === undefined) throw notOpen();
    return this.#engine;
  }

  /** Bytes on disk of the keys from `start` on, before `end`. What was written last may not be counted yet. */
  async approximateSize<T = K>(start: T, end: T, options?: RangeKeyOptions<T>): Promise<number> {
    requireRange(start, end);
    if (this.status === 'opening') return this.deferAsync(() => this.approximateSize(start, end, options));
    const range = this.#encodeRange(start, end, options);
    return this.engine.approximateSize(range).catch(rethrow);
  }

  /** Merges the keys from `start` on, before `end`, so that only what can be read is left of them on disk. */
  async compactRange<T = K>(start: T, end: T, options?: RangeKeyOptions<T>): Promise<void> {
    requireRange(start, end);
    if (this.status === 'opening') return this.deferAsync(() => this.compactRange(start, end, options));
    const range = this.#encodeRange(start, end, options);
    return this.engine.compact(range).catch(rethrow);
  }

  async _open(options: KayaOpenOptions): Promise<void> {
    const { createIfMissing = true, errorIfExists = false, engine: given = {} } = options;
    let created = false;
    const engine = await openEngine(this.#location, {
      ...given,
      // As with every Level database, a write is synced when it says so; but the rest follows soon.
      durability: given.durability ?? 'interval',
      log: 'own',
      createIfMissing,
      onEvent(event) {
        if (event.kind === 'opened') created = event.created;
        given.onEvent?.(event);
      },
    }).catch((error: unknown) => rethrowOpening(this.#location, error));
    if (errorIfExists && !created) {
      await engine.close();
      throw new LevelError('LEVEL_DATABASE_NOT_OPEN', `${this.#location} exists already (errorIfExists is true)`);
    }
    this.#engine = engine;
  }

  /** Everything is released even when it fails, so a second call succeeds. */
  async _close(): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    await engine?.close().catch(rethrow);
  }

  async _get(key: LevelKey, { valueEncoding, snapshot }: PrivateReadOptions): Promise<Formatted | undefined> {
    try {
      const value = await this.engine.get(toEngineKey(key), toReadOptions(snapshot));
      return value === undefined ? undefined : formatValue(value, valueEncoding);
    } catch (error) {
      throw toLevelError(error);
    }
  }

  _getSync(key: LevelKey, { valueEncoding, snapshot }: PrivateReadOptions): Formatted | undefined {
    try {
      const value = this.engine.getSync(toEngineKey(key), toReadOptions(snapshot));
      return value === undefined ? undefined : formatValue(value, valueEncoding);
    } catch (error) {
      throw toLevelError(error);
    }
  }

  async _getMany(
    keys: readonly LevelKey[],
    { valueEncoding, snapshot }: PrivateReadOptions,
  ): Promise<(Formatted | undefined)[]> {
    try {
      const values = await this.engine.getMany(keys.map(toEngineKey), toReadOptions(snapshot));
      if (valueEncoding === 'view') return values;
      return values.map((value) => (value === undefined ? undefined : formatValue(value, valueEncoding)));
    } catch (error) {
      throw toLevelError(error);
    }
  }

  async _has(key: LevelKey, { snapshot }: PrivateReadOptions): Promise<boolean> {
    return this.engine.has(toEngineKey(key), toReadOptions(snapshot)).catch(rethrow);
  }

  /** All in this turn, so that all see the same state. */
  async _hasMany(keys: readonly LevelKey[], { snapshot }: PrivateReadOptions): Promise<boolean[]> {
    const read = toReadOptions(snapshot);
    return Promise.all(keys.map((key) => this.engine.has(toEngineKey(key), read))).catch(rethrow);
  }

  async _put(key: LevelKey, value: LevelKey, options: SyncOption): Promise<void> {
    try {
      await this.engine.put(toEngineKey(key), value, toWriteOptions(options));
    } catch (error) {
      throw toLevelError(error);
    }
  }

  async _del(key: LevelKey, options: SyncOption): Promise<void> {
    try {
      await this.engine.delete(toEngineKey(key), toWriteOptions(options));
    } catch (error) {
      throw toLevelError(error);
    }
  }

  _batch(operations: readonly PrivateOperation[], options: SyncOption): Promise<void> {
    return this.#write(operations.map(toBatchOperation), toWriteOptions(options));
  }

  _chainedBatch(): KayaChainedBatch {
    return new KayaChainedBatch(this as KayaLevel<unknown, unknown>, (operations, options) =>
      this.#write(operations, toWriteOptions(options)),
    );
  }

  async _clear(options: PrivateRangeOptions & SyncOption): Promise<void> {
    const { engine } = this;
    const write = toWriteOptions(options);
    const read = toReadOptions(options.snapshot);
    try {
      if (options.limit < 0 && read === undefined) await engine.deleteRange(toKeyRange(options), write);
      else await clearRows(engine, options, read, write);
    } catch (error) {
      throw toLevelError(error);
    }
  }

  _iterator(options: PrivateIteratorOptions): KayaIterator {
    return new KayaIterator(this as KayaLevel<unknown, unknown>, this.engine, options);
  }

  _keys(options: PrivateIteratorOptions): KayaKeyIterator {
    return new KayaKeyIterator(this as KayaLevel<unknown, unknown>, this.engine, options);
  }

  _values(options: PrivateIteratorOptions): KayaValueIterator {
    return new KayaValueIterator(this as KayaLevel<unknown, unknown>, this.engine, options);
  }

  _snapshot(options: SnapshotOptions): KayaSnapshot {
    return new KayaSnapshot(this.engine.snapshot(), options);
  }

  async #write(operations: readonly BatchOperation[], options: WriteOptions | undefined): Promise<void> {
    try {
      await this.engine.batch(operations, options);
    } catch (error) {
      throw toLevelError(error);
    }
  }

  #encodeRange<T>(start: T, end: T, options: RangeKeyOptions<T> | undefined): { gte: LevelKey; lt: LevelKey } {
    if (this.status !== 'open') throw notOpen();
    // Whatever the encoding, what it makes is in one of the manifest's formats.
    const encoding = this.keyEncoding(options?.keyEncoding as Format) as { encode(key: unknown): LevelKey };
    return { gte: toEngineKey(encoding.encode(start)), lt: toEngineKey(encoding.encode(end)) };
  }
}

function toBatchOperation({ type, key, value }: PrivateOperation): BatchOperation {
  const engineKey = toEngineKey(key);
  return type === 'put' ? { kind: 'put', key: engineKey, value } : { kind: 'delete', key: engineKey };
}

function requireRange(start: unknown, end: unknown): void {
  if (start === undefined || end === undefined) {
    throw new TypeError("The arguments 'start' and 'end' are required");
  }
}

function notOpen(): LevelError {
  return new LevelError('LEVEL_DATABASE_NOT_OPEN', 'Database is not open');
}

function rethrow(error: unknown): never {
  throw toLevelError(error);
}

/** The words are those that abstract-level's suite, and so perhaps programs, look for. */
function rethrowOpening(location: string, error: unknown): never {
  if (error instanceof Error && 'code' in error && error.code === 'KAYA_STORE_MISSING') {
    const message = `${location} does not exist (createIfMissing is false)`;
    throw new LevelError('LEVEL_DATABASE_NOT_OPEN', message, { cause: error });
  }
  throw toLevelError(error);
}
