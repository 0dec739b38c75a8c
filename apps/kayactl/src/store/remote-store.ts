/** A store behind a server that speaks protocol v1. What v1 cannot say is refused with a sentence, not approximated. */

import { type CallOptions, type Client, ClientError } from '@kayadb/client';
import { compareBytes, EMPTY_BYTES, startsWith, toBytes } from '@kayadb/codec';

import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../invocation.ts';
import type { HealthReport, Row, RowsOptions, StatsDocument, Store, WritePlan } from './store.ts';

/** Puts are pipelined one by one, so that each record has an answer of its own. */
const WRITE_PLAN: WritePlan = {
  maxUnitRecords: 1,
  maxUnitBytes: 1,
  maxUnitsInFlight: 512,
  maxBytesInFlight: 8 * 1024 * 1024,
  ordered: false,
  acknowledgedIsDurable: true,
};

/** How long a scan may take without --timeout: v1 answers it as a whole, which may be 64 MiB. */
const SCAN_TIMEOUT_MS = 60_000;

/**
 * Connects when it is first used.
 *
 * @param endpoints - By default those of the command line.
 * @throws CliError KAYA_NOT_IN_PROTOCOL when a durability was asked for.
 */
export function openRemoteStore(context: CommandContext, endpoints = context.globals.servers): Store {
  const { durability, timeoutMs, clientToken, operatorToken } = context.globals;
  if (durability !== undefined) {
    throw notInProtocol(
      `--durability ${durability} cannot be asked of a server: protocol v1 has no field for it`,
      'Leave --durability out; the server was started with a durability of its own.',
    );
  }
  const client = context.io.connect(endpoints, { timeoutMs, clientToken, operatorToken });
  const scanTimeoutMs = timeoutMs ?? SCAN_TIMEOUT_MS;
  return new RemoteStore(client, endpoints.join(','), context.io.signal, scanTimeoutMs);
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

  async put(key: Uint8Array, value: Uint8Array): Promise<undefined> {
    await this.#client.put(key, value, this.#call);
  }

  async delete(key: Uint8Array): Promise<undefined> {
    await this.#client.delete(key, this.#call);
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#client.get(key, this.#call);
  }

  /** v1 sends all keys with a prefix in order; bounds are kept by dropping the rest of them here. */
  async *rows(options: RowsOptions): AsyncIterable<Row> {
    if (options.reverse === true) {
      throw notInProtocol(
        '--reverse cannot be asked of a server: protocol v1 scans forward only',
        'Scan forward, or stop the server and use --data.',
      );
    }
    const { limit = Number.POSITIVE_INFINITY } = options;
    const range = new KeyRange(options);
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
    const message = 'flush works on a folder only: a server flushes by itself, and protocol v1 cannot ask it to';
    const hint = 'Leave --server out and name the folder with --data while no server runs on it.';
    return Promise.reject(new CliError('KAYA_LOCAL_ONLY', message, { hint }));
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/** The bounds of a scan, and the prefix that all keys within them share. */
class KeyRange {
  readonly scanPrefix: Uint8Array;
  readonly #lower: Uint8Array | undefined;
  readonly #upper: Uint8Array | undefined;
  readonly #excludesLower: boolean;
  readonly #excludesUpper: boolean;

  constructor({ prefix = EMPTY_BYTES, gt, gte, lt, lte }: RowsOptions) {
    const lower = gt ?? gte;
    const upper = lt ?? lte;
    this.#lower = lower === undefined ? undefined : toBytes(lower);
    this.#upper = upper === undefined ? undefined : toBytes(upper);
    this.#excludesLower = gt !== undefined;
    this.#excludesUpper = lt !== undefined;
    const shared = sharedPrefix(this.#lower, this.#upper);
    this.scanPrefix = startsWith(shared, prefix) ? shared : prefix;
  }

  includes(key: Uint8Array): boolean {
    const fromLower = this.#lower === undefined ? 1 : compareBytes(key, this.#lower);
    return (fromLower > 0 || (fromLower === 0 && !this.#excludesLower)) && !this.isPast(key);
  }

  /** Whether no later key is within the bounds. */
  isPast(key: Uint8Array): boolean {
    if (this.#upper === undefined) return false;
    const fromUpper = compareBytes(key, this.#upper);
    return fromUpper > 0 || (fromUpper === 0 && this.#excludesUpper);
  }
}

/** Whatever sorts between two keys begins as both of them do. */
function sharedPrefix(lower: Uint8Array | undefined, upper: Uint8Array | undefined): Uint8Array {
  if (lower === undefined || upper === undefined || compareBytes(lower, upper) > 0) return EMPTY_BYTES;
  let length = 0;
  while (length < lower.length && length < upper.length && lower[length] === upper[length]) length++;
  return lower.subarray(0, length);
}

function notInProtocol(message: string, hint: string): CliError {
  return new CliError('KAYA_NOT_IN_PROTOCOL', message, { hint });
}
