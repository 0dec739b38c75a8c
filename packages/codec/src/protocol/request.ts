/** The requests of protocol v1 as values. Format: docs/format/wire.md, "Requests". */

/**
 * A token as it came over the wire, not yet compared with anything.
 *
 * `client` comes from a `CLIENT\0` prefix (put, get, delete, scan, stats), `operator` from an `ADMIN\0` prefix
 * (add-member, remove-member, transfer-leader, promote-learner). Tokens are secrets: never log them, compare them in constant time.
 */
export interface Credential {
  readonly kind: 'client' | 'operator';
  readonly token: Uint8Array;
}

interface Credentialed {
  readonly credential?: Credential | undefined;
}

interface Routed extends Credentialed {
  /** The table of ranges that the sender routed by. A single node has none and ignores it. */
  readonly rangeEpoch?: number | undefined;
}

export interface HelloRequest {
  readonly kind: 'hello';
  /** Highest protocol version that the sender speaks. */
  readonly version: number;
}

export interface PutRequest extends Routed {
  readonly kind: 'put';
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface GetRequest extends Routed {
  readonly kind: 'get';
  readonly key: Uint8Array;
}

export interface DeleteRequest extends Routed {
  readonly kind: 'delete';
  readonly key: Uint8Array;
}

export interface ScanRequest extends Routed {
  readonly kind: 'scan';
  /** Empty for the whole store. */
  readonly prefix: Uint8Array;
}

export interface HealthRequest {
  readonly kind: 'health';
}

export interface StatsRequest extends Credentialed {
  readonly kind: 'stats';
}

export interface AddMemberRequest extends Credentialed {
  readonly kind: 'add-member';
  readonly id: number;
  /** `host:port` for the other nodes. */
  readonly raftAddress: string;
  /** `host:port` for clients. */
  readonly clientAddress: string;
  readonly isLearner: boolean;
}

export interface RemoveMemberRequest extends Credentialed {
  readonly kind: 'remove-member';
  readonly id: number;
}

export interface TransferLeaderRequest extends Credentialed {
  readonly kind: 'transfer-leader';
  /** Number of the group; 0 where there is one. */
  readonly group: number;
  /** The member that is to lead. */
  readonly target: number;
}

export interface PromoteLearnerRequest extends Credentialed {
  readonly kind: 'promote-learner';
  readonly id: number;
}

/** Every request that v1 names and this version answers. */
export type Request =
  | HelloRequest
  | PutRequest
  | GetRequest
  | DeleteRequest
  | ScanRequest
  | HealthRequest
  | StatsRequest
  | AddMemberRequest
  | RemoveMemberRequest
  | TransferLeaderRequest
  | PromoteLearnerRequest;

export type RequestKind = Request['kind'];

/** Any other opcode: to be answered with status 9 and nothing done. Its payload is not looked at. */
export interface UnsupportedRequest {
  readonly kind: 'unsupported';
  readonly opcode: number;
}

/** What `decodeRequest` gives. Its byte arrays are views of the frame. */
export type DecodedRequest = Request | UnsupportedRequest;
