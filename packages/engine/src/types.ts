/** The public shapes of the engine: what goes in and what comes out. Behaviour is described on `Engine`. */

import type { SequenceNumber } from './key/internal-key.ts';

/** Byte strings as a caller may pass them; strings are encoded as UTF-8. */
export type BytesLike = Uint8Array | string;

/**
 * What an acknowledged write survives.
 *
 * | mode | process death | power loss |
 * |---|---|---|
 * | `strict` | everything acknowledged | everything acknowledged |
 * | `interval` | everything acknowledged | all but the writes of about the last `intervalMs` |
 * | `relaxed` | everything acknowledged | a prefix of the writes; the operating system decides how long |
 *
 * In every mode what is left after a crash is a prefix of the writes in their order, and no batch is ever half there.
 */
export type Durability = 'strict' | 'interval' | 'relaxed';

export interface WriteOptions {
  /** For this write only; by default the engine's. A stricter write also makes all earlier ones durable. */
  readonly durability?: Durability;
}

export interface WriteResult {
  /** Sequence number of the write; of a batch's last operation. An empty batch reports the last one there was. */
  readonly sequence: SequenceNumber;
  /** Position in the write-ahead log just behind the write, in bytes since the store was created. */
  readonly lsn: number;
  /** Whether the write was known to be on disk when it was acknowledged. */
  readonly durable: boolean;
}

export type BatchOperation =
  | { readonly kind: 'put'; readonly key: BytesLike; readonly value: BytesLike }
  | { readonly kind: 'delete'; readonly key: BytesLike };

export interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** The state of the store at one sequence number. Holds old versions alive until closed. */
export interface Snapshot extends AsyncDisposable {
  readonly sequence: SequenceNumber;
  /** Idempotent. */
  close(): void;
}

export interface ReadOptions {
  /** Reads this state instead of the newest. @throws EngineError KAYA_SNAPSHOT_CLOSED */
  readonly snapshot?: Snapshot;
}

/** Bounds compare as unsigned bytes. `gt` and `gte` exclude each other, so do `lt` and `lte`. */
export interface Range {
  readonly gt?: BytesLike;
  readonly gte?: BytesLike;
  readonly lt?: BytesLike;
  readonly lte?: BytesLike;
}

export interface ScanOptions extends Range, ReadOptions {
  /** Only keys that start with these bytes; combines with the bounds. */
  readonly prefix?: BytesLike;
  /** Descending key order. */
  readonly reverse?: boolean;
  /** At most this many rows. */
  readonly limit?: number;
  /** Ends the scan with KAYA_ABORTED. */
  readonly signal?: AbortSignal;
}

export interface EngineStats {
  readonly putCount: number;
  readonly deleteCount: number;
  readonly getCount: number;
  readonly scanCount: number;
  readonly getTotalUs: number;
  readonly getMaxUs: number;
  readonly scanTotalUs: number;
  readonly scanMaxUs: number;
  readonly walBytesWritten: number;
  readonly walFsyncCount: number;
  readonly walFsyncTotalUs: number;
  readonly walFsyncMaxUs: number;
  readonly flushCount: number;
  readonly flushTotalUs: number;
  readonly flushMaxUs: number;
  readonly compactionCount: number;
  readonly compactionTotalUs: number;
  readonly compactionMaxUs: number;
  readonly compactionBytesRead: number;
  readonly compactionBytesWritten: number;
  readonly stallCount: number;
  readonly stallTotalUs: number;
  readonly blockCacheHits: number;
  readonly blockCacheMisses: number;
  readonly blockCacheBytes: number;
  readonly memtableEntries: number;
  readonly memtableBytes: number;
  readonly tableCount: number;
  readonly tableBytes: number;
  readonly levels: readonly { readonly tableCount: number; readonly bytes: number; readonly entryCount: number }[];
  readonly lastSequence: SequenceNumber;
  readonly openSnapshots: number;
  readonly recoveryDurationUs: number;
  /** Records replayed from the write-ahead log when the store was opened. */
  readonly recoveredRecords: number;
  /** Bytes of torn tail that opening left out. */
  readonly truncatedBytes: number;
}

/** What the engine tells its embedder, for logs and metrics. Never holds keys or values. */
export type EngineEvent =
  | {
      readonly kind: 'opened';
      readonly created: boolean;
      readonly cleanClose: boolean;
      readonly recoveredRecords: number;
      readonly truncatedBytes: number;
      readonly durationUs: number;
    }
  | { readonly kind: 'stale-lock-taken'; readonly owner: string }
  | { readonly kind: 'torn-tail'; readonly file: string; readonly offset: number; readonly bytes: number }
  | { readonly kind: 'flushed'; readonly fileNumber: number; readonly bytes: number; readonly durationUs: number }
  | {
      readonly kind: 'compacted';
      readonly fromLevel: number;
      readonly toLevel: number;
      readonly inputTables: number;
      readonly outputTables: number;
      readonly durationUs: number;
    }
  | { readonly kind: 'stalled'; readonly reason: string }
  | { readonly kind: 'poisoned'; readonly cause: Error }
  | { readonly kind: 'warning'; readonly message: string };

/**
 * An open store. All methods may be called at any time from any task of this process; calls after `close()` fail
 * with EngineError KAYA_ENGINE_CLOSED, and writes after the first unknown disk outcome with KAYA_ENGINE_POISONED.
 * Inputs are copied before a method returns. Wrong arguments are TypeError or RangeError: keys are 1 to 4,096 bytes,
 * values at most 16 MiB, batches at most 32 MiB.
 */
export interface Engine extends AsyncDisposable {
  readonly directory: string;
  /** Durability: as `options.durability` or the engine's mode says, once the promise resolves. */
  put(key: BytesLike, value: BytesLike, options?: WriteOptions): Promise<WriteResult>;
  /** Deleting an absent key is not an error. */
  delete(key: BytesLike, options?: WriteOptions): Promise<WriteResult>;
  /** All of the operations or none, in order: of two on the same key the later one wins. */
  batch(operations: readonly BatchOperation[], options?: WriteOptions): Promise<WriteResult>;
  /** @returns The value in an array of the caller's own, or `undefined` when the key is absent. */
  get(key: BytesLike, options?: ReadOptions): Promise<Uint8Array | undefined>;
  /** Rows of one state of the store, in key order. Leaving the loop early releases everything it holds. */
  scan(options?: ScanOptions): AsyncIterableIterator<KeyValue>;
  /** Holds the present state. Close it, or old versions are kept for ever. */
  snapshot(): Snapshot;
  /** Moves everything acknowledged so far into tables. Durability: it survives power loss once this resolves. */
  flush(): Promise<void>;
  stats(): EngineStats;
  /**
   * Finishes what was accepted, flushes, and records a clean close. Idempotent. Everything is released in any case; a
   * rejection says that the close is not clean, and why. What was acknowledged as durable is safe even then.
   */
  close(): Promise<void>;
}
