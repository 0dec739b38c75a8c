/**
 * Which table of a level may hold a key. Hot: the 6 key bytes after the prefix that all bounds share are kept as numbers, so that a
 * search among hundreds of tables touches none of them; only keys whose number is a bound's are compared as a whole.
 */

import { compareBytes } from '@kayadb/codec';

import { comparePrefix, numberOf, sharedPrefixBytes } from '../key/key-number.ts';
import type { TableMeta } from './table-meta.ts';

export class SortedRun {
  readonly #tables: readonly TableMeta[];
  readonly #prefix: Uint8Array;
  /** Numbers of the tables' smallest and largest keys. */
  readonly #smallest: Float64Array;
  readonly #largest: Float64Array;

  /** @param tables - Sorted by key, without overlap; at least one. */
  constructor(tables: readonly TableMeta[]) {
    const first = tables[0]!.smallestKey;
    const last = tables[tables.length - 1]!.largestKey;
    const prefix = first.subarray(0, sharedPrefixBytes(first, last));
    this.#tables = tables;
    this.#prefix = prefix;
    this.#smallest = Float64Array.from(tables, ({ smallestKey }) => numberOf(smallestKey, prefix.length));
    this.#largest = Float64Array.from(tables, ({ largestKey }) => numberOf(largestKey, prefix.length));
  }

  /** The table that may hold `key`; `undefined` if none may. */
  find(key: Uint8Array): TableMeta | undefined {
    if (comparePrefix(key, this.#prefix) !== 0) return undefined;
    const number = numberOf(key, this.#prefix.length);
    const largest = this.#largest;
    let low = 0;
    let high = largest.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (largest[middle]! < number) low = middle + 1;
      else high = middle;
    }
    if (low === largest.length) return undefined;
    const smallest = this.#smallest[low]!;
    if (number < smallest) return undefined;
    if (number > smallest && number < largest[low]!) return this.#tables[low];
    return this.#findAmongEqual(key, low);
  }

  /** Goes on from the first table whose largest key may be at or after `key`, comparing whole keys. */
  #findAmongEqual(key: Uint8Array, from: number): TableMeta | undefined {
    let low = from;
    let high = this.#tables.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(this.#tables[middle]!.largestKey, key) < 0) low = middle + 1;
      else high = middle;
    }
    const table = this.#tables[low];
    return table !== undefined && compareBytes(table.smallestKey, key) <= 0 ? table : undefined;
  }
}
