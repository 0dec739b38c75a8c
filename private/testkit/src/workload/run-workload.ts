/** Several clients at a store at once, each with one operation at a time, and everything written down. */

import type { HistoryRecorder } from '../history/history-recorder.ts';
import type { Condition, ReadAction, ReadOutcome, SeenRow, WriteAction, WriteOutcome } from '../history/operation.ts';
import { appendWord } from '../linearizability/check-appends.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { DEFAULT_MIX, type Mix, OperationMix } from './operation-mix.ts';
import type { StoreClient } from './store-client.ts';

const REGISTERS = ['a', 'b', 'c', 'd', 'e'];
const LISTS = ['list/a', 'list/b'];
/** Bound: how often one append is tried when others come in between. */
const APPEND_ATTEMPTS = 4;

export interface WorkloadOptions {
  readonly clients: readonly StoreClient[];
  readonly recorder: HistoryRecorder;
  readonly random: SeededRandom;
  /** How many operations are to be done, or to end unknown, in all; those that were refused come on top. */
  readonly operations: number;
  /** Resolves after so many milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
  /** Bound: how long a client waits between operations; it draws how long. Default 0. */
  readonly thinkMs?: number | undefined;
  /** How long a client waits after a refusal. Default 20. */
  readonly retryMs?: number | undefined;
  readonly mix?: Partial<Mix> | undefined;
  readonly registers?: readonly string[] | undefined;
  /** Under `list/`. */
  readonly lists?: readonly string[] | undefined;
  /** Ends the run early, between operations. */
  readonly signal?: AbortSignal | undefined;
}

export interface WorkloadCounts {
  readonly done: number;
  readonly notDone: number;
  readonly unknown: number;
}

/** Resolves when the operations are through or `signal` is aborted. Rejects with what a client rejects with, when all have stopped. */
export async function runWorkload(options: WorkloadOptions): Promise<WorkloadCounts> {
  const run = new Workload(options);
  const ends = await Promise.allSettled(options.clients.map((client, at) => run.runClient(client, at + 1)));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return run.counts;
}

/**
 * Reads every key once more, as the last operations of a history: what was lost shows at the latest here.
 *
 * @throws Error when the store does not answer within `attempts`.
 */
export async function readEverything(options: WorkloadOptions, attempts = 100): Promise<void> {
  const { clients, recorder, pause, retryMs = 20 } = options;
  const client = clients[0]!;
  for (const key of [...(options.registers ?? REGISTERS), ...(options.lists ?? LISTS)]) {
    const action: ReadAction = { kind: 'read', keys: [key] };
    let outcome = await recorder.read(1, action, () => client.read(action));
    for (let tries = 1; outcome.kind !== 'rows'; tries++) {
      if (tries === attempts) throw new Error(`${key} cannot be read at the end: ${outcome.reason}`);
      await pause(retryMs);
      outcome = await recorder.read(1, action, () => client.read(action));
    }
  }
}

class Workload {
  readonly #options: WorkloadOptions;
  readonly #counts = { done: 0, notDone: 0, unknown: 0 };
  #started = 0;
  #hasFailed = false;

  constructor(options: WorkloadOptions) {
    this.#options = options;
  }

  get counts(): WorkloadCounts {
    return this.#counts;
  }

  async runClient(store: StoreClient, client: number): Promise<void> {
    const { random, mix, registers = REGISTERS, lists = LISTS, pause, thinkMs = 0 } = this.#options;
    const own = random.fork(`client ${client}`);
    const operations = new OperationMix({ client, random: own, mix: { ...DEFAULT_MIX, ...mix }, registers, lists });
    const session = new ClientSession(store, client, this.#options.recorder, operations);
    try {
      while (!this.#isOver()) {
        const next = operations.next();
        const outcomes = next.kind === 'append' ? session.append(next.key, next.word) : session.run(next);
        for await (const outcome of outcomes) await this.#count(outcome);
        if (thinkMs > 0) await pause(own.next() * thinkMs);
      }
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
  }

  #isOver(): boolean {
    return this.#hasFailed || this.#started >= this.#options.operations || this.#options.signal?.aborted === true;
  }

  async #count({ kind }: ReadOutcome | WriteOutcome): Promise<void> {
    if (kind === 'not-done') {
      this.#counts.notDone++;
      await this.#options.pause(this.#options.retryMs ?? 20);
      return;
    }
    this.#started++;
    if (kind === 'unknown') this.#counts.unknown++;
    else this.#counts.done++;
  }
}

/** One client's operations, recorded, and what it learns from them. */
class ClientSession {
  readonly #store: StoreClient;
  readonly #client: number;
  readonly #recorder: HistoryRecorder;
  readonly #operations: OperationMix;

  constructor(store: StoreClient, client: number, recorder: HistoryRecorder, operations: OperationMix) {
    this.#store = store;
    this.#client = client;
    this.#recorder = recorder;
    this.#operations = operations;
  }

  async *run(action: ReadAction | WriteAction): AsyncGenerator<ReadOutcome | WriteOutcome> {
    yield action.kind === 'read' ? await this.#read(action) : await this.#write(action);
  }

  /** Reads the list, and writes it with one word more if it is still as it was; again, when another client was faster. */
  async *append(key: string, word: string): AsyncGenerator<ReadOutcome | WriteOutcome> {
    for (let attempt = 1; attempt <= APPEND_ATTEMPTS; attempt++) {
      const seen = await this.#read({ kind: 'read', keys: [key] });
      yield seen;
      if (seen.kind !== 'rows') return;
      const row = seen.rows[0] ?? null;
      const value = appendWord(row?.value, word);
      const written = await this.#write({
        kind: 'write',
        conditions: [isAsSeen(key, row)],
        changes: [{ kind: 'put', key, value }],
        otherwise: [],
      });
      yield written;
      if (written.kind === 'unknown' || (written.kind === 'written' && written.failed === undefined)) return;
    }
  }

  async #read(action: ReadAction): Promise<ReadOutcome> {
    const outcome = await this.#recorder.read(this.#client, action, () => this.#store.read(action));
    if (outcome.kind !== 'rows') return outcome;
    for (const [at, row] of outcome.rows.entries()) this.#operations.remember(action.keys[at]!, row);
    return outcome;
  }

  #write(action: WriteAction): Promise<WriteOutcome> {
    return this.#recorder.write(this.#client, action, () => this.#store.write(action));
  }
}

function isAsSeen(key: string, row: SeenRow | null): Condition {
  if (row === null) return { kind: 'exists', key, exists: false };
  if (row.revision === undefined) return { kind: 'value', key, value: row.value };
  return { kind: 'revision', key, revision: row.revision };
}
