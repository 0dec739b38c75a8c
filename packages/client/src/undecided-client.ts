/**
 * A client that finds out which version its cluster speaks, and from then on is the client of that version.
 *
 * Invariant: it is decided once. Until then arguments are copied and calls wait; a failed attempt to decide fails the calls that waited for it, and the next one
 * tries again.
 */

import { type BytesInput, ownBytes, ownCondition, ownOperation, ownRange, type ScanRange } from './arguments.ts';
import { Cancellation } from './cancellation.ts';
import { ClientError } from './client-error.ts';
import type {
  BatchOperation,
  CallOptions,
  Client,
  Comparison,
  ComparisonReceipt,
  DeletedRange,
  HealthRole,
  JsonDocument,
  MembershipOptions,
  NewMember,
  PutOrDelete,
  ReadOptions,
  Row,
  ScanOptions,
  StoredValue,
  WriteReceipt,
} from './client.ts';
import type { Client2 } from './protocol-2/client-2.ts';

export class UndecidedClient implements Client {
  readonly #latest: Client2;
  readonly #makeOldest: () => Client;
  #decided: Client | undefined;
  #deciding: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(latest: Client2, makeOldest: () => Client) {
    this.#latest = latest;
    this.#makeOldest = makeOldest;
  }

  put(key: BytesInput, value: BytesInput, options?: CallOptions): Promise<WriteReceipt> {
    const [ownKey, ownValue] = [ownBytes(key), ownBytes(value)];
    return this.#through(options, (client) => client.put(ownKey, ownValue, options));
  }

  delete(key: BytesInput, options?: CallOptions): Promise<WriteReceipt> {
    const ownKey = ownBytes(key);
    return this.#through(options, (client) => client.delete(ownKey, options));
  }

  deleteRange(range: DeletedRange, options?: CallOptions): Promise<WriteReceipt> {
    const own = ownRange(range);
    return this.#through(options, (client) => client.deleteRange(own, options));
  }

  batch(operations: readonly BatchOperation[], options?: CallOptions): Promise<WriteReceipt> {
    const own = operations.map((each) => ownOperation(each));
    return this.#through(options, (client) => client.batch(own, options));
  }

  compareAndBatch(comparison: Comparison, options?: CallOptions): Promise<ComparisonReceipt> {
    const own: Comparison = {
      conditions: comparison.conditions.map((each) => ownCondition(each)),
      operations: comparison.operations.map((each) => ownOperation(each)),
      otherwise: comparison.otherwise?.map((each) => ownOperation(each)),
    };
    return this.#through(options, (client) => client.compareAndBatch(own, options));
  }

  pipeline(operations: readonly PutOrDelete[], options?: CallOptions): Promise<void> {
    const own = operations.map((each) => ownOperation(each));
    return this.#through(options, (client) => client.pipeline(own, options));
  }

  get(key: BytesInput, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const ownKey = ownBytes(key);
    return this.#through(options, (client) => client.get(ownKey, options));
  }

  getRow(key: BytesInput, options?: ReadOptions): Promise<StoredValue | undefined> {
    const ownKey = ownBytes(key);
    return this.#through(options, (client) => client.getRow(ownKey, options));
  }

  getMany(keys: readonly BytesInput[], options?: ReadOptions): Promise<readonly (StoredValue | undefined)[]> {
    const own = keys.map((key) => ownBytes(key));
    return this.#through(options, (client) => client.getMany(own, options));
  }

  scan(range: BytesInput | ScanRange, options?: ScanOptions): AsyncIterable<Row> {
    if (this.#decided !== undefined) return this.#decided.scan(range, options);
    // Wrong arguments are refused here and now, as by a client that is decided.
    this.#latest.scan(range, options);
    const isPrefix = typeof range === 'string' || range instanceof Uint8Array;
    return this.#scanLater(isPrefix ? ownBytes(range) : ownRange(range), options);
  }

  health(options?: CallOptions): Promise<HealthRole> {
    return this.#through(options, (client) => client.health(options));
  }

  status(options?: CallOptions): Promise<JsonDocument> {
    return this.#through(options, (client) => client.status(options));
  }

  stats(options?: CallOptions): Promise<JsonDocument> {
    return this.#through(options, (client) => client.stats(options));
  }

  hello(version: number, options?: CallOptions): Promise<number> {
    return this.#through(options, (client) => client.hello(version, options));
  }

  members(options?: CallOptions): Promise<JsonDocument> {
    return this.#through(options, (client) => client.members(options));
  }

  addMember(member: NewMember, options?: MembershipOptions): Promise<JsonDocument> {
    return this.#through(options, (client) => client.addMember(member, options));
  }

  promoteMember(id: number, options?: MembershipOptions): Promise<JsonDocument> {
    return this.#through(options, (client) => client.promoteMember(id, options));
  }

  removeMember(id: number, options?: MembershipOptions): Promise<JsonDocument> {
    return this.#through(options, (client) => client.removeMember(id, options));
  }

  transferLeader(id?: number, options?: CallOptions): Promise<JsonDocument> {
    return this.#through(options, (client) => client.transferLeader(id, options));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Closing the one that decides ends the deciding. */
  async #close(): Promise<void> {
    await this.#latest.close();
    await this.#decided?.close();
  }

  async #through<Result>(options: CallOptions | undefined, call: (client: Client) => Promise<Result>): Promise<Result> {
    return await call(this.#decided ?? (await this.#decide(options)));
  }

  async *#scanLater(range: BytesInput | ScanRange, options?: ScanOptions): AsyncGenerator<Row> {
    yield* (await this.#decide(options)).scan(range, options);
  }

  /** All calls wait for the same answer, each for as long as its signal lets it. */
  async #decide(options: CallOptions | undefined): Promise<Client> {
    const signal = options?.signal;
    if (this.#closing === undefined && this.#decided !== undefined) return this.#decided;
    const patience = new Cancellation();
    const handleAbort = (): void =>
      patience.cancel(new ClientError('KAYA_ABORTED', 'the call was aborted by its signal', { cause: signal?.reason }));
    if (signal?.aborted === true) handleAbort();
    signal?.addEventListener('abort', handleAbort);
    try {
      this.#deciding ??= this.#negotiate(options);
      await patience.race(this.#deciding);
    } finally {
      signal?.removeEventListener('abort', handleAbort);
    }
    if (patience.error !== undefined) throw patience.error;
    return this.#decided ?? this.#latest;
  }

  async #negotiate(options: CallOptions | undefined): Promise<void> {
    try {
      const version = await this.#latest.negotiate({ timeoutMs: options?.timeoutMs });
      if (this.#closing !== undefined) return;
      if (version === 2) {
        this.#decided = this.#latest;
        return;
      }
      this.#decided = this.#makeOldest();
      await this.#latest.close();
    } finally {
      this.#deciding = undefined;
    }
  }
}
