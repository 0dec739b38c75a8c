/** The flushes and compactions of an open store: what is due, how it is run, who is told. */

import type { CompactionChoice } from './compaction/choice.ts';
import { type CompactionResult, runCompaction } from './compaction/compaction-job.ts';
import { runFlush } from './compaction/flush-job.ts';
import { compactionDebt, totalBytes } from './compaction/level-targets.ts';
import { pickCompaction } from './compaction/leveled.ts';
import { RangeRequests } from './compaction/range-requests.ts';
import { type BackgroundJob, Scheduler } from './compaction/scheduler.ts';
import { InlineTableMaker, type TableMaker, WorkerTableMaker } from './compaction/table-maker.ts';
import type { TableJob } from './compaction/table-work.ts';
import { EngineError } from './errors.ts';
import type { SequenceNumber } from './key/internal-key.ts';
import type { MemtableList } from './memtable/memtable-list.ts';
import type { KeySpan } from './range-delete/range-delete.ts';
import type { SnapshotList } from './snapshot/snapshot-list.ts';
import type { DiskGuard } from './space/disk-guard.ts';
import type { StoreParts } from './store.ts';
import { LEVEL_COUNT, type TableMeta } from './version/table-meta.ts';
import type { Version } from './version/version.ts';
import type { WritePressure } from './write/write-stall.ts';

export interface BackgroundWorkParts extends StoreParts {
  readonly memtables: MemtableList;
  readonly snapshots: SnapshotList;
  readonly space: DiskGuard;
}

/** Less than this is in a table sooner than a thread has started: a store that is opened, written a little and closed needs none. */
const SMALL_JOB_BYTES = 1024 * 1024;

export class BackgroundWork {
  readonly #parts: BackgroundWorkParts;
  readonly #scheduler: Scheduler;
  readonly #maker: TableMaker;
  readonly #requests: RangeRequests;
  /** What `pressure` last worked out, and of which version: writers ask far more often than versions change. */
  #debt: { readonly version: Version; readonly bytes: number } | undefined;

  constructor(parts: BackgroundWorkParts) {
    this.#parts = parts;
    const { options, poison, resources, versions } = parts;
    const inline = new InlineTableMaker(resources, versions);
    // Where memtables are small, so is every job; those of full ones are for the workers even so.
    const belowBytes = Math.min(SMALL_JOB_BYTES, options.memtableBytes / 2);
    this.#maker =
      options.backgroundWork === 'worker'
        ? new WorkerTableMaker(versions, { small: { maker: inline, belowBytes } })
        : inline;
    this.#requests = new RangeRequests(options, settledLevel(options));
    this.#scheduler = new Scheduler(
      {
        flushOne: () => this.#flushOne(),
        compactOne: (signal) => this.#compactOne(signal),
        onFailure: (job, error) => {
          if (job === 'compaction') this.#requests.failAll(error);
          options.onEvent({ kind: 'warning', message: `${job} stopped: ${error.message}` });
        },
      },
      poison,
    );
  }

  /** Looks for work unless it is being done already. */
  kick(): void {
    this.#scheduler.kick();
  }

  /** Looks for what a snapshot held back. @param sequence - Nobody reads at it or before it any more. */
  kickAfterSnapshot(sequence: SequenceNumber): void {
    // A reader at or behind everything in tables hides nothing of them from compaction.
    if (sequence < this.#parts.versions.flushedSequence) this.kick();
  }

  /** As `Scheduler.waitFor`. */
  waitFor(job: BackgroundJob): Promise<void> {
    return this.#scheduler.waitFor(job);
  }

  /**
   * Merges everything that has keys in `span` down as far as it goes, among the compactions that are due anyway. Resolves when only what
   * readers can see of what is in tables now is left of it.
   *
   * @param span - All keys when undefined.
   * @throws What a compaction fails with; EngineError KAYA_ENGINE_CLOSED when `stopCompaction` comes first.
   */
  compactRange(span: KeySpan | undefined): Promise<void> {
    const done = this.#requests.add(span, this.#parts.versions.nextFileNumber);
    this.kick();
    return done;
  }

  /** Ends compaction at its next pause. Flushes may still be asked for afterwards. */
  async stopCompaction(): Promise<void> {
    this.#requests.close();
    await this.#scheduler.stopCompaction();
  }

  /** Resolves when no job is running. */
  idle(): Promise<void> {
    return this.#scheduler.idle();
  }

  /** Ends the worker threads. Requires: idle. Idempotent. */
  close(): Promise<void> {
    return this.#maker.close();
  }

  /** What background work has before it. Cheap: asked with every commit group. */
  pressure(): WritePressure {
    const { memtables, versions, options } = this.#parts;
    const version = versions.current;
    if (this.#debt?.version !== version) this.#debt = { version, bytes: compactionDebt(version.levels, options) };
    return {
      frozenMemtables: memtables.frozenCount,
      level0Tables: version.levels[0]!.length,
      debtBytes: this.#debt.bytes,
    };
  }

  async #flushOne(): Promise<boolean> {
    const { versions, memtables, snapshots, wal, counters, options, tables, directory, space } = this.#parts;
    if (memtables.frozenCount === 0) return false;
    const stop = counters.start(counters.flushes);
    const flush = (): Promise<readonly TableMeta[] | undefined> =>
      runFlush({
        memtables,
        versions,
        maker: this.#maker,
        check: (table) => tables.check(table),
        snapshots: snapshots.sequences(),
        table: this.#tableOf(0),
        directory,
        hasExternalLog: options.log === 'external',
      });
    const added = await space.withRoom(flush);
    const durationUs = stop();
    await wal.release(versions.oldestSegment);
    space.kick();
    const { durableIndex } = versions;
    for (const { fileNumber, fileBytes } of added ?? []) {
      options.onEvent({ kind: 'flushed', fileNumber, bytes: fileBytes, durationUs, durableIndex });
    }
    return true;
  }

  async #compactOne(signal: AbortSignal): Promise<boolean> {
    const { versions, counters, options, snapshots, directory, tables, space } = this.#parts;
    if (signal.aborted) return false;
    const choice = this.#pick(snapshots.sequences()[0]);
    if (choice.kind === 'none') return false;
    const stop = counters.start(counters.compactions);
    // What was picked counts as carried out, so it is the same that is tried again; for the range deletes and snapshots of that time.
    const compact = (): Promise<CompactionResult | undefined> =>
      runCompaction(choice, {
        versions,
        maker: this.#maker,
        check: (table: TableMeta) => tables.check(table),
        snapshots: snapshots.sequences(),
        directory,
        tableOf: (level) => this.#tableOf(level),
        targetBytes: options.tableBytes,
        bytesPerSecond: options.compactionBytesPerSecond,
        signal,
      });
    try {
      const result = await space.withRoom(compact);
      if (result !== undefined) this.#report(result, stop());
      space.kick();
      return result !== undefined;
    } catch (error) {
      if (error instanceof EngineError && error.code === 'KAYA_ABORTED') return false;
      throw error;
    }
  }

  /** The next compaction: what is due by itself and what was asked for take turns. */
  #pick(oldestSnapshot: number | undefined): CompactionChoice {
    const { versions, options } = this.#parts;
    const { levels } = versions.current;
    const due = pickCompaction({ levels, rangeDeletes: versions.rangeDeletes, oldestSnapshot }, options);
    return this.#requests.takeTurn(due, levels);
  }

  #report({ fromLevel, toLevel, inputs, outputs, isRewritten }: CompactionResult, durationUs: number): void {
    const { counters, options } = this.#parts;
    if (isRewritten) {
      counters.compactionBytesRead += totalBytes(inputs);
      counters.compactionBytesWritten += totalBytes(outputs);
    }
    options.onEvent({
      kind: 'compacted',
      fromLevel,
      toLevel,
      inputTables: inputs.length,
      outputTables: outputs.length,
      durationUs,
    });
  }

  /** Level 0 is never compressed: its tables are read often and merged soon. */
  #tableOf(level: number): TableJob['table'] {
    const { storeId, options } = this.#parts;
    const { zstdLevels, blockBytes, compression } = options;
    const zstdLevel = level === 0 ? 0 : zstdLevels[Math.min(level, zstdLevels.length) - 1]!;
    return {
      storeId,
      compression: zstdLevel === 0 ? 'none' : compression,
      zstdLevel: Math.max(1, zstdLevel),
      blockBytes,
    };
  }
}

/** The first level whose tables are compressed as those of all deeper ones are; 1 where nothing is. */
function settledLevel({ compression, zstdLevels }: Pick<StoreParts['options'], 'compression' | 'zstdLevels'>): number {
  const isCompressed = compression === 'zstd' && zstdLevels.some((level) => level > 0);
  return isCompressed ? Math.min(zstdLevels.length, LEVEL_COUNT - 1) : 1;
}
