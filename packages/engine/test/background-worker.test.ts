/** Flushes and merges in worker threads, on a real folder: the same tables as inline, and every way in which a worker may fail. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { FileSystemError, nodeFileSystem } from '@kayadb/vfs';
import { FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { startWorker } from '../src/compaction/start-worker.ts';
import { InlineTableMaker, type TableNumbers, WorkerTableMaker } from '../src/compaction/table-maker.ts';
import type { MergeTablesJob, TableJob } from '../src/compaction/table-work.ts';
import type { WorkerReply } from '../src/compaction/worker-messages.ts';
import { WorkerSession } from '../src/compaction/worker-session.ts';
import { tableFileName } from '../src/files/file-names.ts';
import { openEngine } from '../src/index.ts';
import { WriteBatch } from '../src/key/write-batch.ts';
import { Memtable } from '../src/memtable/memtable.ts';
import { resolveResources } from '../src/resources.ts';
import { TEST_STORE_ID, writeTable } from '../src/testing/write-table.ts';
import type { TableMeta } from '../src/version/table-meta.ts';
import { put } from './support/entries.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kayadb-worker-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Numbers from 100 on, and which of them are given up. */
class Numbers implements TableNumbers {
  #next = 100;
  readonly released: number[] = [];

  reserveTable(): number {
    return this.#next++;
  }

  releaseTable(fileNumber: number): void {
    this.released.push(fileNumber);
  }
}

function startBackgroundWorker(): Worker {
  return startWorker('background-worker', new URL('../src/compaction/table-maker.ts', import.meta.url).href);
}

function tableJob(more: Partial<TableJob> = {}): TableJob {
  return {
    directory,
    snapshots: [],
    rangeDeletes: [],
    table: { storeId: TEST_STORE_ID, compression: 'zstd', zstdLevel: 1, blockBytes: 1024 },
    targetBytes: 20_000,
    bytesPerSecond: 0,
    ...more,
  };
}

function fullMemtable(): Memtable {
  const memtable = new Memtable();
  for (let i = 1; i <= 1000; i++) {
    const batch = new WriteBatch().put(`key-${(i * 37) % 500}`, `value ${i} `.repeat(1 + (i % 7)));
    memtable.insert(batch.bytes, i);
  }
  memtable.freeze();
  return memtable;
}

/** Tables 1 to 3 of the folder, which overlap. */
async function mergeJob(more: Partial<MergeTablesJob> = {}): Promise<MergeTablesJob> {
  const runs: TableMeta[][] = [];
  for (const fileNumber of [1, 2, 3]) {
    const entries = Array.from({ length: 2000 }, (_, i) =>
      put(String(i * fileNumber).padStart(6, '0'), 10_000 * fileNumber - i, `${i}`.repeat(10)),
    );
    runs.push([await writeTable(nodeFileSystem(), pathOf(fileNumber), entries, { fileNumber })]);
  }
  return { ...tableJob(), runs, below: [], ...more };
}

function pathOf(fileNumber: number): string {
  return join(directory, tableFileName(fileNumber));
}

/** The tables' bytes; the files are removed, so that the next run may make them again. */
function takeBytes(tables: readonly TableMeta[]): readonly string[] {
  return tables.map(({ fileNumber }) => {
    const bytes = readFileSync(pathOf(fileNumber)).toString('hex');
    rmSync(pathOf(fileNumber));
    return bytes;
  });
}

describe('a worker', () => {
  test('makes the same tables as the main thread does, byte for byte', { timeout: 30_000 }, async () => {
    const memtable = fullMemtable();
    const merge = await mergeJob({
      snapshots: [5000],
      rangeDeletes: [{ start: Uint8Array.of(51), end: undefined, sequence: 25_000 }],
    });
    const flush = tableJob({ targetBytes: Number.POSITIVE_INFINITY });
    const inline = new InlineTableMaker(resolveResources({}), new Numbers());
    const numbers = new Numbers();
    const worker = new WorkerTableMaker(numbers, { start: startBackgroundWorker });

    const expected = [await inline.flush(flush, memtable), await inline.merge(merge)];
    const expectedBytes = expected.map(takeBytes);
    const made = [await worker.flush(flush, memtable), await worker.merge(merge)];
    const madeBytes = made.map(takeBytes);
    await worker.close();

    expect(made).toEqual(expected);
    expect(madeBytes).toEqual(expectedBytes);
    expect(expected[1]!.length).toBeGreaterThan(2);
    const named = made.flat().map(({ fileNumber }) => fileNumber);
    expect(numbers.released.filter((fileNumber) => named.includes(fileNumber))).toEqual([]);
  });

  test(
    'asks for more file numbers than were foreseen, and gives all of them back when it fails',
    { timeout: 30_000 },
    async () => {
      const job = await mergeJob({ targetBytes: 2000, table: { storeId: TEST_STORE_ID, compression: 'none' } });
      const numbers = new Numbers();
      const worker = new WorkerTableMaker(numbers, { start: startBackgroundWorker });
      writeFileSync(pathOf(130), 'in the way');

      const merging = worker.merge(job);

      await expect(merging).rejects.toMatchObject({ code: 'KAYA_FS_EXISTS', constructor: FileSystemError });
      expect(numbers.released).toContain(130);
      expect(numbers.released).toEqual(Array.from({ length: numbers.released.length }, (_, i) => 100 + i));
      await worker.close();
    },
  );

  test('ends its task when it is aborted, and takes the next', { timeout: 30_000 }, async () => {
    const job = await mergeJob();
    const worker = new WorkerTableMaker(new Numbers(), { start: startBackgroundWorker });
    const abort = new AbortController();

    const slow = worker.merge({ ...job, bytesPerSecond: 1 }, abort.signal);
    abort.abort();

    await expect(slow).rejects.toMatchObject({ code: 'KAYA_ABORTED' });
    await expect(worker.merge(job)).resolves.not.toHaveLength(0);
    await worker.close();
  });

  test('that ends in the middle of a task fails it without harm, and is replaced', { timeout: 30_000 }, async () => {
    const job = await mergeJob();
    const numbers = new Numbers();
    const workers: Worker[] = [];
    const worker = new WorkerTableMaker(numbers, {
      start: () => {
        workers.push(startBackgroundWorker());
        return workers.at(-1)!;
      },
    });

    const slow = worker.merge({ ...job, bytesPerSecond: 1 });
    void workers[0]!.terminate();

    await expect(slow).rejects.toMatchObject({ code: 'KAYA_WORKER_LOST' });
    expect(numbers.released.length).toBeGreaterThan(0);
    await expect(worker.merge(job)).resolves.not.toHaveLength(0);
    expect(workers).toHaveLength(2);
    await worker.close();
  });

  test('is not started for jobs that are small', { timeout: 30_000 }, async () => {
    const job = await mergeJob();
    const numbers = new Numbers();
    const maker = new InlineTableMaker(resolveResources({}), numbers);
    const inputBytes = job.runs.flat().reduce((sum, { fileBytes }) => sum + fileBytes, 0);
    let started = 0;
    const start = (): Worker => {
      started++;
      return startBackgroundWorker();
    };
    const smaller = new WorkerTableMaker(numbers, { start, small: { maker, belowBytes: inputBytes } });
    const small = new WorkerTableMaker(numbers, { start, small: { maker, belowBytes: inputBytes + 1 } });

    await small.flush(tableJob(), fullMemtable());
    await small.merge(job);
    const startedForSmall = started;
    await smaller.merge(job);
    await smaller.close();

    expect(startedForSmall).toBe(0);
    expect(started).toBe(1);
  });

  test('that cannot even start says why', async () => {
    const worker = new WorkerTableMaker(new Numbers(), {
      start: () => new Worker("throw new Error('no room')", { eval: true }),
    });

    const merging = worker.merge({ ...tableJob(), runs: [], below: [] });

    await expect(merging).rejects.toMatchObject({
      code: 'KAYA_WORKER_LOST',
      message: expect.stringContaining('no room'),
    });
  });

  test('that cannot be made fails the task, not the process', async () => {
    const worker = new WorkerTableMaker(new Numbers(), {
      start: () => {
        throw new Error('no thread');
      },
    });

    const merging = worker.merge({ ...tableJob(), runs: [], below: [] });

    await expect(merging).rejects.toMatchObject({
      code: 'KAYA_WORKER_LOST',
      message: expect.stringContaining('no thread'),
    });
  });

  test('names the damaged place of an input', { timeout: 30_000 }, async () => {
    const job = await mergeJob();
    const bytes = readFileSync(pathOf(2));
    bytes[5000]! ^= 1;
    writeFileSync(pathOf(2), bytes);
    const worker = new WorkerTableMaker(new Numbers(), { start: startBackgroundWorker });

    await expect(worker.merge(job)).rejects.toMatchObject({ code: 'KAYA_CORRUPTION', file: '000002.sst' });
    await worker.close();
  });
});

/** Runs a task in this thread the way a worker does. */
function runInSession(fileSystem: MemoryFileSystem | FaultyFileSystem, job: TableJob): Promise<WorkerReply> {
  return new Promise((resolve) => {
    const session = new WorkerSession(
      (reply) => {
        if (reply.kind === 'need-file-number') session.handle({ kind: 'file-number', fileNumber: 7 });
        else resolve(structuredClone(reply));
      },
      { ...resolveResources({}), fileSystem },
    );
    const abort = new Int32Array(new SharedArrayBuffer(4));
    const task = { kind: 'flush', job, memtable: fullMemtable().share() } as const;
    session.handle({ kind: 'run', task, fileNumbers: [], abort });
  });
}

describe('WorkerSession', () => {
  test('flushes, with a number that it asked for', async () => {
    const reply = await runInSession(new MemoryFileSystem(), tableJob({ directory: '', targetBytes: 1e9 }));

    expect(reply).toMatchObject({ kind: 'done', tables: [{ fileNumber: 7, entryCount: 500 }] });
  });

  test('says that the disk is full in a way that the main thread knows for undone', async () => {
    const faulty = new FaultyFileSystem(new MemoryFileSystem());
    const effect = { kind: 'fail', errno: 'ENOSPC' } as const;
    faulty.inject({ at: 1, forever: true, kinds: ['write'], effect });

    const reply = await runInSession(faulty, tableJob({ directory: '' }));

    expect(reply).toMatchObject({
      kind: 'failed',
      error: { code: 'KAYA_DISK_FULL', operation: 'write', errno: 'ENOSPC' },
    });
  });
});

describe('an engine with background workers', () => {
  test('flushes, compacts, reads and comes back', { timeout: 60_000 }, async () => {
    const options = { memtableBytes: 20_000, tableBytes: 20_000, level1Bytes: 40_000, level0Tables: 2 } as const;
    const path = join(directory, 'store');
    const engine = await openEngine(path, { ...options, durability: 'relaxed' });
    for (let i = 0; i < 2000; i++) await engine.put(`key-${(i * 7919) % 1000}`, `${i}`.repeat(10));
    await engine.deleteRange({ gte: 'key-5', lt: 'key-6' });
    await engine.compact();
    const { levels, flushCount, compactionCount } = engine.stats();
    await engine.close();

    const reopened = await openEngine(path, options);
    let rows = 0;
    for await (const key of reopened.keys()) rows += Math.sign(key.length);
    await reopened.close();

    expect(flushCount).toBeGreaterThan(2);
    expect(compactionCount).toBeGreaterThan(0);
    expect(levels.filter(({ tableCount }) => tableCount > 0)).toHaveLength(1);
    expect(rows).toBe(1000 - 111);
  });
});
