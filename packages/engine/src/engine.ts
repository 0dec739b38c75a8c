/** The public face of a store: checks arguments and lifecycle, then delegates. A reader of the engine starts here. */

import { copyBytes } from '@kayadb/codec';

import { backup } from './backup/backup.ts';
import { addOperation, checkConditions, checkReadOptions, checkScanOptions, closedError } from './engine-input.ts';
import { openScan, type StoreScan } from './iterate/open-scan.ts';
import { normaliseBounds } from './iterate/range.ts';
import type { SequenceNumber } from './key/internal-key.ts';
import { checkKey, WriteBatch } from './key/write-batch.ts';
import { limitsOf, type WriteLimits } from './limits.ts';
import { checkChoice } from './options.ts';
import { resolveKeySpan } from './range-delete/key-span.ts';
import { runAll } from './run-all.ts';
import { checkpoint } from './snapshot/checkpoint.ts';
import type { StoreImage } from './snapshot/store-image.ts';
import { verifyStore } from './snapshot/verify-store.ts';
import { collectStats, type RecoveryFigures } from './stats.ts';
import type { Store } from './store.ts';
import type {
  BackupOptions,
  BatchOperation,
  BytesLike,
  CheckpointInfo,
  CompareResult,
  Condition,
  Decoded,
  Durability,
  Encoding,
  Engine,
  EngineStats,
  KeyRange,
  ReadOptions,
  Row,
  Scan,
  ScanOptions,
  Snapshot,
  VerifyOptions,
  VerifyReport,
  WriteOptions,
  WriteResult,
} from './types.ts';

export class KayaEngine implements Engine {
  readonly directory: string;
  readonly #store: Store;
  readonly #limits: WriteLimits;
  readonly #recovery: RecoveryFigures;
  readonly #releaseLock: () => Promise<void>;
  readonly #scans = new Set<StoreScan<unknown>>();
  /** Reads and long tasks under way; closing waits for them. */
  readonly #tasks = new Set<Promise<unknown>>();
  /** Ends long tasks when the store closes. */
  readonly #abort = new AbortController();
  #closing: Promise<void> | undefined;

  /** Not for users: see `openEngine`. */
  constructor(store: Store, recovery: RecoveryFigures, releaseLock: () => Promise<void>) {
    this.directory = store.parts.directory;
    this.#store = store;
    this.#limits = limitsOf(store.parts.options.log);
    this.#recovery = recovery;
    this.#releaseLock = releaseLock;
  }

  get durableIndex(): number | undefined {
    return this.#store.parts.versions.durableIndex;
  }

  put(key: BytesLike, value: BytesLike, options?: WriteOptions): Promise<WriteResult> {
    try {
      this.#checkOpen();
      if (this.#store.space.refusesPuts) throw this.#store.space.refusal();
      if (this.#needsIndex(options)) return this.#write(new WriteBatch(this.#limits).put(key, value), 1, options);
      const written = this.#store.put(key, value, this.#durabilityOf(options));
      this.#store.parts.counters.puts++;
      return written;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  delete(key: BytesLike, options?: WriteOptions): Promise<WriteResult> {
    try {
      this.#checkOpen();
      if (this.#needsIndex(options)) return this.#write(new WriteBatch(this.#limits).delete(key), 0, options);
      const written = this.#store.delete(key, this.#durabilityOf(options));
      this.#store.parts.counters.deletes++;
      return written;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async deleteRange(range: KeyRange, options?: WriteOptions): Promise<WriteResult> {
    return this.batch([{ kind: 'delete-range', range }], options);
  }

  async batch(operations: readonly BatchOperation[], options?: WriteOptions): Promise<WriteResult> {
    const batch = this.#store.takeBatch();
    const putCount = encodeBatch('batch', batch, operations);
    return this.#write(batch, putCount, options);
  }

  async compareAndBatch(
    conditions: readonly Condition[],
    operations: readonly BatchOperation[],
    options?: WriteOptions,
  ): Promise<CompareResult> {
    const expected = checkConditions(conditions, this.#limits);
    const batch = new WriteBatch(this.#limits);
    const putCount = encodeBatch('compareAndBatch', batch, operations);
    this.#checkOpen();
    this.#checkRoom(putCount);
    const outcome = await this.#store.writeIf(expected, batch, this.#durabilityOf(options), this.#indexOf(options));
    if (outcome.applied) this.#count(batch, putCount);
    return outcome;
  }

  get(key: BytesLike, options?: ReadOptions): Promise<Uint8Array | undefined> {
    try {
      this.#checkOpen();
      this.#store.parts.counters.gets.count++;
      // The read may wait for the disk, and the caller's array may change meanwhile.
      const found = this.#store.reads.get(copyBytes(checkKey(key, this.#limits)), this.#sequenceFor(options));
      return found instanceof Promise ? this.#timed(found) : Promise.resolve(found);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  getSync(key: BytesLike, options?: ReadOptions): Uint8Array | undefined {
    this.#checkOpen();
    this.#store.parts.counters.gets.count++;
    return this.#store.reads.getSync(checkKey(key, this.#limits), this.#sequenceFor(options));
  }

  async getMany(keys: readonly BytesLike[], options?: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    this.#checkOpen();
    if (!Array.isArray(keys)) throw new TypeError('getMany: keys must be an array');
    const wanted = (keys as readonly BytesLike[]).map((key) => copyBytes(checkKey(key, this.#limits)));
    this.#store.parts.counters.gets.count += wanted.length;
    return this.#track(this.#store.reads.getMany(wanted, this.#sequenceFor(options)));
  }

  async has(key: BytesLike, options?: ReadOptions): Promise<boolean> {
    this.#checkOpen();
    this.#store.parts.counters.gets.count++;
    const found = this.#store.reads.has(copyBytes(checkKey(key, this.#limits)), this.#sequenceFor(options));
    return found instanceof Promise ? this.#timed(found) : found;
  }

  scan<KeyEncoding extends Encoding = 'bytes', ValueEncoding extends Encoding = 'bytes'>(
    options: ScanOptions<KeyEncoding, ValueEncoding> = {},
  ): Scan<Row<KeyEncoding, ValueEncoding>> {
    return this.#openScan('scan', 'rows', options);
  }

  keys<KeyEncoding extends Encoding = 'bytes'>(options: ScanOptions<KeyEncoding> = {}): Scan<Decoded[KeyEncoding]> {
    return this.#openScan('keys', 'keys', options);
  }

  values<ValueEncoding extends Encoding = 'bytes'>(
    options: ScanOptions<'bytes', ValueEncoding> = {},
  ): Scan<Decoded[ValueEncoding]> {
    return this.#openScan('values', 'values', options);
  }

  snapshot(): Snapshot {
    this.#checkOpen();
    return this.#store.snapshots.take(this.#store.lastSequence);
  }

  async flush(): Promise<void> {
    this.#checkOpen();
    this.#store.parts.poison.check();
    await this.#track(this.#store.flush());
  }

  async compact(range: KeyRange = {}): Promise<void> {
    this.#checkOpen();
    const span = resolveKeySpan(range);
    this.#store.parts.poison.check();
    if (span !== undefined) await this.#track(this.#store.compact(span));
  }

  async approximateSize(range: KeyRange): Promise<number> {
    this.#checkOpen();
    const span = resolveKeySpan(range);
    return span === undefined ? 0 : this.#track(this.#store.reads.approximateBytes(span));
  }

  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    this.#checkOpen();
    return this.#track(verifyStore(this.#store.parts, { ...options, signal: this.#signalWith(options.signal) }));
  }

  async checkpoint(directory: string): Promise<CheckpointInfo> {
    this.#checkDirectory('checkpoint', directory);
    return this.#track(this.#flushed((image) => checkpoint(this.#store.parts, directory, image)));
  }

  async backup(directory: string, options: BackupOptions = {}): Promise<CheckpointInfo> {
    this.#checkDirectory('backup', directory);
    const signal = this.#signalWith(options.signal);
    return this.#track(this.#flushed((image) => backup(this.#store.parts, directory, { ...options, signal }, image)));
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
    const closed = closedError(this.directory);
    this.#abort.abort(closed);
    await Promise.all(Array.from(this.#scans, (scan) => scan.fail(closed)));
    await Promise.allSettled(this.#tasks);
    await runAll(`closing ${this.directory}`, [() => this.#store.close(), () => this.#releaseLock()]);
  }

  #write(batch: WriteBatch, putCount: number, options: WriteOptions | undefined): Promise<WriteResult> {
    this.#checkOpen();
    this.#checkRoom(putCount);
    // What is refused must not use an index up.
    const durability = this.#durabilityOf(options);
    const written = this.#store.write(batch, durability, this.#indexOf(options));
    this.#count(batch, putCount);
    return written;
  }

  /** Deletes take little room, and make some. */
  #checkRoom(putCount: number): void {
    const { space } = this.#store;
    if (putCount > 0 && space.refusesPuts) throw space.refusal();
  }

  #count(batch: WriteBatch, putCount: number): void {
    const { counters } = this.#store.parts;
    counters.puts += putCount;
    counters.deletes += batch.count - putCount;
  }

  #openScan<Item>(
    name: string,
    want: 'rows' | 'keys' | 'values',
    options: ScanOptions<Encoding, Encoding>,
  ): StoreScan<Item> {
    this.#checkOpen();
    checkScanOptions(name, options);
    const { counters } = this.#store.parts;
    const bounds = normaliseBounds(options);
    const stop = counters.start(counters.scans);
    const scan: StoreScan<Item> = openScan(this.#store.scanParts, {
      want,
      bounds,
      sequence: this.#sequenceFor(options),
      direction: options.reverse === true ? 'reverse' : 'forward',
      limit: options.limit ?? Number.POSITIVE_INFINITY,
      limitBytes: options.limitBytes ?? Number.POSITIVE_INFINITY,
      keyEncoding: options.keyEncoding ?? 'bytes',
      valueEncoding: options.valueEncoding ?? 'bytes',
      ...(options.signal && { signal: options.signal }),
      onEnd: () => {
        this.#scans.delete(scan);
        stop();
      },
    });
    this.#scans.add(scan);
    return scan;
  }

  /** @param task - Gets the state of the store as it is within this call. */
  async #flushed<T>(task: (image: StoreImage) => Promise<T>): Promise<T> {
    this.#store.parts.poison.check();
    return task(await this.#store.flushedImage());
  }

  #durabilityOf(options: WriteOptions | undefined): Durability {
    const { durability, log } = this.#store.parts.options;
    const asked = options?.durability;
    if (asked === undefined) return durability;
    checkChoice('durability', asked);
    if (log === 'external' && asked !== 'relaxed') {
      throw new RangeError(`durability ${asked} needs a log of the engine's own; with log external it is relaxed`);
    }
    return asked;
  }

  /** Whether a write's place in an external log is to be checked and kept. */
  #needsIndex(options: WriteOptions | undefined): boolean {
    return options?.appliedIndex !== undefined || this.#store.parts.options.log === 'external';
  }

  #indexOf(options: WriteOptions | undefined): number | undefined {
    return this.#store.nextAppliedIndex(options?.appliedIndex);
  }

  #sequenceFor(options: ReadOptions | undefined): SequenceNumber {
    const snapshot = options?.snapshot;
    if (snapshot !== undefined) return this.#store.snapshots.sequenceOf(snapshot);
    if (options !== undefined) checkReadOptions(options);
    return this.#store.lastSequence;
  }

  /** A read that has to wait for the disk. */
  #timed<T>(reading: Promise<T>): Promise<T> {
    const { counters } = this.#store.parts;
    const stop = counters.start(counters.coldGets);
    return this.#track(reading.finally(stop));
  }

  async #track<T>(task: Promise<T>): Promise<T> {
    this.#tasks.add(task);
    try {
      return await task;
    } finally {
      this.#tasks.delete(task);
    }
  }

  #signalWith(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#abort.signal : AbortSignal.any([this.#abort.signal, signal]);
  }

  #checkDirectory(name: string, directory: string): void {
    this.#checkOpen();
    if (typeof directory !== 'string' || directory === '') throw new TypeError(`${name}: directory must be a path`);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw closedError(this.directory);
  }
}

/** @returns How many of the operations are puts. */
function encodeBatch(name: string, batch: WriteBatch, operations: readonly BatchOperation[]): number {
  if (!Array.isArray(operations)) throw new TypeError(`${name}: operations must be an array`);
  let putCount = 0;
  for (const operation of operations as readonly BatchOperation[]) {
    addOperation(name, batch, operation);
    if (operation.kind === 'put') putCount++;
  }
  return putCount;
}
