/** What a client can do, whichever version of the protocol its cluster speaks. A reader starts here; `connect` makes one. */

import type { BytesInput, ScanRange } from './arguments.ts';

export interface CallOptions {
  /** How long one try may take. */
  readonly timeoutMs?: number | undefined;
  /** How long the call may take with all its tries. Version 1 counts tries instead. A scan counts each page anew. */
  readonly deadlineMs?: number | undefined;
  /** Ends the call with KAYA_ABORTED; a write that was sent may still be done. */
  readonly signal?: AbortSignal | undefined;
}

export interface ReadOptions extends CallOptions {
  /**
   * - `linearizable`, the default: sees every write that was answered before the read began, on any node.
   * - `lease`: the same for less, by the leader's clock, where nodes are started with leases.
   * - `stale`: what the node that is asked happens to have. Nodes take turns.
   */
  readonly level?: 'linearizable' | 'lease' | 'stale' | undefined;
  /** In place of a level: from any node that is no further behind than this. */
  readonly maxStalenessMs?: number | undefined;
}

export interface ScanOptions extends ReadOptions {
  /** How many rows at most. In version 1 it saves nothing but the caller's work. */
  readonly limit?: number | undefined;
  /** From the last key to the first. */
  readonly reverse?: boolean | undefined;
  /** Rows have empty values. */
  readonly keysOnly?: boolean | undefined;
  /** Size of a page, of which two are in memory. Default: the node's choice, 1 MiB. */
  readonly pageBytes?: number | undefined;
  /** The same in rows. Default: 1,000. */
  readonly pageRows?: number | undefined;
  /**
   * Goes on behind the last row, in a newer state of the store, when the state that the scan shows is gone: its node was lost, or nobody read for a minute.
   * Without it such a scan ends with KAYA_SCAN_ENDED.
   */
  readonly acrossRevisions?: boolean | undefined;
}

/** A value and the revision that wrote it; 0 where version 1 is spoken, which has none. */
export interface StoredValue {
  readonly value: Uint8Array;
  readonly revision: number;
}

export interface Row extends StoredValue {
  readonly key: Uint8Array;
}

/** Where a write stands among all writes of the cluster. Version 1 has no such numbers: there both are 0. */
export interface WriteReceipt {
  /** Position in the cluster's log: later writes have higher ones. */
  readonly revision: number;
  /** Term of the leader that took it. */
  readonly term: number;
}

/** A range to delete: by prefix, or from `gte` and below `lt`. Without a single bound it is refused. */
export type DeletedRange = Pick<ScanRange, 'prefix' | 'gte' | 'lt'>;

export type PutOrDelete =
  | { readonly kind: 'put'; readonly key: BytesInput; readonly value: BytesInput }
  | { readonly kind: 'delete'; readonly key: BytesInput };

export type BatchOperation = PutOrDelete | ({ readonly kind: 'delete-range' } & DeletedRange);

/** What has to be true of a key. Revision 0 is that of an absent key. */
export type Condition =
  | { readonly kind: 'exists'; readonly key: BytesInput; readonly exists: boolean }
  | { readonly kind: 'value'; readonly key: BytesInput; readonly value: BytesInput }
  | { readonly kind: 'revision'; readonly key: BytesInput; readonly revision: number };

export interface Comparison {
  /** All must hold. */
  readonly conditions: readonly Condition[];
  /** Done when they do. */
  readonly operations: readonly BatchOperation[];
  /** Done when one does not. */
  readonly otherwise?: readonly BatchOperation[] | undefined;
}

export interface ComparisonReceipt extends WriteReceipt {
  readonly isApplied: boolean;
  /** Index of the first condition that did not hold. */
  readonly failedCondition: number | undefined;
}

export interface NewMember {
  readonly id: number;
  /** `host:port` for the other nodes. */
  readonly raftAddress: string;
  /** `host:port` for clients. */
  readonly clientAddress: string;
  /** It stays one that has no vote; otherwise it gets one when it has caught up. */
  readonly isLearner?: boolean;
}

export interface MembershipOptions extends CallOptions {
  /** Says what the change would do, and does nothing. */
  readonly isDryRun?: boolean | undefined;
}

/** A JSON object of a node. */
export type JsonDocument = Readonly<Record<string, unknown>>;

export type HealthRole = 'leader' | 'follower' | 'learner' | 'candidate';

/**
 * A connection pool to a KayaDB node or cluster. Every method may be called at any time, also concurrently.
 *
 * With version 2 each write is done once however often it has to be sent: an answer, an error with `isOutcomeUnknown` false, and nothing else is certain.
 * Writes that run concurrently are done in no particular order: await one before the next, or use `batch`. What version 1 can not say fails with
 * KAYA_UNSUPPORTED. Byte arrays are copied before a method returns, and those that are handed out are the caller's own.
 * Every method throws ClientError; see its codes in docs/reference/errors.md.
 */
export interface Client extends AsyncDisposable {
  /** Resolves once the write is as durable as the cluster is configured to make it. */
  put(key: BytesInput, value: BytesInput, options?: CallOptions): Promise<WriteReceipt>;
  /** Succeeds for an absent key too. */
  delete(key: BytesInput, options?: CallOptions): Promise<WriteReceipt>;
  deleteRange(range: DeletedRange, options?: CallOptions): Promise<WriteReceipt>;
  /** All of it or nothing, in order: of two operations on a key the later one wins. */
  batch(operations: readonly BatchOperation[], options?: CallOptions): Promise<WriteReceipt>;
  /** A batch that is done if all conditions hold, and another one otherwise. */
  compareAndBatch(comparison: Comparison, options?: CallOptions): Promise<ComparisonReceipt>;
  /**
   * Any number of writes in few round trips, in order, and NOT atomic: others may see a part of it, and a failure may leave a part of it done.
   *
   * @throws BatchError whose `states` tell of each operation whether it was acknowledged.
   */
  pipeline(operations: readonly PutOrDelete[], options?: CallOptions): Promise<void>;
  /** @returns The value; `undefined` when the key is absent. */
  get(key: BytesInput, options?: ReadOptions): Promise<Uint8Array | undefined>;
  /** As `get`, with the revision. */
  getRow(key: BytesInput, options?: ReadOptions): Promise<StoredValue | undefined>;
  /** In the order of `keys`, all of one state of the store. */
  getMany(keys: readonly BytesInput[], options?: ReadOptions): Promise<readonly (StoredValue | undefined)[]>;
  /**
   * Rows in key order, pulled page by page; the next page is asked for when the first row of one is taken. A string or bytes are a prefix; an empty one is everything.
   * All rows are of one state of the store: with version 2 always, unless `acrossRevisions`; with version 1, which scans prefixes only, if they fit into one answer.
   *
   * @throws ClientError KAYA_SCAN_ENDED when that state was lost between two rows.
   */
  scan(range: BytesInput | ScanRange, options?: ScanOptions): AsyncIterable<Row>;
  health(options?: CallOptions): Promise<HealthRole>;
  /** What the node that is asked says of itself: STATUS of docs/reference/server.md, STATS in version 1. */
  status(options?: CallOptions): Promise<JsonDocument>;
  /** The same document. What both versions have in it has the same names: `role`, `term`, `commit_index`, `applied_index`, and the counters of `engine`. */
  stats(options?: CallOptions): Promise<JsonDocument>;
  /** @returns The protocol version that the server answers with; in version 2, that. */
  hello(version: number, options?: CallOptions): Promise<number>;
  members(options?: CallOptions): Promise<JsonDocument>;
  /** Not sent again when unanswered, as all changes of the membership. Version 1 says `{ message }`, before the change is committed. */
  addMember(member: NewMember, options?: MembershipOptions): Promise<JsonDocument>;
  promoteMember(id: number, options?: MembershipOptions): Promise<JsonDocument>;
  removeMember(id: number, options?: MembershipOptions): Promise<JsonDocument>;
  /** @param id - Who is to lead; left out, whoever is fit for it. */
  transferLeader(id?: number, options?: CallOptions): Promise<JsonDocument>;
  /** Ends running calls with KAYA_CLIENT_CLOSED, gives the session back, and closes the connections. Idempotent. */
  close(): Promise<void>;
}
