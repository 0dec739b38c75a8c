/** The public shapes of the engine: what goes in and what comes out. Behaviour is described on `Engine`. */

import type { CorruptionError } from './errors.ts';
import type { SequenceNumber } from './key/internal-key.ts';
import type { ScrubDamage, ScrubPass } from './scrub/scrub-result.ts';
import type { DiskState } from './space/disk-state.ts';

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
  /**
   * With `log: 'external'` only, and there always given: where the external log holds this write. Opaque to the engine but for its order:
   * never smaller than that of a write before. What one index stands for has to be one batch, since an index counts as complete
   * with the first write that carries it. See `Engine.durableIndex`.
   */
  readonly appliedIndex?: number;
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
  | { readonly kind: 'delete'; readonly key: BytesLike }
  /** Removes every key of `range` that was there before this operation. */
  | { readonly kind: 'delete-range'; readonly range: KeyRange };

/** What must be true of one key for a `compareAndBatch` to happen. */
export interface Condition {
  readonly key: BytesLike;
  /** The value that the key must have; `undefined` when it must be absent. */
  readonly value: BytesLike | undefined;
}

export type CompareResult =
  | ({ readonly applied: true } & WriteResult)
  /** `failed` is the first condition that does not hold, counted from 0; `actual` is the value its key has. */
  | { readonly applied: false; readonly failed: number; readonly actual: Uint8Array | undefined };

export type KeyValue = Row;

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

/** Bounds compare as unsigned bytes. `gt` and `gte` exclude each other, so do `lt` and `lte`. None given: all keys. */
export interface KeyRange {
  readonly gt?: BytesLike;
  readonly gte?: BytesLike;
  readonly lt?: BytesLike;
  readonly lte?: BytesLike;
  /** Only keys that start with these bytes; combines with the bounds. */
  readonly prefix?: BytesLike;
}

/** How a scan hands out keys or values. `utf8` replaces what is no UTF-8 with U+FFFD. */
export type Encoding = 'bytes' | 'utf8';

/** What an encoding makes of bytes. */
export interface Decoded {
  readonly bytes: Uint8Array;
  readonly utf8: string;
}

export interface ScanOptions<KeyEncoding extends Encoding = 'bytes', ValueEncoding extends Encoding = 'bytes'>
  extends KeyRange, ReadOptions {
  /** Descending key order. */
  readonly reverse?: boolean;
  /** At most this many rows. */
  readonly limit?: number;
  /** Ends behind the row with which keys and values together reach this many bytes. */
  readonly limitBytes?: number;
  /** Default `bytes`. */
  readonly keyEncoding?: KeyEncoding;
  /** Default `bytes`. */
  readonly valueEncoding?: ValueEncoding;
  /** Ends the scan with KAYA_ABORTED. */
  readonly signal?: AbortSignal;
}

export interface Row<KeyEncoding extends Encoding = 'bytes', ValueEncoding extends Encoding = 'bytes'> {
  readonly key: Decoded[KeyEncoding];
  readonly value: Decoded[ValueEncoding];
}

/**
 * Rows of one state of the store, in key order, pulled by the reader: one by one or in batches. Ends by itself at its end, by
 * `return()` (leaving a `for await` loop calls it), or with the store: then the next pull fails with KAYA_ENGINE_CLOSED.
 */
export interface Scan<Item> extends AsyncIterableIterator<Item, undefined> {
  next(): Promise<IteratorResult<Item, undefined>>;
  return(): Promise<IteratorResult<Item, undefined>>;
  /**
   * The next rows, at most `maxRows`. Fewer do not mean the end; none do.
   * Byte arrays of one batch may be views of one buffer, which is the caller's: nothing else ever writes to it.
   */
  nextBatch(maxRows: number): Promise<Item[]>;
  /** Goes on at the first key, in the scan's direction, that is at or behind `key`; never leaves the bounds. Limits count on. */
  seek(key: BytesLike): void;
}

export interface EngineStats {
  /** Of operations, also those in batches. */
  readonly putCount: number;
  /** Range deletes count too, each as one. */
  readonly deleteCount: number;
  /** Keys looked up, also those of `getMany`. */
  readonly getCount: number;
  readonly scanCount: number;
  /** Gets that had to wait for the disk; the others take no time worth measuring. `getMany` is not timed. */
  readonly coldGetCount: number;
  /** Of `coldGetCount` gets. */
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
  /** Memory of cached blocks. */
  readonly blockCacheBytes: number;
  readonly memtableEntries: number;
  /** Memory of the memtables, and what is kept for the next ones. */
  readonly memtableBytes: number;
  readonly tableCount: number;
  readonly tableBytes: number;
  readonly levels: readonly { readonly tableCount: number; readonly bytes: number; readonly entryCount: number }[];
  readonly lastSequence: SequenceNumber;
  /** With `log: 'external'`; otherwise undefined. See `Engine.durableIndex`. */
  readonly durableIndex: number | undefined;
  /** Range deletes that still hide something that is on disk. */
  readonly rangeDeletes: number;
  /** Bytes that writes were slowed for, and for how long; see the event `slowed`. */
  readonly slowedBytes: number;
  readonly slowedTotalUs: number;
  /** Filters and indexes of open tables, in bytes of memory. */
  readonly tableIndexBytes: number;
  /** Bound: what the engine means to stay within. */
  readonly memoryBytes: number;
  readonly openSnapshots: number;
  readonly recoveryDurationUs: number;
  /** Records replayed from the write-ahead log when the store was opened. */
  readonly recoveredRecords: number;
  /** Bytes of torn tail that opening left out. */
  readonly truncatedBytes: number;
  /** Whether puts are taken; with `log: 'external'` whoever proposes them is to look here. `unwatched` without a soft limit and a reserve. */
  readonly diskState: DiskState;
  /** As last measured; null while unwatched. */
  readonly diskAvailableBytes: number | null;
  /** What the reserve file holds. */
  readonly diskReserveBytes: number;
  /** Passes of the background scrub that came to their end. */
  readonly scrubCount: number;
  readonly scrubTotalUs: number;
  /** Of the last whole pass: null before there was one. */
  readonly scrubLast: ScrubPass | null;
  /** Places found damaged since the store was opened, and the first of them. */
  readonly scrubDamageCount: number;
  readonly scrubDamage: readonly ScrubDamage[];
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
  | {
      readonly kind: 'flushed';
      readonly fileNumber: number;
      readonly bytes: number;
      readonly durationUs: number;
      /** As `Engine.durableIndex` after the flush. */
      readonly durableIndex: number | undefined;
    }
  | {
      readonly kind: 'compacted';
      readonly fromLevel: number;
      readonly toLevel: number;
      readonly inputTables: number;
      readonly outputTables: number;
      readonly durationUs: number;
    }
  /** Writers wait until background work has got on. */
  | { readonly kind: 'stalled'; readonly reason: string }
  /** Writers are slowed down, smoothly, so that they need not stall; `bytesPerSecond` undefined: no longer. */
  | { readonly kind: 'slowed'; readonly reason: string; readonly bytesPerSecond: number | undefined }
  /** The room on the disk changed from one state to another. */
  | { readonly kind: 'disk-space'; readonly state: DiskState; readonly availableBytes: number | undefined }
  /** The background scrub has been through the whole store. */
  | ({ readonly kind: 'scrubbed' } & ScrubPass)
  /** The scrub found damage; once for each place. Reads of it fail as ever; nothing is removed. */
  | ({ readonly kind: 'damage-found' } & ScrubDamage)
  | { readonly kind: 'poisoned'; readonly cause: Error }
  | { readonly kind: 'warning'; readonly message: string };

/** What `verify` found. */
export interface VerifyReport {
  readonly tableCount: number;
  readonly blockCount: number;
  readonly entryCount: number;
  /** Bytes read. */
  readonly bytes: number;
  /** Empty when all is well; at most one for each table. */
  readonly damage: readonly CorruptionError[];
}

export interface VerifyOptions {
  /** Told after each table. */
  readonly onProgress?: (done: { readonly bytes: number; readonly totalBytes: number }) => void;
  /** Ends the verification with KAYA_ABORTED. */
  readonly signal?: AbortSignal;
}

/** What a checkpoint or a backup holds. */
export interface CheckpointInfo {
  /** The newest write in it. */
  readonly sequence: SequenceNumber;
  /** As `Engine.durableIndex`. */
  readonly durableIndex: number | undefined;
  readonly tableCount: number;
  /** Of the tables. */
  readonly bytes: number;
}

export interface BackupOptions {
  readonly onProgress?: (done: { readonly bytes: number; readonly totalBytes: number }) => void;
  /** Ends the backup with KAYA_ABORTED and leaves nothing behind. */
  readonly signal?: AbortSignal;
}

/**
 * An open store. All methods may be called at any time from any task of this process; calls after `close()` fail
 * with EngineError KAYA_ENGINE_CLOSED, and writes after the first unknown disk outcome with KAYA_ENGINE_POISONED.
 * Inputs are copied before a method returns. Wrong arguments are TypeError or RangeError: keys are 1 to 4,096 bytes,
 * values at most 16 MiB, batches at most 32 MiB; with an external log 64 bytes, 64 bytes and 8 MiB more.
 */
export interface Engine extends AsyncDisposable {
  readonly directory: string;
  /**
   * With `log: 'external'`: the applied index up to which tables hold everything, so that after any crash the external log has to be
   * replayed only behind it. 0 in a new store; undefined with a log of the engine's own.
   */
  readonly durableIndex: number | undefined;
  /** Sets `key` to `value`. Durability: as `options.durability` or the engine's mode says, once the promise resolves. */
  put(key: BytesLike, value: BytesLike, options?: WriteOptions): Promise<WriteResult>;
  /** Deleting an absent key is not an error. */
  delete(key: BytesLike, options?: WriteOptions): Promise<WriteResult>;
  /** Removes every key in `range`, in one small write however many there are. No bounds: everything. */
  deleteRange(range: KeyRange, options?: WriteOptions): Promise<WriteResult>;
  /** All of the operations or none, in order: of two on the same key the later one wins. */
  batch(operations: readonly BatchOperation[], options?: WriteOptions): Promise<WriteResult>;
  /** As `batch` if every condition holds in the state that all earlier writes leave; otherwise nothing is written. */
  compareAndBatch(
    conditions: readonly Condition[],
    operations: readonly BatchOperation[],
    options?: WriteOptions,
  ): Promise<CompareResult>;
  /**
   * @returns The value in an array of the caller's own, or `undefined` when the key is absent. Small ones share a buffer with other
   * values, as Node's own Buffers do: copy before the memory is transferred.
   */
  get(key: BytesLike, options?: ReadOptions): Promise<Uint8Array | undefined>;
  /** As `get`, in the caller's turn, also when the disk has to be read: for values that are in memory, or programs that may wait. */
  getSync(key: BytesLike, options?: ReadOptions): Uint8Array | undefined;
  /** The values of many keys, in their order; cheaper than one by one. All see the same state. */
  getMany(keys: readonly BytesLike[], options?: ReadOptions): Promise<(Uint8Array | undefined)[]>;
  has(key: BytesLike, options?: ReadOptions): Promise<boolean>;
  /** Rows of one state of the store, in key order. Leaving the loop early releases everything it holds. */
  scan<KeyEncoding extends Encoding = 'bytes', ValueEncoding extends Encoding = 'bytes'>(
    options?: ScanOptions<KeyEncoding, ValueEncoding>,
  ): Scan<Row<KeyEncoding, ValueEncoding>>;
  /** As `scan`, without the values. */
  keys<KeyEncoding extends Encoding = 'bytes'>(options?: ScanOptions<KeyEncoding>): Scan<Decoded[KeyEncoding]>;
  /** As `scan`, without the keys. */
  values<ValueEncoding extends Encoding = 'bytes'>(
    options?: ScanOptions<'bytes', ValueEncoding>,
  ): Scan<Decoded[ValueEncoding]>;
  /** Holds the present state. Close it, or old versions are kept for ever. */
  snapshot(): Snapshot;
  /** Moves everything acknowledged so far into tables. Durability: it survives power loss once this resolves. */
  flush(): Promise<void>;
  /** Flushes, then merges everything in `range` down as far as it goes, so that only what readers can see is left on disk. */
  compact(range?: KeyRange): Promise<void>;
  /** Bytes on disk of the tables' blocks that hold keys of `range`, give or take a block at each end of each table. */
  approximateSize(range: KeyRange): Promise<number>;
  /** Reads every table whole, past all caches, and checks every checksum and the order of all entries. */
  verify(options?: VerifyOptions): Promise<VerifyReport>;
  /**
   * Makes `directory`, which must not exist and must be on the same file system, a store of the present state that `openEngine` opens:
   * tables are hard links, so it costs next to no time and space. Writes go on meanwhile.
   * Durability: complete and durable once this resolves; until then the name does not exist.
   */
  checkpoint(directory: string): Promise<CheckpointInfo>;
  /**
   * Copies the present state into `directory`, which must not exist, with a list of every file's checksum.
   * `verifyBackup` checks it, `restoreBackup` makes a store of it. Durability: as `checkpoint`.
   */
  backup(directory: string, options?: BackupOptions): Promise<CheckpointInfo>;
  stats(): EngineStats;
  /**
   * Finishes what was accepted, flushes, and records a clean close. Idempotent. Everything is released in any case; a
   * rejection says that the close is not clean, and why. What was acknowledged as durable is safe even then.
   * Where several things fail it has the code of the first, and their errors in `cause`.
   */
  close(): Promise<void>;
}
