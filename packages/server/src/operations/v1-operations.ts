/**
 * What protocol v1 asks of a node, without frames; `ReplicaV1Operations` does it.
 *
 * Every method rejects (or throws, where it returns no promise) with AccessDeniedError, with ServerError KAYA_INVALID_ARGUMENT for arguments that can
 * never succeed, or with what the store or the group failed with. Writes of one caller are handed on in the order of the calls.
 */

import type { AddMemberRequest, ScanItem, TransferLeaderRequest } from '@kayadb/codec';

import type { Identity } from '../access/authorize.ts';

export type V1Member = Pick<AddMemberRequest, 'id' | 'raftAddress' | 'clientAddress' | 'isLearner'>;
export type V1Transfer = Pick<TransferLeaderRequest, 'group' | 'target'>;

export interface V1Operations {
  /** Requires: the bytes do not change any more. */
  put(identity: Identity, key: Uint8Array, value: Uint8Array): Promise<void>;
  get(identity: Identity, key: Uint8Array): Promise<Uint8Array | undefined>;
  /** Deleting an absent key succeeds. */
  delete(identity: Identity, key: Uint8Array): Promise<void>;
  /** All rows under `prefix`, of one state. @throws ServerError KAYA_SCAN_TOO_LARGE */
  scan(identity: Identity, prefix: Uint8Array, signal: AbortSignal): Promise<readonly ScanItem[]>;
  health(identity: Identity): 'leader' | 'follower';
  /** A JSON document. */
  stats(identity: Identity): string | Promise<string>;
  /** @returns A sentence for people, with the index of the log at which it was proposed. */
  addMember(identity: Identity, member: V1Member): Promise<string>;
  /** @returns As `addMember`. */
  removeMember(identity: Identity, id: number): Promise<string>;
  /** @returns As `addMember`. */
  promoteLearner(identity: Identity, id: number): Promise<string>;
  transferLeader(identity: Identity, transfer: V1Transfer): Promise<void>;
}
