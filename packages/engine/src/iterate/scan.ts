/** The public scan: rows of one state of the store, pulled one by one, with limit and abort. */

import { EngineError } from '../errors.ts';
import type { KeyValue } from '../types.ts';
import type { VisibleCursor } from './visible-cursor.ts';

export interface ScanHooks {
  /** Called once, when the scan ends in whatever way. */
  readonly onEnd: (scan: Scan) => void;
  readonly limit: number;
  readonly signal?: AbortSignal;
}

export class Scan implements AsyncIterableIterator<KeyValue> {
  readonly #cursor: VisibleCursor;
  readonly #hooks: ScanHooks;
  #remaining: number;
  #ended = false;
  #failure: Error | undefined;
  /** Calls are served one after another: a cursor takes one request at a time. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(cursor: VisibleCursor, hooks: ScanHooks) {
    this.#cursor = cursor;
    this.#hooks = hooks;
    this.#remaining = hooks.limit;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<KeyValue, undefined>> {
    const result = this.#tail.then(() => this.#advance());
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Leaves the scan; what it held is released. */
  return(): Promise<IteratorResult<KeyValue, undefined>> {
    const result = this.#tail.then(() => this.#end());
    this.#tail = result;
    return result;
  }

  /** Ends the scan from outside: the next row asked for fails with `failure`. Resolves when nothing is held any more. */
  async fail(failure: Error): Promise<void> {
    if (!this.#ended) this.#failure = failure;
    await this.return();
  }

  async #advance(): Promise<IteratorResult<KeyValue, undefined>> {
    if (this.#hooks.signal?.aborted === true && !this.#ended) {
      this.#end();
      throw new EngineError('KAYA_ABORTED', 'the scan was aborted by its signal', { cause: this.#hooks.signal.reason });
    }
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      throw failure;
    }
    if (this.#ended || this.#remaining <= 0) return this.#end();
    try {
      const row = await this.#cursor.next();
      if (row === undefined) return this.#end();
      this.#remaining--;
      return { done: false, value: row };
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  #end(): IteratorResult<KeyValue, undefined> {
    if (!this.#ended) {
      this.#ended = true;
      this.#cursor.close();
      this.#hooks.onEnd(this);
    }
    return { done: true, value: undefined };
  }
}
