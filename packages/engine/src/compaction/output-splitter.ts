/**
 * Where a merge ends one output table and starts the next.
 *
 * Invariant: all versions of one user key go to one table, so that tables of a level never overlap.
 */

import { compareBytes, copyBytes } from '@kayadb/codec';

export class OutputSplitter {
  readonly #targetBytes: number;
  #lastKey: Uint8Array | undefined;

  /** @param targetBytes - A table is left at the first new user key once it has this size. */
  constructor(targetBytes: number) {
    this.#targetBytes = targetBytes;
  }

  /** Whether the entry with this key opens a new table, given what the present one holds. */
  shouldSplitBefore(key: Uint8Array, tableBytes: number): boolean {
    const isNewKey = this.#lastKey === undefined || compareBytes(key, this.#lastKey) !== 0;
    if (isNewKey) this.#lastKey = copyBytes(key);
    return isNewKey && tableBytes >= this.#targetBytes;
  }
}
