/** The client of a node that speaks version 1: checks arguments, encodes, and delegates to calls, batches and scans. */

import {
  assert,
  copyBytes,
  type Credential,
  encodeRequest,
  ProtocolError,
  type Request,
  type Response,
  SCAN_TOO_LARGE_TEXT,
  toBytes,
} from '@kayadb/codec';

import { type BytesInput, ownBytes, type ScanRange } from '../arguments.ts';
import { ClientError } from '../client-error.ts';
import type {
  CallOptions,
  Client,
  ComparisonReceipt,
  JsonDocument,
  MembershipOptions,
  NewMember,
  PutOrDelete,
  ReadOptions,
  Row,
  ScanOptions,
  StoredValue,
  WriteReceipt,
} from '../client.ts';
import { parseDocument } from '../json-document.ts';
import { type ClientSettings, positive } from '../options.ts';
import { Pool } from '../pool.ts';
import { RunningCalls } from '../running-calls.ts';
import { runBatch } from './batch.ts';
import { type CallContext, type EncodedRequest, isWrite, runCall } from './call.ts';
import { Channel } from './channel.ts';
import { errorOfRefusal, isRefusal } from './refusal.ts';
import { splitScan } from './scan.ts';

/** Version 1 knows neither revisions nor terms. */
const NO_RECEIPT: WriteReceipt = { revision: 0, term: 0 };

export class Client1 implements Client {
  readonly #settings: ClientSettings;
  readonly #pool: Pool<Channel>;
  readonly #running: RunningCalls;
  #closing: Promise<void> | undefined;

  constructor(settings: ClientSettings) {
    this.#settings = settings;
    this.#running = new RunningCalls(settings.maxPendingRequests);
    this.#pool = new Pool({
      endpoints: settings.endpoints,
      connectionsPerEndpoint: settings.connectionsPerEndpoint,
      clock: settings.clock,
      openChannel: (endpoint, onClosed) => new Channel(endpoint, settings, onClosed),
    });
  }

  async put(key: BytesInput, value: BytesInput, options?: CallOptions): Promise<WriteReceipt> {
    const credential = this.#clientCredential();
    await this.#call({ kind: 'put', key: toBytes(key), value: toBytes(value), credential }, options);
    return NO_RECEIPT;
  }

  async get(key: BytesInput, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    refuseLevels(options);
    const credential = this.#clientCredential();
    const response = await this.#call({ kind: 'get', key: toBytes(key), credential }, options);
    if (response.kind === 'not-found') return undefined;
    assert(response.kind === 'value', 'get is answered by a value');
    // A copy: a view would keep the network buffer it came in.
    return copyBytes(response.value);
  }

  async delete(key: BytesInput, options?: CallOptions): Promise<WriteReceipt> {
    await this.#call({ kind: 'delete', key: toBytes(key), credential: this.#clientCredential() }, options);
    return NO_RECEIPT;
  }

  deleteRange(): Promise<WriteReceipt> {
    return Promise.reject(unsupported('a range can not be deleted'));
  }

  batch(): Promise<WriteReceipt> {
    return Promise.reject(unsupported('a batch can not be atomic; pipeline sends it one by one'));
  }

  compareAndBatch(): Promise<ComparisonReceipt> {
    return Promise.reject(unsupported('a write can not have conditions'));
  }

  async pipeline(operations: readonly PutOrDelete[], options?: CallOptions): Promise<void> {
    const credential = this.#clientCredential();
    const requests = operations.map((operation) => encode(toRequest(operation, credential)));
    if (requests.length > 0) await this.#run(options, (context) => runBatch(requests, context));
  }

  async getRow(key: BytesInput, options?: ReadOptions): Promise<StoredValue | undefined> {
    const value = await this.get(key, options);
    return value === undefined ? undefined : { value, revision: 0 };
  }

  getMany(): Promise<readonly (StoredValue | undefined)[]> {
    return Promise.reject(unsupported('several keys can not be read of one state'));
  }

  scan(range: BytesInput | ScanRange, options: ScanOptions = {}): AsyncIterable<Row> {
    const limit = options.limit ?? Infinity;
    if (!(limit >= 0)) throw new RangeError(`limit must be a number from 0, got ${limit}`);
    refuseLevels(options);
    const prefix = prefixOf(range);
    if (prefix === undefined || options.reverse === true || options.keysOnly === true) {
      throw unsupported('a scan is of a prefix, forward, with values');
    }
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
    return splitScan(source, ownBytes(prefix), limit);
  }

  async health(options?: CallOptions): Promise<'leader' | 'follower'> {
    const response = await this.#call({ kind: 'health' }, options);
    assert(response.kind === 'role', 'health is answered by a role');
    return response.role;
  }

  status(options?: CallOptions): Promise<JsonDocument> {
    return this.stats(options);
  }

  async stats(options?: CallOptions): Promise<JsonDocument> {
    const response = await this.#call({ kind: 'stats', credential: this.#clientCredential() }, options);
    assert(response.kind === 'text', 'stats is answered by a text');
    return parseDocument(response.text);
  }

  async hello(version: number, options?: CallOptions): Promise<number> {
    const response = await this.#call({ kind: 'hello', version }, options);
    assert(response.kind === 'version', 'hello is answered by a version');
    return response.version;
  }

  members(): Promise<JsonDocument> {
    return Promise.reject(unsupported('the members can not be asked for'));
  }

  async addMember(member: NewMember, options: MembershipOptions = {}): Promise<JsonDocument> {
    const { id, raftAddress, clientAddress, isLearner = false } = member;
    const credential = this.#operatorCredential();
    return await this.#change({ kind: 'add-member', id, raftAddress, clientAddress, isLearner, credential }, options);
  }

  async promoteMember(id: number, options: MembershipOptions = {}): Promise<JsonDocument> {
    return await this.#change({ kind: 'promote-learner', id, credential: this.#operatorCredential() }, options);
  }

  async removeMember(id: number, options: MembershipOptions = {}): Promise<JsonDocument> {
    return await this.#change({ kind: 'remove-member', id, credential: this.#operatorCredential() }, options);
  }

  transferLeader(): Promise<JsonDocument> {
    return Promise.reject(unsupported('leadership can not be handed over by this client'));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#running.close();
    await this.#pool.close();
  }

  async #change(request: Request, options: MembershipOptions): Promise<JsonDocument> {
    if (options.isDryRun === true) throw unsupported('a change of the membership can not be tried dry');
    const response = await this.#call(request, options);
    assert(response.kind === 'text', 'a membership change is answered by a text');
    return { message: response.text };
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

  /** Gives the work what it needs. Tries are counted, so there is no deadline unless the call has one. */
  async #run<T>(options: CallOptions | undefined, work: (context: CallContext) => Promise<T>): Promise<T> {
    const { clock, random, retry } = this.#settings;
    const timeoutMs = positive('timeoutMs', options?.timeoutMs, this.#settings.timeoutMs);
    const defaults = { clock, deadlineMs: Infinity };
    return await this.#running.run(options ?? {}, defaults, (cancellation) =>
      work({ pool: this.#pool, clock, random, retry, timeoutMs, cancellation }),
    );
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

function toRequest(operation: PutOrDelete, credential: Credential | undefined): Request {
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

function prefixOf(range: BytesInput | ScanRange): BytesInput | undefined {
  if (typeof range === 'string' || range instanceof Uint8Array) return range;
  const { prefix, gt, gte, lt, lte } = range;
  return gt === undefined && gte === undefined && lt === undefined && lte === undefined ? (prefix ?? '') : undefined;
}

/** Its one node answers with what it has, which is the newest. */
function refuseLevels({ level, maxStalenessMs }: ReadOptions): void {
  if (level === 'lease') throw unsupported('a read can not ask for a lease');
  if (level !== undefined && maxStalenessMs !== undefined) {
    throw new TypeError('a read has a level or maxStalenessMs, not both');
  }
}

function unsupported(what: string): ClientError {
  return new ClientError('KAYA_UNSUPPORTED', `in version 1 of the protocol ${what}; the node speaks no other`);
}
