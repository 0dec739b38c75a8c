/** The client of a cluster that speaks version 2: checks arguments, and delegates to calls, the session and scans. */

import {
  assert,
  copyBytes,
  type OkResponse2,
  type Request2,
  type Row2,
  type ScanRequest2,
  type Write,
  type WriteAnswer,
} from '@kayadb/codec';
import { formatEndpoint } from '@kayadb/transport';

import {
  type BytesInput,
  endsAtEmptyKey,
  ownBytes,
  type ScanRange,
  toFreshness,
  toRowRange,
  toWrite,
} from '../arguments.ts';
import { ClientError } from '../client-error.ts';
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
} from '../client.ts';
import { parseDocument } from '../json-document.ts';
import { CLOSE_SESSION_MS } from '../limits.ts';
import { type ClientSettings, positive } from '../options.ts';
import { Pool } from '../pool.ts';
import { RunningCalls } from '../running-calls.ts';
import { type Call2, type CallContext2, runCall2 } from './call-2.ts';
import { Link } from './link.ts';
import { negotiate } from './negotiate.ts';
import { openScan } from './open-scan.ts';
import { runPipeline } from './pipeline.ts';
import { scanRows } from './scan-2.ts';
import { SessionKeeper } from './session-keeper.ts';
import { writeOnce } from './write-once.ts';

export class Client2 implements Client {
  readonly #settings: ClientSettings;
  readonly #pool: Pool<Link>;
  readonly #running: RunningCalls;
  readonly #sessions: SessionKeeper;
  #closing: Promise<void> | undefined;

  constructor(settings: ClientSettings) {
    this.#settings = settings;
    this.#running = new RunningCalls(settings.maxPendingRequests);
    this.#pool = new Pool({
      endpoints: settings.endpoints,
      connectionsPerEndpoint: settings.connectionsPerEndpoint,
      clock: settings.clock,
      openChannel: (endpoint, onClosed) => new Link(endpoint, settings, onClosed),
      onLeaderChanged: (leader) =>
        settings.onEvent({ kind: 'leader-changed', leader: leader === undefined ? undefined : formatEndpoint(leader) }),
    });
    this.#sessions = new SessionKeeper({
      clock: settings.clock,
      onEvent: settings.onEvent,
      open: async (signal, onFailure) => {
        const request: Request2 = { kind: 'open-session', expiryMs: settings.sessionExpiryMs };
        const granted = await this.#ask(request, 'session', { signal, deadlineMs: Infinity }, onFailure);
        if (settings.endpoints.length === 1) void this.#learnMembers();
        return granted;
      },
      touch: async (session) => void (await this.#ask({ kind: 'touch-session', session }, 'done', {})),
    });
  }

  /** Which version the cluster speaks, as the first node that answers says. @param onFailure - Told of each try that failed. @throws ClientError */
  negotiate(onFailure: (cause: ClientError) => void): Promise<1 | 2> {
    return this.#run({}, (context) =>
      negotiate(
        { ...context, onFailure },
        { policy: this.#settings.retry, otherEndpoints: this.#settings.endpoints.length - 1 },
      ),
    );
  }

  put(key: BytesInput, value: BytesInput, options?: CallOptions): Promise<WriteReceipt> {
    return this.batch([{ kind: 'put', key, value }], options);
  }

  delete(key: BytesInput, options?: CallOptions): Promise<WriteReceipt> {
    return this.batch([{ kind: 'delete', key }], options);
  }

  deleteRange(range: DeletedRange, options?: CallOptions): Promise<WriteReceipt> {
    const { prefix, gte, lt } = range;
    return this.batch([{ kind: 'delete-range', prefix, gte, lt }], options);
  }

  async batch(operations: readonly BatchOperation[], options?: CallOptions): Promise<WriteReceipt> {
    const { revision, term } = await this.#write(toWrite({ conditions: [], operations }), options);
    return { revision, term };
  }

  async compareAndBatch(comparison: Comparison, options?: CallOptions): Promise<ComparisonReceipt> {
    const { revision, term, failed } = await this.#write(toWrite(comparison), options);
    return { revision, term, isApplied: failed === undefined, failedCondition: failed };
  }

  async pipeline(operations: readonly PutOrDelete[], options?: CallOptions): Promise<void> {
    await runPipeline(operations, (write) => this.#write(write, options));
  }

  async get(key: BytesInput, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return (await this.getRow(key, options))?.value;
  }

  async getRow(key: BytesInput, options: ReadOptions = {}): Promise<StoredValue | undefined> {
    const request: Request2 = { kind: 'get', freshness: toFreshness(options), key: ownBytes(key) };
    return ownRow((await this.#ask(request, 'row', options)).row);
  }

  async getMany(keys: readonly BytesInput[], options: ReadOptions = {}): Promise<readonly (StoredValue | undefined)[]> {
    const request: Request2 = { kind: 'get-many', freshness: toFreshness(options), keys: keys.map(ownBytes) };
    return (await this.#ask(request, 'rows', options)).rows.map(ownRow);
  }

  scan(range: BytesInput | ScanRange, options: ScanOptions = {}): AsyncIterable<Row> {
    const { limit = Infinity, reverse = false, keysOnly = false, pageBytes = 0, pageRows = 0 } = options;
    if (!(limit >= 0)) throw new RangeError(`limit must be a number from 0, got ${limit}`);
    const isEmpty = limit === 0 || (isRange(range) && endsAtEmptyKey(range));
    const request: ScanRequest2 = {
      kind: 'scan',
      freshness: toFreshness(options),
      range: toRowRange(range),
      isDescending: reverse,
      isWithoutValues: keysOnly,
      limit: Number.isFinite(limit) ? Math.floor(limit) : 0,
      pageBytes,
      pageRows,
    };
    if (isEmpty) return noRows();
    return scanRows({
      request,
      isAcrossRevisions: options.acrossRevisions ?? false,
      begin: (part) => openScan(part, targetOf(part), (work) => this.#run(options, work)),
    });
  }

  async health(options?: CallOptions): Promise<HealthRole> {
    return (await this.#ask({ kind: 'health' }, 'health', options)).role;
  }

  status(options?: CallOptions): Promise<JsonDocument> {
    return this.#askText({ kind: 'status' }, options);
  }

  stats(options?: CallOptions): Promise<JsonDocument> {
    return this.status(options);
  }

  hello(_version: number, _options?: CallOptions): Promise<number> {
    return Promise.resolve(2);
  }

  members(options?: CallOptions): Promise<JsonDocument> {
    return this.#askText({ kind: 'members' }, options);
  }

  addMember(member: NewMember, options: MembershipOptions = {}): Promise<JsonDocument> {
    const { id: node, raftAddress: peerAddress, clientAddress, isLearner: staysLearner = false } = member;
    const { isDryRun = false } = options;
    return this.#askText({ kind: 'add-member', node, peerAddress, clientAddress, isDryRun, staysLearner }, options);
  }

  promoteMember(node: number, options: MembershipOptions = {}): Promise<JsonDocument> {
    return this.#askText({ kind: 'promote-member', node, isDryRun: options.isDryRun ?? false }, options);
  }

  removeMember(node: number, options: MembershipOptions = {}): Promise<JsonDocument> {
    return this.#askText({ kind: 'remove-member', node, isDryRun: options.isDryRun ?? false }, options);
  }

  transferLeader(node = 0, options?: CallOptions): Promise<JsonDocument> {
    return this.#askText({ kind: 'transfer-leader', node }, options);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The session is given back, since nodes keep each for an hour; if that takes long, they will have to. */
  async #close(): Promise<void> {
    const session = this.#sessions.close();
    this.#running.close();
    if (session !== undefined) {
      const options = { timeoutMs: CLOSE_SESSION_MS, deadlineMs: CLOSE_SESSION_MS };
      const goodbye = { ...this.#contextOf(options), retry: { ...this.#settings.retry2, attempts: 1, redirects: 1 } };
      const call: Call2 = { makeRequest: () => ({ kind: 'close-session', session }), target: 'leader', effect: 'read' };
      await this.#running.run(
        options,
        this.#settings,
        (cancellation) => runCall2(call, 'done', { ...goodbye, cancellation }).catch(() => undefined),
        'last',
      );
    }
    await this.#pool.close();
  }

  /** Who was told of one node only has to know another one before that is lost. */
  async #learnMembers(): Promise<void> {
    try {
      const { members } = await this.members({ deadlineMs: this.#settings.timeoutMs });
      for (const member of Array.isArray(members) ? (members as readonly unknown[]) : []) {
        const { client_address: address } = Object(member) as { readonly client_address?: unknown };
        if (typeof address === 'string') this.#pool.noteMember(address);
      }
    } catch (error) {
      // It is asked again with the next session.
      if (!(error instanceof ClientError)) throw error;
    }
  }

  #write(write: Write, options: CallOptions | undefined): Promise<WriteAnswer> {
    return this.#run(options, (context) => writeOnce(write, this.#sessions, context));
  }

  /** Says a request that is not about a session's write until it is answered. */
  async #ask<Kind extends OkResponse2['kind']>(
    request: Request2,
    kind: Kind,
    options: CallOptions | undefined,
    onFailure?: (cause: ClientError) => void,
  ): Promise<Extract<OkResponse2, { readonly kind: Kind }>> {
    const call: Call2 = { makeRequest: () => request, target: targetOf(request), effect: effectOf(request) };
    return (await this.#run(options, (context) => runCall2(call, kind, { ...context, onFailure }))).response;
  }

  async #askText(request: Request2, options: CallOptions | undefined): Promise<JsonDocument> {
    return parseDocument((await this.#ask(request, 'text', options)).text);
  }

  /** Gives the work what it needs, and ends it with its deadline, its signal, or the client. */
  #run<Result>(options: CallOptions | undefined, work: (context: CallContext2) => Promise<Result>): Promise<Result> {
    const base = this.#contextOf(options);
    return this.#running.run(options ?? {}, this.#settings, (cancellation) => work({ ...base, cancellation }));
  }

  #contextOf(options: CallOptions | undefined): Omit<CallContext2, 'cancellation'> {
    const { clock, random, retry2: retry, onEvent } = this.#settings;
    const timeoutMs = positive('timeoutMs', options?.timeoutMs, this.#settings.timeoutMs);
    return { pool: this.#pool, clock, random, retry, timeoutMs, onEvent };
  }
}

/** What need not be new may come from anywhere. */
function targetOf(request: Request2): 'leader' | 'any' {
  if (!('freshness' in request)) return 'leader';
  return request.freshness.kind === 'stale' || request.freshness.kind === 'bounded' ? 'any' : 'leader';
}

/** Sessions may be opened and touched any number of times: one that nobody uses expires. */
function effectOf(request: Request2): Call2['effect'] {
  assert(request.kind !== 'write', 'writes have a place in a session');
  if (request.kind === 'transfer-leader') return 'fragile';
  return 'isDryRun' in request && !request.isDryRun ? 'fragile' : 'read';
}

/** A copy: a view would keep the network buffer that it came in. */
function ownRow(row: Row2 | undefined): StoredValue | undefined {
  return row === undefined ? undefined : { value: copyBytes(row.value), revision: row.revision };
}

function isRange(range: BytesInput | ScanRange): range is ScanRange {
  return typeof range !== 'string' && !(range instanceof Uint8Array);
}

async function* noRows(): AsyncGenerator<Row> {}
