/** Magic, offsets and codes of the greeting between nodes. Format: docs/format/peer-handshake.md. */

export const PEER_GREETING_MAGIC = 'KAYAPEER';

/** Bound: the length field of a greeting. */
export const MAX_GREETING_BYTES = 2048;

/** How long nodes without a cluster wait for the rest of their peers after a majority has been heard. */
export const FORMATION_WAIT_MS = 10_000;

/** Magic and length field. */
export const GREETING_HEAD_BYTES = 10;

export const GREETING_CRC_BYTES = 4;

/** Three empty texts and the CRC behind the fixed fields. */
export const MIN_GREETING_BYTES = 64 + 3 + GREETING_CRC_BYTES;

export const CLUSTER_ID_BYTES = 16;

/** Bound: bytes of a text. */
export const MAX_TEXT_BYTES = 255;

/** The two numbers above stand for a node's own threads. */
export const MAX_PEER_NODE = Number.MAX_SAFE_INTEGER - 2;

/** What a connection carries after the greetings. */
export const PEER_STREAM = { messages: 0, snapshots: 1 } as const;

export type PeerStream = keyof typeof PEER_STREAM;

/** What the acceptor says to a dialer. */
export const PEER_VERDICT = {
  accepted: 0,
  'other-cluster': 1,
  'no-member': 2,
  'other-node': 3,
  'no-common-version': 4,
  'other-directory': 5,
  'set-back': 6,
  removed: 7,
  'no-cluster': 8,
} as const;

export type PeerVerdict = keyof typeof PEER_VERDICT;
