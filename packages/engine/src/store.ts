/**
 * The parts of an open store, wired together: write path, read path, background work, closing.
 * `open.ts` makes one; `engine.ts` stands in front of it and speaks to users.
 */

import { runCompaction } from './compaction/compaction-job.ts';
import { runFlush } from './compaction/flush-job.ts';
import { pickCompaction } from './compaction/leveled.ts';
import { Scheduler } from './compaction/scheduler.ts';
import type { TableOutputOptions } from './compaction/table-output.ts';
import type { Counters } from './counters.ts';
import { EngineError } from './errors.ts';
import { isUndone } from './files/disk-outcome.ts';
import { ObsoleteRemover } from './files/obsolete-remover.ts';
import type { Cursor, Direction } from './iterate/cursor.ts';
import { LevelCursor, type OpenTableCursor } from './iterate/level-cursor.ts';
import { copyValue, lookUpInTables } from './iterate/lookup.ts';
import { MergingCursor } from './iterate/merging-cursor.ts';
import type { SequenceNumber } from './key/internal-key.ts';
import type { WriteBatch } from './key/write-batch.ts';
import { MemtableList } from './memtable/memtable-list.ts';
import type { ResolvedOptions } from './options.ts';
import type { Resources } from './resources.ts';
import { runAll } from './run-all.ts';
import { SnapshotList } from './snapshot/snapshot-list.ts';
import type { BlockCache } from './sstable/block-cache.ts';
import type { Tables } from './sstable/tables.ts';
import type { Durability, WriteResult } from './types.ts';
import type { TableMeta } from './version/table-meta.ts';
import type { VersionSet } from './version/version-set.ts';
import type { WalWriter } from './wal/wal-writer.ts';
import { Committer } from './write/committer.ts';
import { IntervalSync } from './write/interval-sync.ts';
import type { Poison } from './write/poison.ts';
import { WriteQueue } from './write/write-queue.ts';
import { decideStall, type Stall } from './write/write-stall.ts';

export interface StoreParts {
  readonly directory: string;
  readonly options: ResolvedOptions;
  readonly resources: Resources;
  readonly storeId: Uint8Array;
  readonly versions: VersionSet;
  readonly wal: WalWriter;
  readonly tables: Tables;
  readonly blockCache: BlockCache;
  readonly poison: Poison;
  readonly counters: Counters;
  readonly lastSequence: SequenceNumber;
  /** Where the write-ahead log stood when the store was opened. */
  readonly startLsn: number;
}

const MAX_FROZEN_MEMTABLES = 2;
/** Level-0 tables at which writers wait, as a multiple of those that start a compaction. */
const LEVEL0_STALL_FACTOR = 3;

export class Store {
  readonly parts: StoreParts;
  readonly memtables: MemtableList;
  readonly snapshots: SnapshotList = new SnapshotList();
  readonly #writes: WriteQueue;
  readonly #committer: Committer;
  readonly #intervalSync: IntervalSync;
  readonly #scheduler: Scheduler;
  readonly #remover: ObsoleteRemover;
  /** For each level the largest key of the last compaction there. */
  readonly #compactionPointers: (Uint8Array | undefined)[] = [];

  constructor(parts: StoreParts) {
    this.parts = parts;
    const { options, resources, wal, poison, counters, lastSequence } = parts;
    this.memtables = new MemtableList(wal.fileNumber);
    this.#intervalSync = new IntervalSync(resources.clock, options.intervalMs, () => this.#syncInBackground());
    this.#scheduler = new Scheduler(
      {
        flushOne: () => this.#flushOne(),
        compactOne: (signal) => this.#compactOne(signal),
        onFailure: (job, error) => options.onEvent({ kind: 'warning', message: `${job} stopped: ${error.message}` }),
      },
      poison,
    );
    this.#committer = new Committer({
      wal,
      memtables: this.memtables,
      poison,
      intervalSync: this.#intervalSync,
      counters,
      lastSequence,
      memtableBytes: options.memtableBytes,
      decideStall: () => this.#decideStall(),
      waitOut: ({ job, reason }) => {
        options.onEvent({ kind: 'stalled', reason });
        return this.#scheduler.waitFor(job);
      },
      onFrozen: () => this.#scheduler.kick(),
    });
    this.#writes = new WriteQueue(this.#committer);
    this.#remover = this.#createRemover();
  }

  /** The newest write that readers see. */
  get lastSequence(): SequenceNumber {
    return this.#committer.lastSequence;
  }

  /** Starts whatever background work is due. */
  start(): void {
    this.#remover.kick();
    this.#scheduler.kick();
  }

  /** Told by the version set that files may have become unneeded. */
  onObsolete(): void {
    this.#remover.kick();
  }

  /** Commits `batch`, whose bytes must not change meanwhile. Durability: as asked, once this resolves. */
  write(batch: WriteBatch, durability: Durability): Promise<WriteResult> {
    return this.#writes.submit({ payload: batch.bytes, count: batch.count, durability });
  }

  /** The value of `key` at `sequence`, in an array of the caller's own. */
  get(key: Uint8Array, sequence: SequenceNumber): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const found = this.memtables.get(key, sequence);
    return found === undefined ? this.#getFromTables(key, sequence) : copyValue(found);
  }

  /** A cursor over everything there is now. What it reads stays until it is closed. */
  openCursor(direction: Direction): Cursor {
    const version = this.parts.versions.current.retain();
    const [level0, ...deeper] = version.levels;
    const runs = [...level0!.map((table) => [table]), ...deeper.filter((tables) => tables.length > 0)];
    const cursor = new MergingCursor(
      [
        ...this.memtables.all().map((memtable) => memtable.cursor(direction)),
        ...runs.map((tables) => new LevelCursor(tables, direction, this.#openTableCursor)),
      ],
      direction,
    );
    return releaseOnClose(cursor, () => version.release());
  }

  /** Moves everything accepted so far into tables; does not wait for what is written meanwhile. */
  async flush(): Promise<void> {
    let wanted = 0;
    await this.#writes.runAlone(async () => {
      await this.#committer.freeze();
      wanted = this.lastSequence;
    });
    while (this.parts.versions.flushedSequence < wanted) await this.#scheduler.waitFor('flush');
  }

  /**
   * Finishes accepted writes, flushes, and records where the log ends. Closes every file in any case.
   *
   * Requires: no read or write is started afterwards.
   * @throws EngineError KAYA_ENGINE_POISONED when the store is poisoned: what is on disk is left as it is.
   */
  async close(): Promise<void> {
    const { versions, wal, tables } = this.parts;
    await runAll(`closing ${this.parts.directory}`, [
      () => this.#finish(),
      () => this.#scheduler.idle(),
      () => this.#remover.idle(),
      () => wal.close(),
      () => versions.close(),
      () => tables.close(),
    ]);
  }

  async #finish(): Promise<void> {
    const { versions, wal, poison } = this.parts;
    await this.#writes.idle();
    await this.#scheduler.stopCompaction();
    this.snapshots.closeAll();
    this.#intervalSync.close();
    poison.check();
    await this.flush();
    try {
      await wal.sync();
      await versions.apply({
        cleanClose: { segment: wal.fileNumber, endLsn: wal.endLsn, lastSequence: this.lastSequence },
      });
    } catch (error) {
      throw isUndone(error) ? error : poison.set(error);
    }
  }

  async #getFromTables(key: Uint8Array, sequence: SequenceNumber): Promise<Uint8Array | undefined> {
    const { versions, tables } = this.parts;
    const version = versions.current.retain();
    try {
      const found = await lookUpInTables(version, key, sequence, (table, wanted, maxSequence) =>
        tables.get(table, wanted, maxSequence),
      );
      return copyValue(found);
    } finally {
      version.release();
    }
  }

  readonly #openTableCursor: OpenTableCursor = (table, direction) => this.parts.tables.openCursor(table, direction);

  #decideStall(): Stall | undefined {
    return decideStall(
      {
        frozenMemtables: this.memtables.frozenCount,
        level0Tables: this.parts.versions.current.levels[0]!.length,
      },
      {
        maxFrozenMemtables: MAX_FROZEN_MEMTABLES,
        maxLevel0Tables: this.parts.options.level0Tables * LEVEL0_STALL_FACTOR,
      },
    );
  }

  async #flushOne(): Promise<boolean> {
    const { resources, versions, wal, counters, options } = this.parts;
    if (this.memtables.frozenCount === 0) return false;
    const stop = counters.start(counters.flushes);
    const tables = await runFlush({
      ...resources,
      memtables: this.memtables,
      versions,
      snapshots: () => this.snapshots.sequences(),
      output: this.#tableOutput('none'),
    });
    const durationUs = stop();
    await wal.release(versions.oldestSegment);
    for (const table of tables ?? []) {
      options.onEvent({ kind: 'flushed', fileNumber: table.fileNumber, bytes: table.fileBytes, durationUs });
    }
    return true;
  }

  async #compactOne(signal: AbortSignal): Promise<boolean> {
    const { resources, versions, counters, options } = this.parts;
    const choice = pickCompaction(versions.current.levels, this.#compactionPointers, options);
    if (choice.kind === 'none' || signal.aborted) return false;
    const stop = counters.start(counters.compactions);
    try {
      const result = await runCompaction(choice, {
        ...resources,
        versions,
        snapshots: () => this.snapshots.sequences(),
        // What a merge reads is read once: it must not push out of the cache what readers come back to.
        openTableCursor: (table, direction) => this.parts.tables.openCursor(table, direction, { fillCache: false }),
        output: this.#tableOutput(options.compression),
        signal,
      });
      if (result === undefined) return false;
      const { fromLevel, largestKey, inputs, outputs } = result;
      this.#compactionPointers[fromLevel] = largestKey;
      counters.compactionBytesRead += totalBytes(inputs);
      counters.compactionBytesWritten += choice.kind === 'move' ? 0 : totalBytes(outputs);
      options.onEvent({
        kind: 'compacted',
        fromLevel,
        toLevel: fromLevel + 1,
        inputTables: inputs.length,
        outputTables: outputs.length,
        durationUs: stop(),
      });
      return true;
    } catch (error) {
      if (error instanceof EngineError && error.code === 'KAYA_ABORTED') return false;
      throw error;
    }
  }

  #tableOutput(compression: 'zstd' | 'none'): TableOutputOptions {
    const { resources, directory, storeId, options, versions, tables } = this.parts;
    return {
      fileSystem: resources.fileSystem,
      directory,
      table: { storeId, compression, zstdLevel: options.zstdLevel, blockBytes: options.blockBytes },
      targetBytes: options.tableBytes,
      reserveTable: () => versions.reserveTable(),
      releaseTable: (fileNumber) => versions.releaseTable(fileNumber),
      checkTable: (table) => tables.check(table),
    };
  }

  /** Never rejects: a failure poisons the store, and the next write says so. */
  async #syncInBackground(): Promise<void> {
    const { wal, poison, counters } = this.parts;
    if (poison.cause !== undefined) return;
    const stop = counters.start(counters.walSyncs);
    try {
      await wal.sync();
      stop();
    } catch (error) {
      poison.set(error);
    }
  }

  #createRemover(): ObsoleteRemover {
    const { resources, directory, versions, poison, tables, options } = this.parts;
    return new ObsoleteRemover({
      fileSystem: resources.fileSystem,
      directory,
      filesInUse: () => ({
        tables: versions.liveTables(),
        manifestNumber: versions.manifestNumber,
        oldestSegment: versions.oldestSegment,
        nextFileNumber: versions.nextFileNumber,
      }),
      isAllowed: () => poison.cause === undefined,
      onRemoveTable: (fileNumber) => tables.evict(fileNumber),
      onFailure: (error) => {
        options.onEvent({ kind: 'warning', message: `an unneeded file could not be removed: ${error.message}` });
      },
    });
  }
}

function releaseOnClose(cursor: MergingCursor, release: () => void): Cursor {
  let closed = false;
  return {
    get entry() {
      return cursor.entry;
    },
    seekToStart: () => cursor.seekToStart(),
    seek: (key) => cursor.seek(key),
    next: () => cursor.next(),
    close: () => {
      cursor.close();
      if (!closed) release();
      closed = true;
    },
  };
}

function totalBytes(tables: readonly TableMeta[]): number {
  return tables.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
}
