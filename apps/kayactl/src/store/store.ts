/**
 * What a command needs of a store, whether it is a folder opened by this process or a server.
 * Each command is written once, against this.
 */

import type { Durability } from '@kayadb/engine';

export interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** What the engine tells of an acknowledged write. */
export interface EngineReceipt {
  readonly sequence: number;
  readonly lsn: number;
  readonly durable: boolean;
}

/** What a server tells of it: its place in the log of the cluster. */
export interface ServerReceipt {
  readonly revision: number;
  readonly term: number;
}

/** A server of protocol v1 tells nothing. */
export type WriteReceipt = EngineReceipt | ServerReceipt | undefined;

/** How new a server has to be that answers; a folder is read as it is. */
export interface Freshness {
  /** Whatever the server that is asked has, also without a quorum. */
  readonly isStale?: boolean;
}

export interface RowsOptions extends Freshness {
  readonly gt?: Uint8Array;
  readonly gte?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly prefix?: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
  readonly signal: AbortSignal;
}

/** How many records to hand over at once, and how much may wait for its acknowledgement. */
export interface WritePlan {
  /** Records of one unit: they are acknowledged together. */
  readonly maxUnitRecords: number;
  readonly maxUnitBytes: number;
  readonly maxUnitsInFlight: number;
  readonly maxBytesInFlight: number;
  /** Whether units take effect in the order in which they were handed over. */
  readonly ordered: boolean;
  /** Whether an acknowledgement alone says that the unit survives whatever the store promises to survive. */
  readonly acknowledgedIsDurable: boolean;
}

export interface HealthReport {
  readonly role: string;
}

/** A JSON object with the counters named as the original names them. */
export type StatsDocument = Readonly<Record<string, unknown>>;

export interface Store {
  readonly kind: 'embedded' | 'remote';
  /** The folder's absolute path, or the endpoints: for messages and to tell one target from another. */
  readonly target: string;
  readonly writePlan: WritePlan;
  put(key: Uint8Array, value: Uint8Array): Promise<WriteReceipt>;
  delete(key: Uint8Array): Promise<WriteReceipt>;
  get(key: Uint8Array, freshness?: Freshness): Promise<Uint8Array | undefined>;
  /** Rows in key order. */
  rows(options: RowsOptions): AsyncIterable<Row>;
  /** Puts the rows of one unit. `durability` is a wish that only an embedded store can grant. */
  write(rows: readonly Row[], durability?: Durability): Promise<void>;
  /** @returns Why the store will never take what was written, or `undefined` when `error` is a failure of another kind. */
  describeRefusal(error: unknown): string | undefined;
  health(): Promise<HealthReport>;
  stats(): Promise<StatsDocument>;
  /** @throws CliError KAYA_LOCAL_ONLY when remote. */
  flush(): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}
