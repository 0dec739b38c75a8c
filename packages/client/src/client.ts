/** The client: checks arguments, encodes, and delegates to calls, batches and scans. A reader starts here. */

import {
  assert,
  copyBytes,
  type Credential,
  encodeRequest,
  ProtocolError,
  type Request,
  type Response,
  SCAN_TOO_LARGE_TEXT,
  type ScanItem,
  toBytes,
} from '@kayadb/codec';

import { runBatch } from './batch.ts';
import { type CallContext, type EncodedRequest, isWrite, runCall } from './call.ts';
import { Cancellation } from './cancellation.ts';
import { Channel } from './channel.ts';
import { ClientError } from './client-error.ts';
import { type ClientOptions, type ClientSettings, positive, resolveOptions } from './options.ts';
import { Pool } from './pool.ts';
import { errorOfRefusal, isRefusal } from './refusal.ts';
import { splitScan } from './scan.ts';

/** A key, value or prefix: strings are encoded as UTF-8. Byte arrays are copied before a method returns. */
export type BytesInput = Uint8Array | string;

export interface CallOptions {
  /** How long one try may take. */
  readonly timeoutMs?: number | undefined;
  /** Ends the call with KAYA_ABORTED; a write that was sent may still be applied. */
  readonly signal?: AbortSignal | undefined;
}

export interface ScanOptions extends CallOptions {
  /** How many items to yield at most. Protocol v1 cannot tell the server: it saves nothing but the caller's work. */
  readonly limit?: number | undefined;
}

export type BatchOperation =
  | { readonly kind: 'put'; readonly key: BytesInput; readonly value: BytesInput }
  | { readonly kind: 'delete'; readonly key: BytesInput };

export interface NewMember {
  readonly id: number;
  /** `host:port` for the other nodes. */
  readonly raftAddress: string;
  /** `host:port` for clients. */
  readonly clientAddress: string;
  readonly isLearner?: boolean;
}

/**
 * A connection pool to a KayaDB node or cluster. Made by `connect`; every method may be called at any time, also concurrently.
 *
 * Writes that run concurrently reach the server in no particular order: await one before the next, or use `batch`.
 * Every method throws ClientError; see its codes in docs/reference/errors.md.
 */
export interface Client extends AsyncDisposable {
  /** Resolves once the write is as durable as the server is configured to make it. */
  put(key: BytesInput, value: BytesInput, options?: CallOptions): Promise<void>;
  /** @returns The value, the caller's own; `undefined` when the key is absent. */
  get(key: BytesInput, options?: CallOptions): Promise<Uint8Array | undefined>;
  /** Succeeds for an absent key too. */
  delete(key: BytesInput, options?: CallOptions): Promise<void>;
  /**
   * Many writes in few round trips: pipelined in order on one connection, and NOT atomic. Others may see a part of it, and
   * a failure may leave a part of it applied. The last write to a key wins.
   *
   * @throws BatchError whose `states` tell of each operation whether it was acknowledged.
   */
  batch(operations: readonly BatchOperation[], options?: CallOptions): Promise<void>;
  /**
   * All items whose key starts with `prefix`, in key order; an empty prefix means the whole store. A prefix that is too large
   * for one answer is read in parts, which together do not show one moment of the store.
   */
  scan(prefix: BytesInput, options?: ScanOptions): AsyncIterable<ScanItem>;
  health(options?: CallOptions): Promise<'leader' | 'follower'>;
  /** The server's counters, as its JSON document has them. */
  stats(options?: CallOptions): Promise<Readonly<Record<string, unknown>>>;
  /** @returns The protocol version that the server answers with. */
  hello(version: number, options?: CallOptions): Promise<number>;
  /** Proposes a member; resolves with the server's sentence before the change is committed. Not sent again when unanswered. */
  addMember(member: NewMember, options?: CallOptions): Promise<string>;
  /** As `addMember`. */
  removeMember(id: number, options?: CallOptions): Promise<string>;
  /** Ends running calls with KAYA_CLIENT_CLOSED, then closes the connections. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes a client. Nothing is dialed before the first call.
 *
 * @param endpoints - `host:port`, one or several nodes of the same cluster.
 * @throws TypeError, RangeError for endpoints or options that cannot be.
 */
export function connect(endpoints: string | readonly string[], options: ClientOptions = {}): Client {
  return new PooledClient(resolveOptions(endpoints, options));
}

class PooledClient implements Client {
  readonly #settings: ClientSettings;
  readonly #pool: Pool;
  readonly #running = new Set<Cancellation>();
  #closing: Promise<void> | undefined;

  constructor(settings: ClientSettings) {
    this.#settings = settings;
    this.#pool = new Pool({
      endpoints: settings.endpoints,
      connectionsPerEndpoint: settings.connectionsPerEndpoint,
      openChannel: (endpoint, onClosed) => new Channel(endpoint, settings, onClosed),
    });
  }

  async put(key: BytesInput, value: BytesInput, options?: CallOptions): Promise<void> {
    const credential = this.#clientCredential();
    await this.#call({ kind: 'put', key: toBytes(key), value: toBytes(value), credential }, options);
  }

  async get(key: BytesInput, options?: CallOptions): Promise<Uint8Array | undefined> {
    const credential = this.#clientCredential();
    const response = await this.#call({ kind: 'get', key: toBytes(key), credential }, options);
    if (response.kind === 'not-found') return undefined;
    assert(response.kind === 'value', 'get is answered by a value');
    // A copy: a view would keep the network buffer it came in.
    return copyBytes(response.value);
  }

  async delete(key: BytesInput, options?: CallOptions): Promise<void> {
    await this.#call({ kind: 'delete', key: toBytes(key), credential: this.#clientCredential() }, options);
  }

  async batch(operations: readonly BatchOperation[], options?: CallOptions): Promise<void> {
    const credential = this.#clientCredential();
    const requests = operations.map((operation) => encode(toRequest(operation, credential)));
    if (requests.length > 0) await this.#run(options, (context) => runBatch(requests, context));
  }

  scan(prefix: BytesInput, options: ScanOptions = {}): AsyncIterable<ScanItem> {
    const limit = options.limit ?? Infinity;
    if (!(limit >= 0)) throw new RangeError(`limit must be a number from 0, got ${limit}`);
    const credential = this.#clientCredential();
    const source = {
      get: (key: Uint8Array) => this.get(key, options),
      scan: async (part: Uint8Array) => {
        const response = await this.#call({ kind: 'scan', prefix: part, credential }, options);
        if (response.kind === 'invalid-argument') return 'too-large';
        assert(response.kind === 'items', 'scan is answered by items');
        return response.items;
      },
    };
    return splitScan(source, copyBytes(toBytes(prefix)), limit);
  }

  async health(options?: CallOptions): Promise<'leader' | 'follower'> {
    const response = await this.#call({ kind: 'health' }, options);
    assert(response.kind === 'role', 'health is answered by a role');
    return response.role;
  }

  async stats(options?: CallOptions): Promise<Readonly<Record<string, unknown>>> {
    const response = await this.#call({ kind: 'stats', credential: this.#clientCredential() }, options);
    assert(response.kind === 'text', 'stats is answered by a text');
    return parseStats(response.text);
  }

  async hello(version: number, options?: CallOptions): Promise<number> {
    const response = await this.#call({ kind: 'hello', version }, options);
    assert(response.kind === 'version', 'hello is answered by a version');
    return response.version;
  }

  async addMember(member: NewMember, options?: CallOptions): Promise<string> {
    const { id, raftAddress, clientAddress, isLearner = false } = member;
    const credential = this.#operatorCredential();
    const request: Request = { kind: 'add-member', id, raftAddress, clientAddress, isLearner, credential };
    return textOf(await this.#call(request, options));
  }

  async removeMember(id: number, options?: CallOptions): Promise<string> {
    return textOf(await this.#call({ kind: 'remove-member', id, credential: this.#operatorCredential() }, options));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const cancellation of this.#running) cancellation.cancel(closedError());
    await this.#pool.close();
  }

  /** @returns An answer of status 0, "not found" for a get, or "too large" for a scan. */
  async #call(request: Request, options: CallOptions | undefined): Promise<Response> {
    const encoded = encode(request);
    const { response, hadUnanswered } = await this.#run(options, (context) => runCall(encoded, context));
    if (!isRefusal(response)) return response;
    if (request.kind === 'get' && response.kind === 'not-found') return response;
    if (request.kind === 'scan' && isTooLarge(response)) return response;
    throw errorOfRefusal(response, hadUnanswered && isWrite(request.kind));
  }

  /** Gives the work what it needs, and ends it when the signal is aborted or the client closed. */
  async #run<T>(options: CallOptions | undefined, work: (context: CallContext) => Promise<T>): Promise<T> {
    const { clock, random, retry, maxPendingRequests } = this.#settings;
    const timeoutMs = positive('timeoutMs', options?.timeoutMs, this.#settings.timeoutMs);
    const signal = options?.signal;
    if (this.#closing !== undefined) throw closedError();
    if (signal?.aborted === true) throw abortedError(signal);
    if (this.#running.size >= maxPendingRequests) {
      const message = `${maxPendingRequests} calls have not returned yet, the limit maxPendingRequests; await some first`;
      throw new ClientError('KAYA_TOO_MANY_REQUESTS', message);
    }
    const cancellation = new Cancellation();
    const handleAbort = (): void => cancellation.cancel(abortedError(signal));
    signal?.addEventListener('abort', handleAbort);
    this.#running.add(cancellation);
    try {
      return await work({ pool: this.#pool, clock, random, retry, timeoutMs, cancellation });
    } finally {
      this.#running.delete(cancellation);
      signal?.removeEventListener('abort', handleAbort);
    }
  }

  #clientCredential(): Credential | undefined {
    const token = this.#settings.clientToken;
    return token === undefined ? undefined : { kind: 'client', token };
  }

  #operatorCredential(): Credential | undefined {
    const token = this.#settings.operatorToken;
    return token === undefined ? undefined : { kind: 'operator', token };
  }
}

function toRequest(operation: BatchOperation, credential: Credential | undefined): Request {
  const key = toBytes(operation.key);
  return operation.kind === 'put'
    ? { kind: 'put', key, value: toBytes(operation.value), credential }
    : { kind: 'delete', key, credential };
}

function encode(request: Request): EncodedRequest {
  try {
    return { kind: request.kind, frame: encodeRequest(request) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ClientError('KAYA_INVALID_ARGUMENT', error.message, { cause: error });
  }
}

function isTooLarge(response: Response): boolean {
  return response.kind === 'invalid-argument' && response.message.startsWith(SCAN_TOO_LARGE_TEXT);
}

function textOf(response: Response): string {
  assert(response.kind === 'text', 'a membership change is answered by a text');
  return response.text;
}

function parseStats(text: string): Readonly<Record<string, unknown>> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new ClientError('KAYA_PROTOCOL', 'the server sent counters that are not JSON', { cause: error });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new ClientError('KAYA_PROTOCOL', 'the server sent counters that are not a JSON object');
  }
  return document as Readonly<Record<string, unknown>>;
}

function abortedError(signal: AbortSignal | undefined): ClientError {
  return new ClientError('KAYA_ABORTED', 'the call was aborted by its signal', { cause: signal?.reason });
}

function closedError(): ClientError {
  return new ClientError('KAYA_CLIENT_CLOSED', 'the client was closed; make a new one with connect()');
}
