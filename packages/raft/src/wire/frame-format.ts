/**
 * The numbers of the protocol between nodes: version, kinds and limits.
 * Format: docs/format/raft-messages.md is the home of the layout; a test compares these constants with its tables.
 */

import type { PeerMessage } from '../core/message.ts';
import type { EntryKind } from '../core/types.ts';
import type { RefusalReason, TransferMessage } from './transfer-message.ts';

export { MAX_SNAPSHOT_DATA_BYTES } from '../core/types.ts';

export const PEER_PROTOCOL_VERSION = 1;

/** The only group there is. */
export const PEER_GROUP = 0;

/** Everything in front of the fields of a kind, the length field included. */
export const PEER_FRAME_HEADER_BYTES = 36;

/** Bound: the length field of a frame, which does not count itself. */
export const MAX_PEER_FRAME_BYTES = 64 * 1024 * 1024;

/** Bound: the data of one entry. */
export const MAX_ENTRY_BYTES = 32 * 1024 * 1024;

/** Bound: entries in one message. */
export const MAX_MESSAGE_ENTRIES = 262_144;

/** Bound: the context of a read. */
export const MAX_CONTEXT_BYTES = 4096;

/** Bound: each list of a configuration. */
export const MAX_LISTED_MEMBERS = 1000;

/** Bound: files of one snapshot. */
export const MAX_SNAPSHOT_FILES = 65_536;

/** Bound: the name of a file of a snapshot. */
export const MAX_SNAPSHOT_FILE_NAME_BYTES = 100;

/** Bound: the data of one chunk. */
export const MAX_CHUNK_BYTES = 1024 * 1024;

/** The byte that says what a frame is. */
export const FRAME_KIND = {
  vote: 1,
  'vote-response': 2,
  'pre-vote': 3,
  'pre-vote-response': 4,
  append: 5,
  'append-response': 6,
  heartbeat: 7,
  'heartbeat-response': 8,
  snapshot: 9,
  propose: 10,
  'read-index': 11,
  'read-index-response': 12,
  'transfer-leader': 13,
  'timeout-now': 14,
  'snapshot-offer': 32,
  'snapshot-chunk': 33,
  'snapshot-position': 34,
  'snapshot-refusal': 35,
  'snapshot-done': 36,
} as const satisfies Readonly<Record<(PeerMessage | TransferMessage)['kind'], number>>;

export type FrameKind = keyof typeof FRAME_KIND;

/** Whether frames of this kind belong to the transfer of a snapshot and not to the core. */
export function isTransferKind(kind: FrameKind): kind is TransferMessage['kind'] {
  return FRAME_KIND[kind] >= FRAME_KIND['snapshot-offer'];
}

/** The byte that says what an entry is. */
export const ENTRY_KIND = {
  normal: 0,
  config: 1,
  'config-v1': 2,
} as const satisfies Readonly<Record<EntryKind, number>>;

/** The byte that says why a snapshot is refused. */
export const REFUSAL_REASON = {
  unknown: 1,
  older: 2,
  busy: 3,
  'no-room': 4,
  storage: 5,
  checksum: 6,
  overrun: 7,
} as const satisfies Readonly<Record<RefusalReason, number>>;
