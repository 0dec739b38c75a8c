/** Where new tables are made: in this thread, or in worker threads of their own. */

import type { Worker } from 'node:worker_threads';

import type { FileNumber } from '../key/internal-key.ts';
import type { Memtable } from '../memtable/memtable.ts';
import type { Resources } from '../resources.ts';
import { runAll } from '../run-all.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { totalBytes } from './level-targets.ts';
import { MemtableRun } from './memtable-run.ts';
import { startWorker } from './start-worker.ts';
import { flushEntries, type MergeTablesJob, mergeTables, type TableJob, type TableWorld } from './table-work.ts';
import type { WorkerTask } from './worker-messages.ts';
import { WorkerThread } from './worker-thread.ts';

/** Whose numbers new tables get. A reserved one counts as live until an edit names its table or it is released. */
export interface TableNumbers {
  reserveTable(): FileNumber;
  releaseTable(fileNumber: FileNumber): void;
}

/**
 * Runs at most one flush and one merge at a time.
 *
 * Durability: the tables that a call resolves to are synced, their names too. They have not been opened again. What a call reserved and
 * does not return is released.
 */
export interface TableMaker {
  flush(job: TableJob, memtable: Memtable): Promise<readonly TableMeta[]>;
  /** @throws EngineError KAYA_ABORTED soon after `signal` fires. */
  merge(job: MergeTablesJob, signal?: AbortSignal): Promise<readonly TableMeta[]>;
  /** Requires: nothing is running. Idempotent. */
  close(): Promise<void>;
}

type InlineResources = Pick<Resources, 'fileSystem' | 'clock' | 'yieldTurn'>;

/** In this thread, a few milliseconds at a time. */
export class InlineTableMaker implements TableMaker {
  readonly #resources: InlineResources;
  readonly #numbers: TableNumbers;

  constructor(resources: InlineResources, numbers: TableNumbers) {
    this.#resources = resources;
    this.#numbers = numbers;
  }

  flush(job: TableJob, memtable: Memtable): Promise<readonly TableMeta[]> {
    return flushEntries(job, this.#world(), new MemtableRun(memtable.share()));
  }

  merge(job: MergeTablesJob, signal?: AbortSignal): Promise<readonly TableMeta[]> {
    return mergeTables(job, { ...this.#world(), ...(signal !== undefined && { signal }) });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #world(): TableWorld {
    const numbers = this.#numbers;
    const { fileSystem, clock, yieldTurn } = this.#resources;
    return {
      fileSystem,
      clock,
      yieldTurn,
      reserveTable: () => numbers.reserveTable(),
      releaseTable: (fileNumber) => numbers.releaseTable(fileNumber),
    };
  }
}

/** What is done without a thread: less work than starting one. */
export interface SmallJobs {
  readonly maker: TableMaker;
  /** Jobs that read fewer bytes than this are small. */
  readonly belowBytes: number;
}

export interface WorkerTableMakerOptions {
  /** By default every job goes to a worker. */
  readonly small?: SmallJobs;
  /** Starts a thread; tests give their own. */
  readonly start?: () => Worker;
}

/** In two worker threads, so that a flush never waits for a merge; each is started by the first job that it gets. */
export class WorkerTableMaker implements TableMaker {
  readonly #numbers: TableNumbers;
  readonly #small: SmallJobs | undefined;
  readonly #flushes: WorkerThread;
  readonly #merges: WorkerThread;

  constructor(numbers: TableNumbers, options: WorkerTableMakerOptions = {}) {
    const { small, start = () => startWorker('background-worker', import.meta.url) } = options;
    this.#numbers = numbers;
    this.#small = small;
    this.#flushes = new WorkerThread(start);
    this.#merges = new WorkerThread(start);
  }

  flush(job: TableJob, memtable: Memtable): Promise<readonly TableMeta[]> {
    const small = this.#smallMaker(memtable.dataBytes);
    if (small !== undefined) return small.flush(job, memtable);
    return this.#run(this.#flushes, { kind: 'flush', job, memtable: memtable.share() }, 1);
  }

  merge(job: MergeTablesJob, signal?: AbortSignal): Promise<readonly TableMeta[]> {
    const inputBytes = totalBytes(job.runs.flat());
    const small = this.#smallMaker(inputBytes);
    if (small !== undefined) return small.merge(job, signal);
    const expected = Math.ceil(inputBytes / job.targetBytes);
    return this.#run(this.#merges, { kind: 'merge', job }, expected, signal);
  }

  async close(): Promise<void> {
    await runAll('closing the table makers', [() => this.#flushes.close(), () => this.#merges.close()]);
  }

  #smallMaker(inputBytes: number): TableMaker | undefined {
    return this.#small !== undefined && inputBytes < this.#small.belowBytes ? this.#small.maker : undefined;
  }

  async #run(
    thread: WorkerThread,
    task: WorkerTask,
    expectedTables: number,
    signal?: AbortSignal,
  ): Promise<readonly TableMeta[]> {
    const reserved: FileNumber[] = [];
    const reserveTable = (): FileNumber => {
      const fileNumber = this.#numbers.reserveTable();
      reserved.push(fileNumber);
      return fileNumber;
    };
    for (let i = 0; i < expectedTables; i++) reserveTable();
    let tables: readonly TableMeta[] = [];
    try {
      tables = await thread.run(task, { fileNumbers: [...reserved], reserveTable, signal });
      return tables;
    } finally {
      const named = new Set(tables.map(({ fileNumber }) => fileNumber));
      for (const fileNumber of reserved) if (!named.has(fileNumber)) this.#numbers.releaseTable(fileNumber);
    }
  }
}
