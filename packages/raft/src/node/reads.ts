/**
 * Linearizable reads (thesis section 6.4): what index a caller has to see, confirmed by a majority and applied here.
 *
 * Invariant: a caller's batch is complete before its first request is sent, so every answer to any request of the batch is from after the caller's call. No id is
 * used twice: it holds the node, a random number of this life, and a counter.
 * Bound: callers, and requests under way.
 */

import { assert, writeU64 } from '@kayadb/codec';

import type { LogIndex, NodeId } from '../core/types.ts';
import { RaftError } from '../errors.ts';

export interface ReadSettings {
  readonly id: NodeId;
  /** Of this life of the node. */
  readonly incarnation: number;
  readonly maxReads: number;
  readonly retryTicks: number;
}

interface Caller {
  readonly deadlineTick: number;
  readonly resolve: (index: LogIndex) => void;
  readonly reject: (error: RaftError) => void;
}

interface Batch {
  callers: readonly Caller[];
  retryTick: number;
}

interface Confirmed {
  readonly index: LogIndex;
  callers: readonly Caller[];
}

const CONTEXT_BYTES = 24;
/** Batches whose answer is awaited. The next batch gathers callers meanwhile. */
const MAX_BATCHES = 2;

export class Reads {
  readonly #settings: ReadSettings;
  /** Nothing was sent for them. */
  #waiting: Caller[] = [];
  /** By every id that was sent for them. */
  readonly #requests = new Map<string, Batch>();
  readonly #batches = new Set<Batch>();
  #confirmed: Confirmed[] = [];
  #count = 0;
  #counter = 0;

  constructor(settings: ReadSettings) {
    this.#settings = settings;
  }

  /** Callers that wait. */
  get count(): number {
    return this.#count;
  }

  add(deadlineTick: number): Promise<LogIndex> {
    if (this.#count >= this.#settings.maxReads) {
      return Promise.reject(failed(`${this.#count} reads wait already; try again`));
    }
    return new Promise((resolve, reject) => {
      this.#count++;
      this.#waiting.push({ deadlineTick, resolve, reject });
    });
  }

  /** The contexts of the requests that are to be made now: of a new batch, and of those that were not answered in time. */
  takeRequests(tick: number): readonly Uint8Array[] {
    const requests: Uint8Array[] = [];
    for (const batch of this.#batches) {
      if (batch.retryTick <= tick) requests.push(this.#request(batch, tick));
    }
    if (this.#waiting.length > 0 && this.#batches.size < MAX_BATCHES) {
      const batch = { callers: this.#waiting, retryTick: 0 };
      this.#waiting = [];
      this.#batches.add(batch);
      requests.push(this.#request(batch, tick));
    }
    return requests;
  }

  /** The request with `context` may be answered once `index` is applied. Requests of nobody here are passed over. */
  confirm(context: Uint8Array, index: LogIndex, applied: LogIndex): void {
    const batch = this.#requests.get(keyOf(context));
    if (batch === undefined) return;
    this.#forget(batch);
    if (index <= applied) this.#resolve(batch.callers, index);
    else this.#confirmed.push({ index, callers: batch.callers });
  }

  applied(index: LogIndex): void {
    if (this.#confirmed.length === 0) return;
    const done = this.#confirmed.filter((confirmed) => confirmed.index <= index);
    if (done.length === 0) return;
    this.#confirmed = this.#confirmed.filter((confirmed) => confirmed.index > index);
    for (const confirmed of done) this.#resolve(confirmed.callers, confirmed.index);
  }

  /** Fails callers whose deadline is `tick` or was before. */
  expire(tick: number): void {
    this.#waiting = [...this.#expireOf(this.#waiting, tick)];
    for (const batch of this.#batches) {
      batch.callers = this.#expireOf(batch.callers, tick);
      if (batch.callers.length === 0) this.#forget(batch);
    }
    for (const confirmed of this.#confirmed) confirmed.callers = this.#expireOf(confirmed.callers, tick);
    this.#confirmed = this.#confirmed.filter(({ callers }) => callers.length > 0);
  }

  endAll(error: RaftError): void {
    const all = [...this.#batches, ...this.#confirmed].flatMap(({ callers }) => callers);
    this.#reject([...all, ...this.#waiting], error);
    this.#waiting = [];
    this.#confirmed = [];
    this.#batches.clear();
    this.#requests.clear();
  }

  #request(batch: Batch, tick: number): Uint8Array {
    batch.retryTick = tick + this.#settings.retryTicks;
    const context = new Uint8Array(CONTEXT_BYTES);
    writeU64(context, 0, this.#settings.id);
    writeU64(context, 8, this.#settings.incarnation);
    writeU64(context, 16, this.#counter++);
    this.#requests.set(keyOf(context), batch);
    return context;
  }

  #forget(batch: Batch): void {
    this.#batches.delete(batch);
    for (const [key, other] of this.#requests) if (other === batch) this.#requests.delete(key);
  }

  #expireOf(callers: readonly Caller[], tick: number): readonly Caller[] {
    const late = callers.filter(({ deadlineTick }) => deadlineTick <= tick);
    if (late.length === 0) return callers;
    this.#reject(late, failed('no majority confirmed it, or its index was not applied, in time'));
    return callers.filter(({ deadlineTick }) => deadlineTick > tick);
  }

  #resolve(callers: readonly Caller[], index: LogIndex): void {
    this.#release(callers);
    for (const { resolve } of callers) resolve(index);
  }

  #reject(callers: readonly Caller[], error: RaftError): void {
    this.#release(callers);
    for (const { reject } of callers) reject(error);
  }

  #release(callers: readonly Caller[]): void {
    this.#count -= callers.length;
    assert(this.#count >= 0, 'a read ended twice');
  }
}

function failed(what: string): RaftError {
  return new RaftError('KAYA_RAFT_DROPPED', `the read was not answered: ${what}`);
}

function keyOf(context: Uint8Array): string {
  return context.join();
}
