/** The public scan: rows of one state of the store, pulled one by one or in batches, with limits and abort. */

import { copyBytes, toBytes } from '@kayadb/codec';

import { EngineError } from '../errors.ts';
import type { BytesLike, Scan } from '../types.ts';
import type { MaybePromise } from './cursor.ts';
import { RowBatch } from './row-batch.ts';
import type { DecodeRows, Wanted } from './row-decoder.ts';
import type { RowProducer } from './row-producer.ts';

/** Rows made at a time for `next()`: few at first, since many scans are short. */
const FIRST_ROWS_AHEAD = 4;
const MAX_ROWS_AHEAD = 256;

export interface StoreScanParts {
  readonly producer: RowProducer;
  readonly want: Wanted;
  readonly decode: DecodeRows;
  readonly limit: number;
  readonly limitBytes: number;
  readonly signal: AbortSignal | undefined;
  /** Called once, when nothing is held any more. */
  readonly onEnd: () => void;
}

type Result<Item> = IteratorResult<Item, undefined>;

export class StoreScan<Item> implements Scan<Item> {
  readonly #parts: StoreScanParts;
  /** Rows made but not handed out yet: `#items` from `#at` on. */
  #items: readonly Item[] = [];
  #sizes: readonly number[] = [];
  #at = 0;
  #rowsAhead = FIRST_ROWS_AHEAD;
  /** What may still be made, and what was, without rows that a seek dropped. */
  #rowsLeft: number;
  #bytesMade = 0;
  #rowsMade = 0;
  /** What the next pull fails with. */
  #failure: Error | undefined;
  #isEnded = false;
  /** Under way when what the scan held was still in use at its end. */
  #ending: Promise<undefined> | undefined;
  /** The last call under way: calls are served one after another. */
  #tail: Promise<unknown> | undefined;
  readonly #onAbort = (): void => {
    this.fail(abortError(this.#parts.signal!)).catch(() => undefined);
  };

  /** Not for users: see `openScan`. */
  constructor(parts: StoreScanParts) {
    this.#parts = parts;
    this.#rowsLeft = parts.limit;
    parts.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result<Item>> {
    // Rows at hand are the common case: no queue, no async function.
    if (this.#tail === undefined && this.#at < this.#items.length) {
      return Promise.resolve({ done: false, value: this.#items[this.#at++]! });
    }
    return this.#enqueue(() => this.#pullOne());
  }

  nextBatch(maxRows: number): Promise<Item[]> {
    if (!Number.isInteger(maxRows) || maxRows < 1) {
      return Promise.reject(new RangeError(`nextBatch: maxRows must be a whole number from 1, not ${String(maxRows)}`));
    }
    return this.#enqueue(() => this.#pullBatch(maxRows));
  }

  seek(key: BytesLike): void {
    if (typeof key !== 'string' && !(key instanceof Uint8Array)) {
      throw new TypeError('seek: key must be a Uint8Array or a string');
    }
    const target = copyBytes(toBytes(key));
    this.#enqueue(() => this.#seekTo(target)).catch(() => undefined);
  }

  /** Leaves the scan; what it held is released. */
  return(): Promise<Result<Item>> {
    return this.#enqueue(() => this.#finish());
  }

  /** Ends the scan from outside: the next pull fails with `failure`, once. Resolves when nothing is held any more. */
  async fail(failure: Error): Promise<void> {
    if (!this.#isEnded) this.#failure ??= failure;
    await this.#enqueue(() => this.#end());
  }

  #enqueue<T>(call: () => T | Promise<T>): Promise<T> {
    if (this.#tail !== undefined) return this.#queueBehind(this.#tail.then(call));
    try {
      const result = call();
      return result instanceof Promise ? this.#queueBehind(result) : Promise.resolve(result);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #queueBehind<T>(result: Promise<T>): Promise<T> {
    const clear = (): void => {
      if (this.#tail === tail) this.#tail = undefined;
    };
    const tail = result.then(clear, clear);
    this.#tail = tail;
    return result;
  }

  #pullOne(): Result<Item> | Promise<Result<Item>> {
    if (this.#at < this.#items.length) return { done: false, value: this.#items[this.#at++]! };
    const batch = this.#pull(this.#rowsAhead);
    this.#rowsAhead = Math.min(2 * this.#rowsAhead, MAX_ROWS_AHEAD);
    return batch instanceof Promise ? batch.then((later) => this.#firstOf(later)) : this.#firstOf(batch);
  }

  #firstOf(batch: RowBatch<Item> | undefined): Result<Item> {
    if (batch === undefined) return { done: true, value: undefined };
    this.#items = batch.items;
    this.#sizes = batch.sizes;
    this.#at = 1;
    return { done: false, value: batch.items[0]! };
  }

  #pullBatch(maxRows: number): Item[] | Promise<Item[]> {
    if (this.#at < this.#items.length) {
      const end = Math.min(this.#at + maxRows, this.#items.length);
      const items = this.#items.slice(this.#at, end);
      this.#at = end;
      return items;
    }
    const batch = this.#pull(maxRows);
    return batch instanceof Promise ? batch.then((later) => later?.items ?? []) : (batch?.items ?? []);
  }

  /** @returns At least one row; `undefined` at the end, when nothing is held any more. */
  #pull(maxRows: number): RowBatch<Item> | undefined | Promise<RowBatch<Item> | undefined> {
    const { producer, want, decode, limitBytes, signal } = this.#parts;
    if (signal?.aborted === true && !this.#isEnded) this.#failure ??= abortError(signal);
    if (this.#failure !== undefined) return this.#throwFailure();
    const isAtLimit = this.#rowsLeft < 1 || (this.#rowsMade > 0 && this.#bytesMade >= limitBytes);
    if (this.#isEnded || isAtLimit) return this.#end();
    const batch = new RowBatch<Item>({
      maxRows: Math.min(maxRows, this.#rowsLeft),
      maxBytes: limitBytes - this.#bytesMade,
      want,
      decode,
    });
    const waiting = producer.fillBatch(batch);
    if (batch.items.length > 0) return this.#count(batch);
    return waiting === undefined ? this.#end() : this.#pullLater(batch, waiting);
  }

  async #pullLater(batch: RowBatch<Item>, first: Promise<void>): Promise<RowBatch<Item> | undefined> {
    try {
      for (let waiting: MaybePromise = first; waiting !== undefined;) {
        await waiting;
        if (this.#failure !== undefined) return await this.#throwFailure();
        waiting = this.#parts.producer.fillBatch(batch);
        if (batch.items.length > 0) return this.#count(batch);
      }
    } catch (error) {
      await this.#end();
      throw error;
    }
    return this.#end();
  }

  #count(batch: RowBatch<Item>): RowBatch<Item> {
    this.#rowsMade += batch.items.length;
    this.#rowsLeft -= batch.items.length;
    this.#bytesMade += batch.totalBytes;
    return batch;
  }

  /** Rows that were made and not handed out count for nothing. */
  #seekTo(target: Uint8Array): void {
    if (this.#isEnded) return;
    const dropped = this.#items.length - this.#at;
    this.#rowsMade -= dropped;
    this.#rowsLeft += dropped;
    for (const size of this.#sizes.slice(this.#at)) this.#bytesMade -= size;
    this.#dropRows();
    this.#rowsAhead = FIRST_ROWS_AHEAD;
    this.#parts.producer.seek(target);
  }

  #throwFailure(): undefined | Promise<undefined> {
    const failure = this.#failure!;
    this.#failure = undefined;
    const ending = this.#end();
    if (ending === undefined) throw failure;
    return ending.then(() => {
      throw failure;
    });
  }

  /** Releases what the scan holds. @returns Something to wait for while that is still in use. */
  #end(): undefined | Promise<undefined> {
    if (this.#isEnded) return this.#ending;
    this.#isEnded = true;
    this.#dropRows();
    const { producer, signal, onEnd } = this.#parts;
    signal?.removeEventListener('abort', this.#onAbort);
    this.#ending = producer.close()?.then(() => {
      this.#ending = undefined;
      onEnd();
      return undefined;
    });
    if (this.#ending === undefined) onEnd();
    return this.#ending;
  }

  #finish(): Result<Item> | Promise<Result<Item>> {
    const ending = this.#end();
    const result: Result<Item> = { done: true, value: undefined };
    return ending === undefined ? result : ending.then(() => result);
  }

  #dropRows(): void {
    this.#items = [];
    this.#sizes = [];
    this.#at = 0;
  }
}

function abortError(signal: AbortSignal): EngineError {
  return new EngineError('KAYA_ABORTED', 'the scan was aborted by its signal', { cause: signal.reason });
}
