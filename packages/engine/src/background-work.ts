/** The flushes and compactions of an open store: what is due, how it is run, who is told. */

import { runCompaction } from './compaction/compaction-job.ts';
import { runFlush } from './compaction/flush-job.ts';
import { pickCompaction } from './compaction/leveled.ts';
import { type BackgroundJob, Scheduler } from './compaction/scheduler.ts';
import type { TableOutputOptions } from './compaction/table-output.ts';
import { EngineError } from './errors.ts';
import type { MemtableList } from './memtable/memtable-list.ts';
import type { SnapshotList } from './snapshot/snapshot-list.ts';
import type { StoreParts } from './store.ts';
import type { TableMeta } from './version/table-meta.ts';
import { decideStall, type Stall } from './write/write-stall.ts';

const MAX_FROZEN_MEMTABLES = 2;
/** Level-0 tables at which writers wait, as a multiple of those that start a compaction. */
const LEVEL0_STALL_FACTOR = 3;

export interface BackgroundWorkParts extends StoreParts {
  readonly memtables: MemtableList;
  readonly snapshots: SnapshotList;
}

export class BackgroundWork {
  readonly #parts: BackgroundWorkParts;
  readonly #scheduler: Scheduler;
  /** For each level the largest key of the last compaction there. */
  readonly #compactionPointers: (Uint8Array | undefined)[] = [];

  constructor(parts: BackgroundWorkParts) {
    this.#parts = parts;
    const { options, poison } = parts;
    this.#scheduler = new Scheduler(
      {
        flushOne: () => this.#flushOne(),
        compactOne: (signal) => this.#compactOne(signal),
        onFailure: (job, error) => options.onEvent({ kind: 'warning', message: `${job} stopped: ${error.message}` }),
      },
      poison,
    );
  }

  /** Looks for work unless it is being done already. */
  kick(): void {
    this.#scheduler.kick();
  }

  /** As `Scheduler.waitFor`. */
  waitFor(job: BackgroundJob): Promise<void> {
    return this.#scheduler.waitFor(job);
  }

  /** Ends compaction at its next pause. Flushes may still be asked for afterwards. */
  stopCompaction(): Promise<void> {
    return this.#scheduler.stopCompaction();
  }

  /** Resolves when no job is running. */
  idle(): Promise<void> {
    return this.#scheduler.idle();
  }

  /** Why writers must wait now, if they must. */
  decideStall(): Stall | undefined {
    const { memtables, versions, options } = this.#parts;
    return decideStall(
      {
        frozenMemtables: memtables.frozenCount,
        level0Tables: versions.current.levels[0]!.length,
      },
      {
        maxFrozenMemtables: MAX_FROZEN_MEMTABLES,
        maxLevel0Tables: options.level0Tables * LEVEL0_STALL_FACTOR,
      },
    );
  }

  async #flushOne(): Promise<boolean> {
    const { resources, versions, memtables, snapshots, wal, counters, options } = this.#parts;
    if (memtables.frozenCount === 0) return false;
    const stop = counters.start(counters.flushes);
    const tables = await runFlush({
      ...resources,
      memtables,
      versions,
      snapshots: () => snapshots.sequences(),
      output: this.#tableOutput('none', 0),
    });
    const durationUs = stop();
    await wal.release(versions.oldestSegment);
    const { durableIndex } = versions;
    for (const { fileNumber, fileBytes } of tables ?? []) {
      options.onEvent({ kind: 'flushed', fileNumber, bytes: fileBytes, durationUs, durableIndex });
    }
    return true;
  }

  async #compactOne(signal: AbortSignal): Promise<boolean> {
    const { resources, versions, counters, options, snapshots } = this.#parts;
    const choice = pickCompaction(versions.current.levels, this.#compactionPointers, options);
    if (choice.kind === 'none' || signal.aborted) return false;
    const stop = counters.start(counters.compactions);
    try {
      const result = await runCompaction(choice, {
        ...resources,
        versions,
        snapshots: () => snapshots.sequences(),
        // What a merge reads is read once: it must not push out of the cache what readers come back to.
        openTableCursor: (table, direction) => this.#parts.tables.openCursor(table, direction, { fillCache: false }),
        output: this.#tableOutput(options.compression, choice.level + 1),
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

  #tableOutput(compression: 'zstd' | 'none', level: number): TableOutputOptions {
    const { resources, directory, storeId, options, versions, tables } = this.#parts;
    const zstdLevel = options.zstdLevels[Math.min(level, options.zstdLevels.length) - 1] ?? 0;
    return {
      fileSystem: resources.fileSystem,
      directory,
      table: {
        storeId,
        compression: zstdLevel === 0 ? 'none' : compression,
        zstdLevel: Math.max(1, zstdLevel),
        blockBytes: options.blockBytes,
      },
      targetBytes: options.tableBytes,
      reserveTable: () => versions.reserveTable(),
      releaseTable: (fileNumber) => versions.releaseTable(fileNumber),
      checkTable: (table) => tables.check(table),
    };
  }
}

function totalBytes(tables: readonly TableMeta[]): number {
  return tables.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
}
