/** The public face of a store: checks arguments and lifecycle, then delegates. A reader of the engine starts here. */

import { copyBytes } from '@kayadb/codec';

import { EngineError } from './errors.ts';
import { normaliseBounds } from './iterate/range.ts';
import { Scan } from './iterate/scan.ts';
import { VisibleCursor } from './iterate/visible-cursor.ts';
import type { SequenceNumber } from './key/internal-key.ts';
import { checkKey, WriteBatch } from './key/write-batch.ts';
import { checkChoice } from './options.ts';
import { runAll } from './run-all.ts';
import { collectStats } from './stats.ts';
import type { RecoveryFigures } from './stats.ts';
import type { Store } from './store.ts';
import { Turn } from './turn.ts';
import type {
  BatchOperation,
  BytesLike,
  Engine,
  EngineStats,
  KeyValue,
  ReadOptions,
  ScanOptions,
  Snapshot,
  WriteOptions,
  WriteResult,
} from './types.ts';

export class KayaEngine implements Engine {
  readonly directory: string;
  readonly #store: Store;
  readonly #recovery: RecoveryFigures;
  readonly #releaseLock: () => Promise<void>;
  readonly #scans = new Set<Scan>();
  readonly #gets = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  /** Not for users: see `openEngine`. */
  constructor(store: Store, recovery: RecoveryFigures, releaseLock: () => Promise<void>) {
    this.directory = store.parts.directory;
    this.#store = store;
    this.#recovery = recovery;
    this.#releaseLock = releaseLock;
  }

  async put(key: BytesLike, value: BytesLike, options?: WriteOptions): Promise<WriteResult> {
    return this.#write(new WriteBatch().put(key, value), 1, options);
  }

  async delete(key: BytesLike, options?: WriteOptions): Promise<WriteResult> {
    return this.#write(new WriteBatch().delete(key), 0, options);
  }

  async batch(operations: readonly BatchOperation[], options?: WriteOptions): Promise<WriteResult> {
    if (!Array.isArray(operations)) throw new TypeError('batch: operations must be an array');
    const batch = new WriteBatch();
    for (const operation of operations as readonly BatchOperation[]) addOperation(batch, operation);
    const putCount = operations.filter(({ kind }) => kind === 'put').length;
    return this.#write(batch, putCount, options);
  }

  async get(key: BytesLike, options?: ReadOptions): Promise<Uint8Array | undefined> {
    this.#checkOpen();
    const wanted = copyBytes(checkKey(key));
    const stop = this.#store.parts.counters.start(this.#store.parts.counters.gets);
    const found = this.#store.get(wanted, this.#sequenceFor(options));
    if (!(found instanceof Promise)) {
      stop();
      return found;
    }
    this.#gets.add(found);
    try {
      return await found;
    } finally {
      this.#gets.delete(found);
      stop();
    }
  }

  scan(options: ScanOptions = {}): AsyncIterableIterator<KeyValue> {
    this.#checkOpen();
    const { limit = Number.POSITIVE_INFINITY, signal } = options;
    if (limit !== Number.POSITIVE_INFINITY && (!Number.isInteger(limit) || limit < 0)) {
      throw new RangeError(`scan: limit must be a whole number, not negative, not ${String(limit)}`);
    }
    const bounds = normaliseBounds(options);
    const sequence = this.#sequenceFor(options);
    const direction = options.reverse === true ? 'reverse' : 'forward';
    const { counters, resources } = this.#store.parts;
    const stop = counters.start(counters.scans);
    const turn = new Turn(resources);
    const source = this.#store.openCursor(direction);
    const scan = new Scan(new VisibleCursor(source, sequence, bounds, direction, turn), {
      limit,
      ...(signal && { signal }),
      onEnd: (ended) => {
        this.#scans.delete(ended);
        stop();
      },
    });
    this.#scans.add(scan);
    return scan;
  }

  snapshot(): Snapshot {
    this.#checkOpen();
    return this.#store.snapshots.take(this.#store.lastSequence);
  }

  async flush(): Promise<void> {
    this.#checkOpen();
    this.#store.parts.poison.check();
    await this.#store.flush();
  }

  stats(): EngineStats {
    return collectStats(this.#store, this.#recovery);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.all(Array.from(this.#scans, (scan) => scan.fail(closedError(this.directory))));
    await Promise.allSettled(this.#gets);
    await runAll(`closing ${this.directory}`, [() => this.#store.close(), () => this.#releaseLock()]);
  }

  async #write(batch: WriteBatch, putCount: number, options: WriteOptions | undefined): Promise<WriteResult> {
    this.#checkOpen();
    const durability = checkChoice('durability', options?.durability ?? this.#store.parts.options.durability);
    const result = await this.#store.write(batch, durability);
    this.#store.parts.counters.puts += putCount;
    this.#store.parts.counters.deletes += batch.count - putCount;
    return result;
  }

  #sequenceFor(options: ReadOptions | undefined): SequenceNumber {
    return options?.snapshot === undefined
      ? this.#store.lastSequence
      : this.#store.snapshots.sequenceOf(options.snapshot);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw closedError(this.directory);
  }
}

function addOperation(batch: WriteBatch, operation: BatchOperation): void {
  switch (operation?.kind) {
    case 'put':
      batch.put(operation.key, operation.value);
      break;
    case 'delete':
      batch.delete(operation.key);
      break;
    default:
      throw new TypeError(
        `batch: an operation's kind must be put or delete, not ${String((operation as { kind?: unknown } | undefined)?.kind)}`,
      );
  }
}

function closedError(directory: string): EngineError {
  return new EngineError('KAYA_ENGINE_CLOSED', `the store in ${directory} is closed; open it again to use it`);
}
