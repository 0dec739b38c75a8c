/** The rows that one pull hands out, in the making. Bounded by rows and by bytes. */

import { type BlockRows, keyBytesAt, valueBytesAt } from '../sstable/block-rows.ts';
import { BatchBuffer } from './batch-buffer.ts';
import type { DecodeRows, PickedRows, Wanted } from './row-decoder.ts';
import type { RowSink } from './visible-rows.ts';

/** Bound: a batch ends behind the row with which it reaches this size. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const MAX_PICKED = 1024;
/** Rows picked since the last `flush`: of one batch only, since making one is not interrupted before. */
const picked = new Uint32Array(MAX_PICKED);

export interface RowBatchOptions {
  /** At least 1. */
  readonly maxRows: number;
  /** The batch ends behind the row with which it reaches this many bytes of wanted parts. At least 1. */
  readonly maxBytes: number;
  readonly want: Wanted;
  readonly decode: DecodeRows;
}

export class RowBatch<Item> implements RowSink, PickedRows {
  readonly items: Item[] = [];
  /** Bytes of each item's wanted parts. Kept only if `maxBytes` is finite, otherwise empty. */
  readonly sizes: number[] = [];
  isFull = false;
  /** Of the rows that are picked but not decoded yet; see `PickedRows`. */
  rows!: BlockRows;
  readonly at: Uint32Array = picked;
  count = 0;
  bytes = 0;
  rowsLeft: number;
  /** Of all items. */
  totalBytes = 0;
  readonly #keysCount: 0 | 1;
  readonly #valuesCount: 0 | 1;
  readonly #maxBytes: number;
  readonly #keepsSizes: boolean;
  readonly #decode: DecodeRows;
  readonly #buffer = new BatchBuffer();

  constructor({ maxRows, maxBytes, want, decode }: RowBatchOptions) {
    this.rowsLeft = maxRows;
    this.#maxBytes = Math.min(maxBytes, MAX_BATCH_BYTES);
    this.#keepsSizes = maxBytes !== Infinity;
    this.#keysCount = want === 'values' ? 0 : 1;
    this.#valuesCount = want === 'keys' ? 0 : 1;
    this.#decode = decode;
  }

  add(rows: BlockRows, at: number): void {
    if (this.count > 0 && (rows !== this.rows || this.count === MAX_PICKED)) this.flush();
    this.rows = rows;
    picked[this.count++] = at;
    const size = keyBytesAt(rows.bytes, at) * this.#keysCount + valueBytesAt(rows.bytes, at) * this.#valuesCount;
    this.bytes += size;
    if (this.#keepsSizes) this.sizes.push(size);
    this.isFull = this.count >= this.rowsLeft || this.totalBytes + this.bytes >= this.#maxBytes;
  }

  /** Makes items of what was picked. Requires: called before anything else gets a turn. */
  flush(): void {
    if (this.count === 0) return;
    this.#decode(this, this.items, this.#buffer);
    this.totalBytes += this.bytes;
    this.rowsLeft -= this.count;
    this.count = 0;
    this.bytes = 0;
  }
}
