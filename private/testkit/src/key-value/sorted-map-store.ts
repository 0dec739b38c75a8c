/**
 * The naive model of a store: one array, sorted by unsigned bytes, read and written by plain loops. It is the twin that
 * random runs compare a real store with, so it favours being obviously right over speed.
 */

import type {
  KeyValueEntry,
  KeyValueScanOptions,
  KeyValueStore,
  KeyValueView,
  KeyValueWrite,
} from './key-value-store.ts';

/** Bound: the largest key that the model, like every KayaDB store, accepts, in bytes. */
const MAX_KEY_BYTES = 4096;

/** A `KeyValueStore` in memory, with every capability. */
export class SortedMapStore implements KeyValueStore {
  #entries: readonly KeyValueEntry[] = [];
  #closed = false;

  async put(key: Uint8Array, value: Uint8Array): Promise<void> {
    await this.batch([{ kind: 'put', key, value }]);
  }

  async delete(key: Uint8Array): Promise<void> {
    await this.batch([{ kind: 'delete', key }]);
  }

  async batch(writes: readonly KeyValueWrite[]): Promise<void> {
    this.#assertOpen();
    for (const { key } of writes) {
      if (key.length === 0 || key.length > MAX_KEY_BYTES) {
        throw new RangeError(`a key has 1 to ${MAX_KEY_BYTES} bytes, got ${key.length}`);
      }
    }
    let entries = this.#entries;
    for (const write of writes) {
      entries = entries.filter((entry) => compare(entry.key, write.key) !== 0);
      if (write.kind === 'put') {
        entries = [...entries, { key: write.key.slice(), value: write.value.slice() }];
      }
    }
    this.#entries = entries.toSorted((a, b) => compare(a.key, b.key));
  }

  async deleteRange(from: Uint8Array, to: Uint8Array): Promise<void> {
    this.#assertOpen();
    this.#entries = this.#entries.filter(({ key }) => compare(key, from) < 0 || compare(key, to) >= 0);
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#assertOpen();
    return find(this.#entries, key);
  }

  async *scan(options: KeyValueScanOptions): AsyncIterable<KeyValueEntry> {
    this.#assertOpen();
    yield* select(this.#entries, options);
  }

  async snapshot(): Promise<KeyValueView> {
    const entries = this.#entries;
    return {
      get: async (key) => find(entries, key),
      async *scan(options) {
        yield* select(entries, options);
      },
      close: async () => {},
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error('the store is closed');
  }
}

function find(entries: readonly KeyValueEntry[], key: Uint8Array): Uint8Array | undefined {
  return entries.find((entry) => compare(entry.key, key) === 0)?.value.slice();
}

function select(entries: readonly KeyValueEntry[], options: KeyValueScanOptions): KeyValueEntry[] {
  const { gt, gte, lt, lte, prefix } = options;
  const inside = entries.filter(
    ({ key }) =>
      (gt === undefined || compare(key, gt) > 0) &&
      (gte === undefined || compare(key, gte) >= 0) &&
      (lt === undefined || compare(key, lt) < 0) &&
      (lte === undefined || compare(key, lte) <= 0) &&
      (prefix === undefined || compare(key.subarray(0, prefix.length), prefix) === 0),
  );
  const ordered = options.reverse === true ? inside.toReversed() : inside;
  return ordered
    .slice(0, options.limit ?? ordered.length)
    .map(({ key, value }) => ({ key: key.slice(), value: value.slice() }));
}

/** Order of byte strings: unsigned, and a prefix before what it begins. */
function compare(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}
