/** A store behind servers. What a server's protocol cannot say is refused with a sentence, not approximated. */

import {
  type CallOptions,
  type Client,
  ClientError,
  type ReadOptions,
  type WriteReceipt as ClientReceipt,
} from '@kayadb/client';

import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../invocation.ts';
import { connectServers } from './connect-servers.ts';
import { KeyRange } from './key-range.ts';
import type {
  Freshness,
  HealthReport,
  Row,
  RowsOptions,
  ServerReceipt,
  StatsDocument,
  Store,
  WritePlan,
} from './store.ts';

/** Puts are pipelined one by one, so that each record has an answer of its own. */
const WRITE_PLAN: WritePlan = {
  maxUnitRecords: 1,
  maxUnitBytes: 1,
  maxUnitsInFlight: 512,
  maxBytesInFlight: 8 * 1024 * 1024,
  ordered: false,
  acknowledgedIsDurable: true,
};

/** How long a page of a scan may take without --timeout: v1 answers it as a whole, which may be 64 MiB. */
const SCAN_TIMEOUT_MS = 60_000;

/**
 * Connects when it is first used.
 *
 * @param endpoints - By default those of the command line.
 * @throws CliError KAYA_NOT_IN_PROTOCOL when a durability was asked for.
 */
export function openRemoteStore(context: CommandContext, endpoints = context.globals.servers): Store {
  const { timeoutMs } = context.globals;
  refuseDurability(context);
  const client = connectServers(context, endpoints);
  const scanTimeoutMs = timeoutMs ?? SCAN_TIMEOUT_MS;
  return new RemoteStore(client, endpoints.join(','), context.io.signal, scanTimeoutMs);
}

/** @throws CliError KAYA_NOT_IN_PROTOCOL when a durability was asked for. */
export function refuseDurability({ globals }: CommandContext): void {
  if (globals.durability === undefined) return;
  throw notInProtocol(
    `--durability ${globals.durability} cannot be asked of a server: what it acknowledges is as durable as it was started to make it`,
    'Leave --durability out.',
  );
}

class RemoteStore implements Store {
  readonly kind = 'remote';
  readonly target: string;
  readonly writePlan = WRITE_PLAN;
  readonly #client: Client;
  readonly #call: CallOptions;
  readonly #scanCall: CallOptions;

  constructor(client: Client, target: string, signal: AbortSignal, scanTimeoutMs: number) {
    this.#client = client;
    this.target = target;
    this.#call = { signal };
    this.#scanCall = { signal, timeoutMs: scanTimeoutMs };
  }

  async put(key: Uint8Array, value: Uint8Array): Promise<ServerReceipt | undefined> {
    return toldBy(await this.#client.put(key, value, this.#call));
  }

  async delete(key: Uint8Array): Promise<ServerReceipt | undefined> {
    return toldBy(await this.#client.delete(key, this.#call));
  }

  get(key: Uint8Array, freshness: Freshness = {}): Promise<Uint8Array | undefined> {
    return this.#client.get(key, { ...this.#call, ...levelOf(freshness) });
  }

  /** In the ways of protocol 2; where only version 1 is spoken, which refuses them before the first row, in its own. */
  async *rows(options: RowsOptions): AsyncIterable<Row> {
    const { limit, reverse = false } = options;
    const range = new KeyRange(options);
    try {
      yield* this.#client.scan(range.bounds, { ...this.#scanCall, ...levelOf(options), limit, reverse });
      return;
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'KAYA_UNSUPPORTED') throw error;
    }
    if (reverse) {
      throw notInProtocol(
        '--reverse cannot be asked of this server: protocol v1 scans forward only',
        'Scan forward, or update the server.',
      );
    }
    yield* this.#rowsOfVersion1(range, limit ?? Number.POSITIVE_INFINITY);
  }

  /** v1 sends all keys with a prefix in order; bounds are kept by dropping the rest of them here. */
  async *#rowsOfVersion1(range: KeyRange, limit: number): AsyncIterable<Row> {
    let left = limit;
    if (left === 0) return;
    for await (const row of this.#client.scan(range.scanPrefix, this.#scanCall)) {
      if (range.isPast(row.key)) return;
      if (!range.includes(row.key)) continue;
      yield row;
      left--;
      if (left === 0) return;
    }
  }

  /** What was sent before an interruption is still awaited: an import wants to know how far it has come. */
  async write(rows: readonly Row[]): Promise<void> {
    for (const { key, value } of rows) await this.#client.put(key, value);
  }

  describeRefusal(error: unknown): string | undefined {
    return error instanceof ClientError && error.code === 'KAYA_INVALID_ARGUMENT' ? error.message : undefined;
  }

  async health(): Promise<HealthReport> {
    return { role: await this.#client.health(this.#call) };
  }

  stats(): Promise<StatsDocument> {
    return this.#client.stats(this.#call);
  }

  flush(): Promise<void> {
    const message = 'flush works on a folder only: a server flushes by itself';
    const hint = 'Leave --server out and name the folder with --data while no server runs on it.';
    return Promise.reject(new CliError('KAYA_LOCAL_ONLY', message, { hint }));
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

function levelOf({ isStale = false }: Freshness): Pick<ReadOptions, 'level'> {
  return isStale ? { level: 'stale' } : {};
}

/** Version 1 has no such numbers, and says 0. */
function toldBy({ revision, term }: ClientReceipt): ServerReceipt | undefined {
  return revision === 0 ? undefined : { revision, term };
}

function notInProtocol(message: string, hint: string): CliError {
  return new CliError('KAYA_NOT_IN_PROTOCOL', message, { hint });
}
