/** A chained batch: operations collected one call at a time, written as one. */

import type { BatchOperation } from '@kayadb/engine';
import { AbstractChainedBatch } from 'abstract-level';

import type { KayaLevel } from './kaya-level.ts';
import { copyKey, type LevelKey, toEngineKey } from './level-key.ts';
import type { SyncOption } from './level-options.ts';

type Write = (operations: readonly BatchOperation[], options: SyncOption) => Promise<void>;

export class KayaChainedBatch extends AbstractChainedBatch<KayaLevel<unknown, unknown>, unknown, unknown> {
  readonly #writeAll: Write;
  #operations: BatchOperation[] = [];

  constructor(db: KayaLevel<unknown, unknown>, writeAll: Write) {
    super(db);
    this.#writeAll = writeAll;
  }

  /** Copies: the caller may use its arrays again before the batch is written. */
  _put(key: LevelKey, value: LevelKey): void {
    this.#operations.push({ kind: 'put', key: copyKey(toEngineKey(key)), value: copyKey(value) });
  }

  _del(key: LevelKey): void {
    this.#operations.push({ kind: 'delete', key: copyKey(toEngineKey(key)) });
  }

  _clear(): void {
    this.#operations = [];
  }

  _write(options: SyncOption): Promise<void> {
    return this.#writeAll(this.#operations, options);
  }

  async _close(): Promise<void> {
    this.#operations = [];
  }
}
