/**
 * A background worker as the main thread sees it: started at its first task, kept for the next ones, and no reason for the process to
 * stay while it has none. A worker that ends by itself fails its task; the next task starts another.
 */

import type { Worker } from 'node:worker_threads';

import { assert } from '@kayadb/codec';

import { EngineError } from '../errors.ts';
import type { FileNumber } from '../key/internal-key.ts';
import type { TableMeta } from '../version/table-meta.ts';
import { decodeError } from './error-transport.ts';
import type { WorkerReply, WorkerRequest, WorkerTask } from './worker-messages.ts';

export interface RunOptions {
  /** Reserved for the new tables. */
  readonly fileNumbers: readonly FileNumber[];
  /** Reserves one more. */
  readonly reserveTable: () => FileNumber;
  readonly signal?: AbortSignal | undefined;
}

interface RunningTask {
  readonly reserveTable: () => FileNumber;
  readonly resolve: (tables: readonly TableMeta[]) => void;
  readonly reject: (error: Error) => void;
}

export class WorkerThread {
  readonly #start: () => Worker;
  #worker: Worker | undefined;
  #running: RunningTask | undefined;
  /** What the worker said before it ended. */
  #lastError: unknown;

  /** @param start - Starts a thread that runs background-worker.ts. */
  constructor(start: () => Worker) {
    this.#start = start;
  }

  /**
   * Requires: no other task is running.
   *
   * @throws What the task failed with; EngineError KAYA_WORKER_LOST when the worker ended before it was done.
   */
  async run(task: WorkerTask, { fileNumbers, reserveTable, signal }: RunOptions): Promise<readonly TableMeta[]> {
    assert(this.#running === undefined, 'a background worker has one task at a time');
    const abort = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const endTask = (): void => void Atomics.store(abort, 0, 1);
    const worker = this.#ensureWorker();
    signal?.addEventListener('abort', endTask);
    if (signal?.aborted === true) endTask();
    worker.ref();
    try {
      return await new Promise<readonly TableMeta[]>((resolve, reject) => {
        this.#running = { reserveTable, resolve, reject };
        this.#send(worker, { kind: 'run', task, fileNumbers, abort });
      });
    } finally {
      this.#running = undefined;
      signal?.removeEventListener('abort', endTask);
      worker.unref();
    }
  }

  /** Ends the thread, and with it the task that it has. Idempotent. */
  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ensureWorker(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = this.#tryToStart();
    this.#worker = worker;
    this.#lastError = undefined;
    worker.on('message', (reply: WorkerReply) => this.#handle(worker, reply));
    worker.on('error', (error) => {
      this.#lastError = error;
    });
    worker.on('exit', () => this.#handleExit(worker));
    return worker;
  }

  #tryToStart(): Worker {
    try {
      return this.#start();
    } catch (error) {
      throw workerLost(error);
    }
  }

  #send(worker: Worker, request: WorkerRequest): void {
    worker.postMessage(request);
  }

  #handle(worker: Worker, reply: WorkerReply): void {
    const running = this.#running;
    if (running === undefined) return;
    if (reply.kind === 'done') running.resolve(reply.tables);
    else if (reply.kind === 'failed') running.reject(decodeError(reply.error));
    else this.#send(worker, { kind: 'file-number', fileNumber: running.reserveTable() });
  }

  #handleExit(worker: Worker): void {
    if (this.#worker === worker) this.#worker = undefined;
    this.#running?.reject(workerLost(this.#lastError));
  }
}

function workerLost(cause: unknown): EngineError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new EngineError(
    'KAYA_WORKER_LOST',
    `a background worker ended before its task was done${why}; nothing is lost, and the task is tried again; ` +
      "if worker threads cannot run here, open the store with backgroundWork 'inline'",
    { cause },
  );
}
