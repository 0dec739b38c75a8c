/**
 * Writes down what clients ask and are told, by the one clock of the process that they all run in.
 *
 * Invariant: every event has a later time than the one before, so the recorded order is the order in which this process saw things: a call is stamped before
 * anything is sent, an answer after it has arrived.
 */

import type { HistoryEvent } from './history-file.ts';
import type { History, Note, Operation, ReadAction, ReadOutcome, WriteAction, WriteOutcome } from './operation.ts';

export interface HistoryRecorderOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Told of every event as it happens, so that a run which is cut short can be looked at. */
  readonly onEvent?: ((event: HistoryEvent) => void) | undefined;
}

export class HistoryRecorder {
  readonly #options: HistoryRecorderOptions;
  readonly #startedMs: number;
  readonly #operations: Operation[] = [];
  readonly #notes: Note[] = [];
  #lastUs = -1;

  constructor(options: HistoryRecorderOptions) {
    this.#options = options;
    this.#startedMs = options.now();
  }

  /** Records `run` as a read of `client`. Rejects as it does, and then the outcome stays unknown. */
  read(client: number, action: ReadAction, run: () => Promise<ReadOutcome>): Promise<ReadOutcome> {
    return this.#record(client, action, run);
  }

  /** As `read`, for a write. */
  write(client: number, action: WriteAction, run: () => Promise<WriteOutcome>): Promise<WriteOutcome> {
    return this.#record(client, action, run);
  }

  /** What happens beside the operations. */
  note(text: string): void {
    const us = this.#stamp();
    this.#notes.push({ atUs: us, text });
    this.#tell({ event: 'note', us, text });
  }

  /** As of now: what runs has no outcome. */
  history(): History {
    return { operations: [...this.#operations], notes: [...this.#notes] };
  }

  async #record<Outcome extends ReadOutcome | WriteOutcome>(
    client: number,
    action: ReadAction | WriteAction,
    run: () => Promise<Outcome>,
  ): Promise<Outcome> {
    const calledUs = this.#stamp();
    const at = this.#operations.length;
    const called = { id: at + 1, client, action, calledUs } as Operation;
    this.#operations.push(called);
    this.#tell({ event: 'call', us: calledUs, id: called.id, client, action });
    const outcome = await run();
    const returnedUs = this.#stamp();
    this.#operations[at] = { ...called, returnedUs, outcome } as Operation;
    this.#tell({ event: 'return', us: returnedUs, id: called.id, outcome });
    return outcome;
  }

  #tell(event: HistoryEvent): void {
    this.#options.onEvent?.(event);
  }

  #stamp(): number {
    const nowUs = Math.floor((this.#options.now() - this.#startedMs) * 1000);
    this.#lastUs = Math.max(nowUs, this.#lastUs + 1);
    return this.#lastUs;
  }
}
