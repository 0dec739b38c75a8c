/**
 * Rows that are decided and not written yet: one batch of the engine, and what it would change for whoever reads meanwhile.
 * What was read from the store before is below all of it.
 */

import { compareBytes } from '@kayadb/codec';
import type { BatchOperation } from '@kayadb/engine';

/** `null`: gone. `undefined`: as the store has it. */
export type PendingRow = Uint8Array | null | undefined;

/** A `BatchOperation` of bytes and no strings. */
type RowOperation =
  | { readonly kind: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: Uint8Array }
  | { readonly kind: 'delete-range'; readonly range: { readonly gte: Uint8Array; readonly lt: Uint8Array } };

interface Indexed {
  /** Where it stands among the operations. */
  readonly at: number;
  readonly value: Uint8Array | null;
}

interface PendingRange {
  readonly at: number;
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

/** What an operation takes in a batch, besides its bytes. */
const OPERATION_BYTES = 8;

export class PendingRows {
  #operations: RowOperation[] = [];
  #bytes = 0;
  #rangeCount = 0;
  /** Made when somebody reads: most batches are never asked. */
  readonly #rows = new Map<string, Indexed>();
  /** By the first byte of their keys, which is the same for all of a range: users' rows are not compared with others. */
  readonly #ranges = new Map<number, PendingRange[]>();
  #indexedCount = 0;

  get count(): number {
    return this.#operations.length;
  }

  /** About what the batch takes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Range deletes, which readers have to go through. */
  get rangeCount(): number {
    return this.#rangeCount;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#operations.push({ kind: 'put', key, value });
    this.#bytes += OPERATION_BYTES + key.length + value.length;
  }

  delete(key: Uint8Array): void {
    this.#operations.push({ kind: 'delete', key });
    this.#bytes += OPERATION_BYTES + key.length;
  }

  /** Rows of at least `from` and below `to`. Requires: all of them begin with the first byte of `from`. */
  deleteRange(from: Uint8Array, to: Uint8Array): void {
    if (compareBytes(from, to) >= 0) return;
    this.#operations.push({ kind: 'delete-range', range: { gte: from, lt: to } });
    this.#bytes += OPERATION_BYTES + from.length + to.length;
    this.#rangeCount++;
  }

  find(key: Uint8Array): PendingRow {
    if (this.#operations.length === 0) return undefined;
    this.#index();
    const found = this.#rows.get(nameOf(key));
    const from = found?.at ?? -1;
    const isGone = this.#ranges
      .get(key[0]!)
      ?.some((range) => range.at > from && compareBytes(key, range.from) >= 0 && compareBytes(key, range.to) < 0);
    return isGone === true ? null : found?.value;
  }

  /** Everything, for the engine; nothing is pending any more. */
  take(): readonly BatchOperation[] {
    const taken = this.#operations;
    this.#operations = [];
    this.#bytes = 0;
    this.#rangeCount = 0;
    this.#rows.clear();
    this.#ranges.clear();
    this.#indexedCount = 0;
    return taken;
  }

  #index(): void {
    for (let at = this.#indexedCount; at < this.#operations.length; at++) {
      const operation = this.#operations[at]!;
      if (operation.kind === 'delete-range')
        this.#indexRange({ at, from: operation.range.gte, to: operation.range.lt });
      else this.#rows.set(nameOf(operation.key), { at, value: operation.kind === 'put' ? operation.value : null });
    }
    this.#indexedCount = this.#operations.length;
  }

  #indexRange(range: PendingRange): void {
    const first = range.from[0]!;
    const ranges = this.#ranges.get(first);
    if (ranges === undefined) this.#ranges.set(first, [range]);
    else ranges.push(range);
  }
}

/** One character for each byte. */
function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}
