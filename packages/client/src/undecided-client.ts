/**
 * A client that finds out which version its cluster speaks, and from then on is the client of that version.
 *
 * Invariant: it is decided once. Until then arguments are copied and calls wait, each no longer than its deadline and signal let it; a failed attempt to decide
 * fails the calls that waited for it, and the next one tries again. Bound: `maxPendingRequests` calls wait.
 */

import { formatEndpoint } from '@kayadb/transport';

import { type BytesInput, ownBytes, ownCondition, ownOperation, ownRange, type ScanRange } from './arguments.ts';
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
import type { ClientSettings } from './options.ts';
import type { Client2 } from './protocol-2/client-2.ts';
import { RunningCalls } from './running-calls.ts';

export class UndecidedClient implements Client {
  readonly #settings: ClientSettings;
  readonly #latest: Client2;
  readonly #makeOldest: () => Client;
  readonly #waiting: RunningCalls;
  #decided: Client | undefined;
  #deciding: Promise<void> | undefined;
  /** Why nobody has been spoken to so far. */
  #lastFailure: ClientError | undefined;
  #closing: Promise<void> | undefined;

  constructor(settings: ClientSettings, latest: Client2, makeOldest: () => Client) {
    this.#settings = settings;
    this.#latest = latest;
    this.#makeOldest = makeOldest;
    this.#waiting = new RunningCalls(settings.maxPendingRequests);
  }

  put(key: BytesInput, value: BytesInput, options: CallOptions = {}): Promise<WriteReceipt> {
    const [ownKey, ownValue] = [ownBytes(key), ownBytes(value)];
    return this.#through(options, (client, rest) => client.put(ownKey, ownValue, rest));
  }

  delete(key: BytesInput, options: CallOptions = {}): Promise<WriteReceipt> {
    const ownKey = ownBytes(key);
    return this.#through(options, (client, rest) => client.delete(ownKey, rest));
  }

  deleteRange(range: DeletedRange, options: CallOptions = {}): Promise<WriteReceipt> {
    const own = ownRange(range);
    return this.#through(options, (client, rest) => client.deleteRange(own, rest));
  }

  batch(operations: readonly BatchOperation[], options: CallOptions = {}): Promise<WriteReceipt> {
    const own = operations.map((each) => ownOperation(each));
    return this.#through(options, (client, rest) => client.batch(own, rest));
  }

  compareAndBatch(comparison: Comparison, options: CallOptions = {}): Promise<ComparisonReceipt> {
    const own: Comparison = {
      conditions: comparison.conditions.map((each) => ownCondition(each)),
      operations: comparison.operations.map((each) => ownOperation(each)),
      otherwise: comparison.otherwise?.map((each) => ownOperation(each)),
    };
    return this.#through(options, (client, rest) => client.compareAndBatch(own, rest));
  }

  pipeline(operations: readonly PutOrDelete[], options: CallOptions = {}): Promise<void> {
    const own = operations.map((each) => ownOperation(each));
    return this.#through(options, (client, rest) => client.pipeline(own, rest));
  }

  get(key: BytesInput, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    const ownKey = ownBytes(key);
    return this.#through(options, (client, rest) => client.get(ownKey, rest));
  }

  getRow(key: BytesInput, options: ReadOptions = {}): Promise<StoredValue | undefined> {
    const ownKey = ownBytes(key);
    return this.#through(options, (client, rest) => client.getRow(ownKey, rest));
  }

  getMany(keys: readonly BytesInput[], options: ReadOptions = {}): Promise<readonly (StoredValue | undefined)[]> {
    const own = keys.map((key) => ownBytes(key));
    return this.#through(options, (client, rest) => client.getMany(own, rest));
  }

  scan(range: BytesInput | ScanRange, options: ScanOptions = {}): AsyncIterable<Row> {
    if (this.#decided !== undefined) return this.#decided.scan(range, options);
    // Wrong arguments are refused here and now, as by a client that is decided.
    this.#latest.scan(range, options);
    const isPrefix = typeof range === 'string' || range instanceof Uint8Array;
    return this.#scanLater(isPrefix ? ownBytes(range) : ownRange(range), options);
  }

  health(options: CallOptions = {}): Promise<HealthRole> {
    return this.#through(options, (client, rest) => client.health(rest));
  }

  status(options: CallOptions = {}): Promise<JsonDocument> {
    return this.#through(options, (client, rest) => client.status(rest));
  }

  stats(options: CallOptions = {}): Promise<JsonDocument> {
    return this.#through(options, (client, rest) => client.stats(rest));
  }

  hello(version: number, options: CallOptions = {}): Promise<number> {
    return this.#through(options, (client, rest) => client.hello(version, rest));
  }

  members(options: CallOptions = {}): Promise<JsonDocument> {
    return this.#through(options, (client, rest) => client.members(rest));
  }

  addMember(member: NewMember, options: MembershipOptions = {}): Promise<JsonDocument> {
    return this.#through(options, (client, rest) => client.addMember(member, rest));
  }

  promoteMember(id: number, options: MembershipOptions = {}): Promise<JsonDocument> {
    return this.#through(options, (client, rest) => client.promoteMember(id, rest));
  }

  removeMember(id: number, options: MembershipOptions = {}): Promise<JsonDocument> {
    return this.#through(options, (client, rest) => client.removeMember(id, rest));
  }

  transferLeader(id?: number, options: CallOptions = {}): Promise<JsonDocument> {
    return this.#through(options, (client, rest) => client.transferLeader(id, rest));
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
    this.#waiting.close();
    await this.#latest.close();
    await this.#decided?.close();
  }

  /** @param call - Is given the options with what the deciding has left of the deadline. */
  async #through<Options extends CallOptions, Result>(
    options: Options,
    call: (client: Client, options: Options) => Promise<Result>,
  ): Promise<Result> {
    if (this.#decided !== undefined) return await call(this.#decided, options);
    const began = this.#settings.clock.now();
    const client = await this.#decide(options);
    return await call(client, this.#withRest(options, this.#settings.clock.now() - began, client));
  }

  #withRest<Options extends CallOptions>(options: Options, spentMs: number, client: Client): Options {
    // Where tries are counted, a call has no deadline unless it was given one.
    const deadlineMs = options.deadlineMs ?? (client === this.#latest ? this.#settings.deadlineMs : undefined);
    if (deadlineMs === undefined) return options;
    return { ...options, deadlineMs: Math.max(1, deadlineMs - spentMs) };
  }

  async *#scanLater(range: BytesInput | ScanRange, options: ScanOptions): AsyncGenerator<Row> {
    yield* (await this.#decide(options)).scan(range, options);
  }

  /** All calls wait for the same answer. */
  async #decide(options: CallOptions): Promise<Client> {
    return await this.#waiting.run(options, this.#settings, async (cancellation) => {
      await cancellation.race((this.#deciding ??= this.#negotiate()));
      if (cancellation.error !== undefined) throw this.#waitedInVain(cancellation.error, options);
      return this.#decided ?? this.#latest;
    });
  }

  /** A deadline says no more than that it is over: what was waited for in vain says why. */
  #waitedInVain(error: ClientError, { deadlineMs = this.#settings.deadlineMs }: CallOptions): ClientError {
    if (error.code !== 'KAYA_TIMEOUT') return error;
    const asked = this.#settings.endpoints.map(formatEndpoint).join(', ');
    return this.#lastFailure ?? new ClientError('KAYA_TIMEOUT', `no answer from ${asked} within ${deadlineMs} ms`);
  }

  async #negotiate(): Promise<void> {
    this.#lastFailure = undefined;
    try {
      const version = await this.#latest.negotiate((cause) => {
        this.#lastFailure = cause;
      });
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
