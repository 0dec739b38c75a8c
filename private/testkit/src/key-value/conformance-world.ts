/** What the conformance tests share: a store with shorthands in text form, closed when its test ends. */

import { describeEntries } from './compare-with-model.ts';
import { textToBytes } from './key-value-ops.ts';
import {
  collect,
  type KeyValueEntry,
  type KeyValueScanOptions,
  type KeyValueStore,
  type KeyValueView,
} from './key-value-store.ts';

export class ConformanceWorld {
  readonly store: KeyValueStore;
  readonly #ranges: boolean;

  constructor(store: KeyValueStore, ranges: boolean) {
    this.store = store;
    this.#ranges = ranges;
  }

  async put(key: string, value: string): Promise<void> {
    await this.store.put(textToBytes(key), textToBytes(value));
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const value = await this.store.get(textToBytes(key));
    return value === undefined ? undefined : Uint8Array.from(value);
  }

  /** @throws TypeError when the store promised range deletes and has no `deleteRange()`. */
  async deleteRange(from: string, to: string): Promise<void> {
    if (this.store.deleteRange === undefined) {
      throw new TypeError('capabilities.rangeDeletes needs a deleteRange() method');
    }
    await this.store.deleteRange(textToBytes(from), textToBytes(to));
  }

  /** A prefix as scan options: as bounds where the store has ranges. */
  prefix(text: string): KeyValueScanOptions {
    const prefix = textToBytes(text);
    if (!this.#ranges) return { prefix };
    let end = prefix.length;
    while (end > 0 && prefix[end - 1] === 0xff) end--;
    if (end === 0) return prefix.length === 0 ? {} : { gte: prefix };
    const upper = prefix.slice(0, end);
    upper[end - 1] = upper[end - 1]! + 1;
    return { gte: prefix, lt: upper };
  }

  async scanPrefix(text: string): Promise<KeyValueEntry[]> {
    return await collect(this.store.scan(this.prefix(text)));
  }

  /** The whole content, as text. */
  async everything(): Promise<string> {
    return describeEntries(await this.scanPrefix('""'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
  }
}

/** Turns an error thrown at once into a rejection, so that both ways to refuse pass. */
export async function attempt(action: () => Promise<unknown>): Promise<void> {
  await action();
}

/** @throws TypeError when the store promised snapshots and has no `snapshot()`. */
export async function takeSnapshot(store: KeyValueStore): Promise<KeyValueView> {
  if (store.snapshot === undefined) throw new TypeError('capabilities.snapshots needs a snapshot() method');
  return await store.snapshot();
}
