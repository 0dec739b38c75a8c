/** The responses of protocol v1 as values. Format: docs/format/wire.md, "Responses". */

import type { RequestKind } from './request.ts';

export interface ScanItem {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Status 0 without a payload: answers put, delete and transfer-leader. */
export interface DoneResponse {
  readonly kind: 'done';
}

/** Answers get. */
export interface ValueResponse {
  readonly kind: 'value';
  readonly value: Uint8Array;
}

/** Answers scan; in key order. */
export interface ItemsResponse {
  readonly kind: 'items';
  readonly items: readonly ScanItem[];
}

/** Answers hello. */
export interface VersionResponse {
  readonly kind: 'version';
  readonly version: number;
}

/** Answers health. */
export interface RoleResponse {
  readonly kind: 'role';
  readonly role: 'leader' | 'follower';
}

/** Answers stats (a JSON document), add-member, remove-member and promote-learner (a sentence). */
export interface TextResponse {
  readonly kind: 'text';
  readonly text: string;
}

/** Status 1: the request itself is wrong; sending it again does not help. */
export interface InvalidArgumentResponse {
  readonly kind: 'invalid-argument';
  readonly message: string;
}

/** Status 2: answers get when the key is absent. */
export interface NotFoundResponse {
  readonly kind: 'not-found';
}

/** Status 3. No request that is served causes it. */
export interface ConflictResponse {
  readonly kind: 'conflict';
  readonly message: string;
}

/** Status 9, and every status without a name. */
export interface ErrorResponse {
  readonly kind: 'error';
  readonly message: string;
}

/** Status 10. */
export interface NotLeaderResponse {
  readonly kind: 'not-leader';
  /** The leader's client address as `host:port`; `undefined` when it is not known. */
  readonly leaderAddress: string | undefined;
}

/** Status 11. Only a store of several ranges sends it; its table is kept as it came. */
export interface RangeMovedResponse {
  readonly kind: 'range-moved';
  readonly table: Uint8Array;
}

export type OkResponse = DoneResponse | ValueResponse | ItemsResponse | VersionResponse | RoleResponse | TextResponse;

export type RefusalResponse =
  | InvalidArgumentResponse
  | NotFoundResponse
  | ConflictResponse
  | ErrorResponse
  | NotLeaderResponse
  | RangeMovedResponse;

export type Response = OkResponse | RefusalResponse;

/** Which shape status 0 has, by the request it answers. */
export const OK_RESPONSE_KIND = {
  hello: 'version',
  put: 'done',
  get: 'value',
  delete: 'done',
  scan: 'items',
  health: 'role',
  stats: 'text',
  'add-member': 'text',
  'remove-member': 'text',
  'transfer-leader': 'done',
  'promote-learner': 'text',
} as const satisfies Record<RequestKind, OkResponse['kind']>;
