/** A store in memory whose writes and reads can be held up and made to fail. Ordered reads are a sorted array. */

import { compareBytes, startsWith, toBytes } from '@kayadb/codec';
import type { BytesLike, EngineStats, KeyValue, ScanOptions, SequenceNumber, WriteResult } from '@kayadb/engine';

import type { ServedEngine } from '../../src/served-engine.ts';

const STATS = {
  getTotalUs: 0,
  getMaxUs: 0,
  scanTotalUs: 0,
  scanMaxUs: 0,
  walBytesWritten: 0,
  walFsyncCount: 0,
  walFsyncTotalUs: 0,
  walFsyncMaxUs: 0,
  flushCount: 0,
  flushTotalUs: 0,
  flushMaxUs: 0,
  compactionCount: 0,
  compactionTotalUs: 0,
  compactionMaxUs: 0,
  compactionBytesRead: 0,
  compactionBytesWritten: 0,
  stallCount: 0,
  stallTotalUs: 0,
  blockCacheHits: 0,
  blockCacheMisses: 0,
  blockCacheBytes: 0,
  memtableBytes: 0,
  tableCount: 0,
  tableBytes: 0,
  openSnapshots: 0,
  durableIndex: undefined,
  rangeDeletes: 0,
  slowedBytes: 0,
  slowedTotalUs: 0,
  coldGetCount: 0,
  tableIndexBytes: 0,
  memoryBytes: 0,
  recoveryDurationUs: 0,
  recoveredRecords: 0,
  truncatedBytes: 0,
  diskState: 'ok',
  diskAvailableBytes: 0,
  diskReserveBytes: 0,
  scrubCount: 0,
  scrubTotalUs: 0,
  scrubLast: null,
  scrubDamageCount: 0,
  scrubDamage: [],
} as const;

export class MemoryEngine implements ServedEngine {
  readonly #rows = new Map<string, KeyValue>();
  readonly #held: (() => void)[] = [];
  #isHoldingWrites = false;
  #isHoldingClose = false;
  #scanGate: Promise<void> | undefined;
  #openScanGate: (() => void) | undefined;
  #sequence = 0;
  #readFailure: Error | undefined;
  #writeFailure: Error | undefined;
  isClosed = false;
  closeFailure: Error | undefined;
  putCount = 0;
  deleteCount = 0;
  getCount = 0;
  scanCount = 0;
  /** Rows that scans handed out. */
  rowsRead = 0;

  /** Writes that were handed in and are not acknowledged. */
  get pendingWrites(): number {
    return this.#held.length;
  }

  /** From now on writes are taken, and acknowledged (and seen by reads) only by `releaseWrites`. */
  holdWrites(): void {
    this.#isHoldingWrites = true;
  }

  releaseWrites(): void {
    this.#isHoldingWrites = false;
    for (const release of this.#held.splice(0)) release();
  }

  /** From now on scans begin, and hand out rows only after `releaseScans`. */
  holdScans(): void {
    this.#scanGate = new Promise((resolve) => {
      this.#openScanGate = resolve;
    });
  }

  releaseScans(): void {
    this.#openScanGate?.();
  }

  holdClose(): void {
    this.#isHoldingClose = true;
  }

  failWrites(error: Error): void {
    this.#writeFailure = error;
  }

  failReads(error: Error): void {
    this.#readFailure = error;
  }

  /** Loads rows without going through `put`. */
  load(rows: readonly KeyValue[]): void {
    for (const row of rows) this.#rows.set(hex(row.key), row);
  }

  put(key: BytesLike, value: BytesLike): Promise<WriteResult> {
    this.putCount++;
    const row = { key: toBytes(key).slice(), value: toBytes(value).slice() };
    return this.#write(() => void this.#rows.set(hex(row.key), row));
  }

  delete(key: BytesLike): Promise<WriteResult> {
    this.deleteCount++;
    const name = hex(toBytes(key));
    return this.#write(() => void this.#rows.delete(name));
  }

  async get(key: BytesLike): Promise<Uint8Array | undefined> {
    this.getCount++;
    if (this.#readFailure !== undefined) throw this.#readFailure;
    return this.#rows.get(hex(toBytes(key)))?.value;
  }

  async *scan(options: ScanOptions = {}): AsyncIterableIterator<KeyValue> {
    this.scanCount++;
    if (this.#readFailure !== undefined) throw this.#readFailure;
    const prefix = toBytes(options.prefix ?? '');
    const rows = [...this.#rows.values()].filter(({ key }) => startsWith(key, prefix));
    for (const row of rows.toSorted((a, b) => compareBytes(a.key, b.key))) {
      await this.#scanGate;
      options.signal?.throwIfAborted();
      this.rowsRead++;
      yield row;
    }
  }

  async flush(): Promise<void> {}

  stats(): EngineStats {
    const { putCount, deleteCount, getCount, scanCount } = this;
    const own = { putCount, deleteCount, getCount, scanCount, lastSequence: this.#sequence as SequenceNumber };
    const levels = [{ tableCount: 0, bytes: 0, entryCount: 0 }];
    return { ...STATS, ...own, memtableEntries: this.#rows.size, levels };
  }

  async close(): Promise<void> {
    if (this.#isHoldingClose) await new Promise(() => {});
    this.isClosed = true;
    if (this.closeFailure !== undefined) throw this.closeFailure;
  }

  async #write(apply: () => void): Promise<WriteResult> {
    if (this.#writeFailure !== undefined) throw this.#writeFailure;
    if (this.#isHoldingWrites) {
      await new Promise<void>((resolve) => {
        this.#held.push(resolve);
      });
    }
    apply();
    const sequence = ++this.#sequence as SequenceNumber;
    return { sequence, lsn: sequence, durable: true };
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
