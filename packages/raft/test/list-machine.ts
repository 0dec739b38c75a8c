/** A state machine that lists what it was given: its state is the list, a result is the position in it. */

import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';

import type { Entry, LogIndex, Snapshot } from '../src/core/types.ts';
import type { AppliedPoint, StateMachine } from '../src/node/state-machine.ts';

interface ListState {
  readonly index: LogIndex;
  readonly list: readonly string[];
}

const EMPTY: ListState = { index: 0, list: [] };

export class ListMachine implements StateMachine<number> {
  #state: ListState;
  #durable: ListState;
  #gate: Promise<void> | undefined;
  #openGate: (() => void) | undefined;
  /** Thrown by the next calls. */
  failure: Error | undefined;
  snapshotFailure: Error | undefined;
  /** Whether what is applied is durable at once. */
  isDurableAtOnce: boolean;
  /** `upTo` of each call, and how many entries it had. */
  readonly calls: { readonly count: number; readonly upTo: LogIndex }[] = [];
  logWorthBytes = (): Promise<number> => Promise.resolve(0);
  restoreCount = 0;
  snapshotCount = 0;

  constructor(durable: ListState = EMPTY, isDurableAtOnce = true) {
    this.#state = durable;
    this.#durable = durable;
    this.isDurableAtOnce = isDurableAtOnce;
  }

  get list(): readonly string[] {
    return this.#state.list;
  }

  get appliedIndex(): LogIndex {
    return this.#state.index;
  }

  get durableIndex(): LogIndex {
    return this.#durable.index;
  }

  /** What is left after the process ended. */
  crash(): ListMachine {
    return new ListMachine(this.#durable, this.isDurableAtOnce);
  }

  /** From now on calls wait. */
  hold(): void {
    this.#gate ??= new Promise((resolve) => {
      this.#openGate = resolve;
    });
  }

  release(): void {
    this.#openGate?.();
    this.#gate = undefined;
  }

  async apply(entries: readonly Entry[], upTo: LogIndex): Promise<readonly number[]> {
    this.calls.push({ count: entries.length, upTo });
    await this.#gate;
    if (this.failure !== undefined) throw this.failure;
    const before = this.#state.list.length;
    this.#become({ index: upTo, list: [...this.#state.list, ...entries.map(({ data }) => decodeUtf8(data))] });
    return entries.map((_entry, at) => before + at);
  }

  async snapshot(_point: AppliedPoint): Promise<Uint8Array> {
    const state = this.#state;
    this.snapshotCount++;
    await this.#gate;
    if (this.snapshotFailure !== undefined) throw this.snapshotFailure;
    if (this.#durable.index < state.index && this.isDurableAtOnce) this.#durable = state;
    return encodeUtf8(JSON.stringify(state.list));
  }

  async restore({ meta, data }: Snapshot): Promise<void> {
    await this.#gate;
    if (this.failure !== undefined) throw this.failure;
    this.restoreCount++;
    this.#state = { index: meta.index, list: JSON.parse(decodeUtf8(data)) as string[] };
    this.#durable = this.#state;
  }

  #become(state: ListState): void {
    this.#state = state;
    if (this.isDurableAtOnce) this.#durable = state;
  }
}
