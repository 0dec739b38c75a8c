/**
 * What the conformance suite asks of a store: the smallest shape that the engine and the client can both be given by a
 * thin adapter in their tests.
 */

export interface KeyValueEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export type KeyValueWrite =
  | { readonly kind: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: Uint8Array };

/**
 * With `capabilities.ranges` the suite uses the bounds, `reverse` and `limit`, and never `prefix`; without, it uses
 * `prefix` alone (an empty one means everything).
 */
export interface KeyValueScanOptions {
  readonly gt?: Uint8Array;
  readonly gte?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
  readonly prefix?: Uint8Array;
}

/** Something to read from: the store itself, or a snapshot of it. */
export interface KeyValueView {
  /** @returns `undefined` when the key is absent. */
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  scan(options: KeyValueScanOptions): AsyncIterable<KeyValueEntry>;
  close(): Promise<void>;
}

export interface KeyValueStore extends KeyValueView {
  put(key: Uint8Array, value: Uint8Array): Promise<unknown>;
  delete(key: Uint8Array): Promise<unknown>;
  batch(writes: readonly KeyValueWrite[]): Promise<unknown>;
  /** Needed with `capabilities.rangeDeletes`: all keys from `from` on and below `to`; none where they meet or cross. */
  deleteRange?(from: Uint8Array, to: Uint8Array): Promise<unknown>;
  /** Needed with `capabilities.snapshots`: a view that later writes do not change. */
  snapshot?(): Promise<KeyValueView>;
  /** Where there is one, random runs call it: memory to tables. */
  flush?(): Promise<unknown>;
  /** Where there is one, random runs call it: closes and opens the same data. Afterwards the same object is used. */
  reopen?(): Promise<unknown>;
}

export interface KeyValueCapabilities {
  /** Bounds, reverse order and limits; otherwise only prefix scans. */
  readonly ranges: boolean;
  /** A batch is applied wholly or not at all. */
  readonly atomicBatch: boolean;
  /** `snapshot()` exists. */
  readonly snapshots: boolean;
  /** `deleteRange()` exists. */
  readonly rangeDeletes: boolean;
  /** A scan shows the data as they were when it began. */
  readonly stableScans: boolean;
}

/** Collects a scan into an array. */
export async function collect(scan: AsyncIterable<KeyValueEntry>): Promise<KeyValueEntry[]> {
  const entries: KeyValueEntry[] = [];
  for await (const entry of scan) entries.push(entry);
  return entries;
}
