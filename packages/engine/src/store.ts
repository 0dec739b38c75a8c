/**
 * The parts of an open store, wired together: write path, read path, background work, closing.
 * `open.ts` makes one; `engine.ts` stands in front of it and speaks to users.
 */

import { BackgroundWork } from './background-work.ts';
import type { Counters } from './counters.ts';
import { isUndone } from './files/disk-outcome.ts';
import { ObsoleteRemover } from './files/obsolete-remover.ts';
import type { SequenceNumber } from './key/internal-key.ts';
import type { WriteBatch } from './key/write-batch.ts';
import { MemtableList } from './memtable/memtable-list.ts';
import type { ResolvedOptions } from './options.ts';
import { RangeDeleteIndex } from './range-delete/range-delete-index.ts';
import { ReadPath } from './read-path.ts';
import type { Resources } from './resources.ts';
import { runAll } from './run-all.ts';
import { SnapshotList } from './snapshot/snapshot-list.ts';
import type { BlockCache } from './sstable/block-cache.ts';
import type { Tables } from './sstable/tables.ts';
import type { Durability, WriteResult } from './types.ts';
import type { VersionSet } from './version/version-set.ts';
import type { WalWriter } from './wal/wal-writer.ts';
import { Committer } from './write/committer.ts';
import { IntervalSync } from './write/interval-sync.ts';
import type { Poison } from './write/poison.ts';
import { WriteQueue } from './write/write-queue.ts';

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

export class Store {
  readonly parts: StoreParts;
  readonly memtables: MemtableList;
  readonly snapshots: SnapshotList = new SnapshotList();
  readonly rangeDeletes: RangeDeleteIndex;
  readonly reads: ReadPath;
  readonly #writes: WriteQueue;
  readonly #committer: Committer;
  readonly #intervalSync: IntervalSync;
  readonly #background: BackgroundWork;
  readonly #remover: ObsoleteRemover;

  constructor(parts: StoreParts) {
    this.parts = parts;
    const { options, resources, wal, poison, counters, lastSequence, versions, tables } = parts;
    this.memtables = new MemtableList(wal.fileNumber);
    this.#intervalSync = new IntervalSync(resources.clock, options.intervalMs, () => this.#syncInBackground());
    this.#background = new BackgroundWork({ ...parts, memtables: this.memtables, snapshots: this.snapshots });
    this.rangeDeletes = new RangeDeleteIndex(() => [
      versions.rangeDeletes,
      ...this.memtables.all().map(({ rangeDeletes }) => rangeDeletes),
    ]);
    this.reads = new ReadPath({ memtables: this.memtables, versions, tables, rangeDeletes: this.rangeDeletes });
    this.#committer = new Committer({
      wal,
      memtables: this.memtables,
      poison,
      intervalSync: this.#intervalSync,
      counters,
      lastSequence,
      memtableBytes: options.memtableBytes,
      decideStall: () => this.#background.decideStall(),
      waitOut: ({ job, reason }) => {
        options.onEvent({ kind: 'stalled', reason });
        return this.#background.waitFor(job);
      },
      onFrozen: () => this.#background.kick(),
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
    this.#background.kick();
  }

  /** Told by the version set that files may have become unneeded. */
  onObsolete(): void {
    this.rangeDeletes.invalidate();
    this.#remover.kick();
  }

  /** Commits `batch`, whose bytes must not change meanwhile. Durability: as asked, once this resolves. */
  write(batch: WriteBatch, durability: Durability): Promise<WriteResult> {
    return this.#writes.submit({ payload: batch.bytes, count: batch.count, durability });
  }

  /** Moves everything accepted so far into tables; does not wait for what is written meanwhile. */
  async flush(): Promise<void> {
    let wanted = 0;
    await this.#writes.runAlone(async () => {
      await this.#committer.freeze();
      wanted = this.lastSequence;
    });
    while (this.parts.versions.flushedSequence < wanted) await this.#background.waitFor('flush');
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
      () => this.#background.idle(),
      () => this.#remover.idle(),
      () => wal.close(),
      () => versions.close(),
      () => tables.close(),
    ]);
  }

  async #finish(): Promise<void> {
    const { versions, wal, poison } = this.parts;
    await this.#writes.idle();
    await this.#background.stopCompaction();
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
