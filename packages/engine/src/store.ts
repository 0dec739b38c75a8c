/**
 * The parts of an open store, wired together: write path, read path, background work, closing.
 * `open.ts` makes one; `engine.ts` stands in front of it and speaks to users.
 */

import { equalBytes } from '@kayadb/codec';

import { BackgroundWork } from './background-work.ts';
import type { Counters } from './counters.ts';
import type { ExpectedValue } from './engine-input.ts';
import { isUndone } from './files/disk-outcome.ts';
import { ObsoleteRemover } from './files/obsolete-remover.ts';
import type { ScanParts } from './iterate/open-scan.ts';
import type { SequenceNumber } from './key/internal-key.ts';
import { WriteBatch } from './key/write-batch.ts';
import { limitsOf } from './limits.ts';
import { MemtableList } from './memtable/memtable-list.ts';
import type { Memtable } from './memtable/memtable.ts';
import type { ResolvedOptions } from './options.ts';
import { RangeDeleteIndex } from './range-delete/range-delete-index.ts';
import type { KeySpan } from './range-delete/range-delete.ts';
import { ReadPath } from './read-path.ts';
import type { Resources } from './resources.ts';
import { runAll } from './run-all.ts';
import { Scrubber } from './scrub/scrubber.ts';
import { SnapshotList } from './snapshot/snapshot-list.ts';
import { captureImage, type StoreImage } from './snapshot/store-image.ts';
import { DiskGuard } from './space/disk-guard.ts';
import { ReserveFile } from './space/reserve-file.ts';
import type { BlockCache } from './sstable/block-cache.ts';
import type { Tables } from './sstable/tables.ts';
import type { BytesLike, CompareResult, Durability, WriteResult } from './types.ts';
import type { VersionSet } from './version/version-set.ts';
import type { WriteLog } from './wal/write-log.ts';
import { Committer } from './write/committer.ts';
import { IntervalSync } from './write/interval-sync.ts';
import type { Poison } from './write/poison.ts';
import type { PendingWrite } from './write/queued-write.ts';
import { Throttle } from './write/throttle.ts';
import { WriteQueue } from './write/write-queue.ts';
import { decideStall, writeLimits } from './write/write-stall.ts';

/** A longer value has a payload of its own: one writer's does not fill what many share. */
const MAX_SHARED_VALUE_LENGTH = 16 * 1024;

export interface StoreParts {
  readonly directory: string;
  readonly options: ResolvedOptions;
  readonly resources: Resources;
  readonly storeId: Uint8Array;
  readonly versions: VersionSet;
  readonly wal: WriteLog;
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
  readonly snapshots: SnapshotList;
  readonly rangeDeletes: RangeDeleteIndex;
  readonly reads: ReadPath;
  readonly space: DiskGuard;
  readonly scrubber: Scrubber;
  /** Of the last write accepted. */
  #appliedIndex: number;
  readonly #writes: WriteQueue;
  readonly #committer: Committer;
  readonly #intervalSync: IntervalSync;
  readonly #throttle: Throttle;
  readonly #background: BackgroundWork;
  readonly #remover: ObsoleteRemover;

  constructor(parts: StoreParts) {
    this.parts = parts;
    const { options, resources, wal, poison, counters, lastSequence, versions, tables } = parts;
    this.#appliedIndex = versions.durableIndex ?? 0;
    // What a snapshot held back may be due now.
    this.snapshots = new SnapshotList((sequence) => this.#background.kickAfterSnapshot(sequence));
    this.memtables = new MemtableList(wal.fileNumber, { recycle: true });
    this.#intervalSync = new IntervalSync(resources.clock, options.intervalMs, () => this.#syncInBackground());
    this.space = createDiskGuard(parts);
    this.scrubber = new Scrubber(parts);
    const { memtables, snapshots, space } = this;
    this.#background = new BackgroundWork({ ...parts, memtables, snapshots, space });
    this.rangeDeletes = new RangeDeleteIndex({ memtables: this.memtables, versions });
    this.reads = new ReadPath({ memtables: this.memtables, versions, tables, rangeDeletes: this.rangeDeletes });
    const limits = writeLimits(options);
    this.#throttle = new Throttle({
      ...resources,
      limits,
      counters,
      pressure: () => ({
        ...this.#background.pressure(),
        activeShare: this.memtables.active.dataBytes / options.memtableBytes,
      }),
      onEvent: options.onEvent,
    });
    this.#committer = new Committer({
      wal,
      memtables: this.memtables,
      poison,
      intervalSync: this.#intervalSync,
      counters,
      lastSequence,
      memtableBytes: options.memtableBytes,
      throttle: this.#throttle,
      space,
      decideStall: () => decideStall(this.#background.pressure(), limits),
      waitOut: ({ job, reason }) => {
        options.onEvent({ kind: 'stalled', reason });
        return this.#background.waitFor(job);
      },
      onFrozen: () => this.#background.kick(),
    });
    this.#writes = new WriteQueue(this.#committer, limitsOf(options.log));
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
    this.space.start();
    this.scrubber.start();
  }

  /** Told by the version set that files may have become unneeded. */
  onObsolete(): void {
    this.#remover.kick();
  }

  /** What scans are made of. */
  get scanParts(): ScanParts {
    const { versions, tables, resources } = this.parts;
    return { memtables: this.memtables, versions, tables, rangeDeletes: this.rangeDeletes, resources };
  }

  /** An empty batch, for `write`. */
  takeBatch(): WriteBatch {
    return this.#writes.takeBatch();
  }

  /** Commits `batch`, which is the store's from now on. Durability: as asked, once this resolves. */
  write(batch: WriteBatch, durability: Durability, appliedIndex: number | undefined): Promise<WriteResult> {
    return this.#writes.submit({ ...pendingWrite(batch, durability, appliedIndex), batch });
  }

  /** As `write`, of one operation; key and value are copied. @throws What `WriteBatch.put` throws. */
  put(key: BytesLike, value: BytesLike, durability: Durability): Promise<WriteResult> {
    // Whatever has no length is not a value, which the batch says in words.
    if (value?.length <= MAX_SHARED_VALUE_LENGTH) return this.#writes.submitPut(key, value, durability);
    return this.write(new WriteBatch(limitsOf(this.parts.options.log)).put(key, value), durability, undefined);
  }

  /** As `put`. */
  delete(key: BytesLike, durability: Durability): Promise<WriteResult> {
    return this.#writes.submitDelete(key, durability);
  }

  /** As `write`, if every key has the value expected of it when the batch's turn comes. */
  async writeIf(
    expected: readonly ExpectedValue[],
    batch: WriteBatch,
    durability: Durability,
    appliedIndex: number | undefined,
  ): Promise<CompareResult> {
    let refused: CompareResult | undefined;
    const written = await this.#writes.submitIf(pendingWrite(batch, durability, appliedIndex), async () => {
      refused = await this.#findUnmet(expected);
      return refused === undefined;
    });
    return written === undefined ? refused! : { applied: true, ...written };
  }

  /**
   * The applied index of the next write, checked.
   *
   * @throws RangeError, TypeError unless the log is external and the index is not smaller than the one before, or is that of a write that
   * failed; or the log is the store's own and there is no index.
   */
  nextAppliedIndex(asked: number | undefined): number | undefined {
    if (this.parts.options.log === 'own') {
      if (asked === undefined) return undefined;
      throw new TypeError("appliedIndex is for stores with log 'external'; this one has a log of its own");
    }
    const isRepeated = asked !== undefined && asked === this.#committer.missingIndex;
    if (!isRepeated && (!Number.isSafeInteger(asked) || asked! < this.#appliedIndex)) {
      throw new RangeError(`appliedIndex must be a whole number from ${this.#appliedIndex} on, not ${String(asked)}`);
    }
    this.#appliedIndex = asked!;
    return asked;
  }

  /** Moves everything accepted so far into tables; does not wait for what is written meanwhile. */
  async flush(): Promise<void> {
    await this.#flushThrough(await this.#freeze());
  }

  /**
   * As `flush`, and what tables hold then: everything accepted before the call, and nothing that is accepted later, however many flushes follow at once.
   * The image is the caller's to release.
   */
  async flushedImage(): Promise<StoreImage> {
    const images: StoreImage[] = [];
    const takeBack: (() => void)[] = [];
    const capture = (): void => {
      const image = captureImage(this.parts);
      images.push(image);
      takeBack.push(() => image.release());
    };
    const newest = await this.#freeze((frozen) => {
      if (frozen === undefined) capture();
      else takeBack.push(this.memtables.onceDropped(frozen, capture));
    });
    try {
      await this.#flushThrough(newest);
      return images[0]!;
    } catch (error) {
      for (const step of takeBack) step();
      throw error;
    }
  }

  /** Flushes, then merges what is in `span` as far down as it goes. */
  async compact(span: KeySpan): Promise<void> {
    await this.flush();
    await this.#background.compactRange(span);
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
      // A clean close is the last word of the manifest, which a scrub may replace.
      () => this.scrubber.close(),
      () => this.#finish(),
      () => this.#background.idle(),
      () => this.#background.close(),
      () => this.#remover.idle(),
      () => this.space.close(),
      () => wal.close(),
      () => versions.close(),
      () => tables.close(),
    ]);
  }

  /**
   * Freezes everything accepted so far. @returns The newest memtable that waits for its flush; those before it go first.
   *
   * @param then - Gets the same, before anything that is accepted later.
   */
  async #freeze(then?: (newest: Memtable | undefined) => void): Promise<Memtable | undefined> {
    let newest: Memtable | undefined;
    await this.#writes.runAlone(async () => {
      await this.#committer.freeze();
      newest = this.memtables.newestFrozen();
      then?.(newest);
    });
    return newest;
  }

  async #flushThrough(newest: Memtable | undefined): Promise<void> {
    if (newest === undefined) return;
    while (this.memtables.all().includes(newest)) await this.#background.waitFor('flush');
  }

  async #finish(): Promise<void> {
    const { versions, wal, poison } = this.parts;
    await this.#writes.idle();
    await this.#background.stopCompaction();
    this.snapshots.closeAll();
    this.#intervalSync.close();
    this.#throttle.close();
    poison.check();
    await this.flush();
    try {
      await wal.sync();
      const cleanClose = { segment: wal.fileNumber, endLsn: wal.endLsn, lastSequence: this.lastSequence };
      await this.space.withRoom(() => versions.apply({ cleanClose }));
    } catch (error) {
      throw isUndone(error) ? error : poison.set(error);
    }
  }

  /** What a conditional write is refused with; `undefined` when every key is as expected. */
  async #findUnmet(expected: readonly ExpectedValue[]): Promise<CompareResult | undefined> {
    for (const [failed, { key, value }] of expected.entries()) {
      const actual = await this.reads.get(key, this.lastSequence);
      const isMet = actual === undefined || value === undefined ? actual === value : equalBytes(actual, value);
      if (!isMet) return { applied: false, failed, actual };
    }
    return undefined;
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

function createDiskGuard({ directory, options, resources, poison }: StoreParts): DiskGuard {
  const { fileSystem, clock } = resources;
  const { diskLowBytes: lowBytes, diskReserveBytes: reserveBytes, log, onEvent } = options;
  return new DiskGuard({
    limits: { lowBytes, reserveBytes },
    directory,
    reserve: new ReserveFile({ ...resources, directory, reserveBytes }),
    diskSpace: () => fileSystem.diskSpace(directory),
    clock,
    mayRefuse: log === 'own',
    mayWrite: () => poison.cause === undefined,
    onEvent,
  });
}

function pendingWrite(batch: WriteBatch, durability: Durability, appliedIndex: number | undefined): PendingWrite {
  return { payload: batch.bytes, count: batch.count, durability, appliedIndex };
}
