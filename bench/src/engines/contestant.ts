/**
 * What an engine must offer to be measured. Each adapter takes the fastest API of its engine that a program would use, and
 * is as thin as that API allows: what it does is inside the timed stretch.
 */

/** How a store is opened; the same numbers for every engine. */
export interface StoreSettings {
  /** All that the engine may hold. Engines that read through the page cache of the operating system are not bound by it. */
  readonly memoryBytes: number;
  /** What is collected in memory before it goes to a sorted file. */
  readonly writeBufferBytes: number;
  /** For cached data; by default what the write buffers leave of `memoryBytes`. */
  readonly cacheBytes?: number;
  /** `none`: a write survives the process, not the machine. `strict`: each survives power loss once acknowledged. */
  readonly durability: 'none' | 'strict';
}

export interface OpenStore {
  /** Writes all pairs as one atomic batch. Without an fsync, whatever `durability` says: only puts are measured with one. */
  writeBatch(keys: readonly Buffer[], values: readonly Buffer[]): Promise<unknown> | void;
  /** One put that does not hold up the event loop. */
  readonly put?: (key: Buffer, value: Buffer) => Promise<unknown>;
  /** One put in the caller's turn. */
  readonly putSync?: (key: Buffer, value: Buffer) => void;
  /** The value, which must stay as it is after the next get. */
  readonly getSync?: (key: Buffer) => Uint8Array | undefined;
  readonly get?: (key: Buffer) => Promise<Uint8Array | undefined>;
  /** The fastest way to many values; only for warming up. */
  readonly getMany: (keys: readonly Buffer[]) => Promise<readonly unknown[]>;
  /** All rows in key order, taken in batches where there are any; keys and values are Buffers that the caller may keep. */
  scanBuffers(): Promise<ScanTally>;
  scanStrings(): Promise<ScanTally>;
  readonly scanForAwait?: () => Promise<ScanTally>;
  /** Merges everything there is. Absent where an engine has no such thing. */
  readonly compact?: () => Promise<unknown>;
  close(): Promise<unknown>;
}

/** @returns Bytes for cached data beside so many write buffers. */
export function cacheBytesOf(settings: StoreSettings, writeBuffers: number): number {
  return settings.cacheBytes ?? Math.max(0, settings.memoryBytes - writeBuffers * settings.writeBufferBytes);
}

/** Proof that a scan read everything; summing it up also keeps rows from being optimised away. */
export interface ScanTally {
  readonly rows: number;
  /** Lengths of all keys and values. */
  readonly bytes: number;
}

export interface Contestant {
  readonly version: string;
  /** What was set and which API is used, in words, for the report. */
  describe(settings: StoreSettings): Readonly<Record<string, string | number | boolean>>;
  open(directory: string, settings: StoreSettings): Promise<OpenStore>;
}

/** Rows that a batched scan takes at a time. */
export const SCAN_BATCH_ROWS = 1000;
