/**
 * The numbers of protocol v1: opcodes, statuses, prefixes and limits.
 * Format: docs/format/wire.md is the home of the layout; a test compares these constants with its tables.
 */

/** Version that HELLO carries. */
export const PROTOCOL_VERSION = 1;

/** First byte after the length of a request. Others of the original, which has 0 to 22, are answered with status 9. */
export const OPCODE = {
  hello: 0,
  put: 1,
  get: 2,
  delete: 3,
  scan: 4,
  health: 5,
  stats: 6,
  addMember: 7,
  removeMember: 8,
  transferLeader: 18,
  promoteLearner: 19,
} as const;

export type Opcode = (typeof OPCODE)[keyof typeof OPCODE];

/** First two bytes after the length of a response. Every other value is read as `error`. */
export const STATUS = {
  ok: 0,
  invalidArgument: 1,
  notFound: 2,
  transactionConflict: 3,
  error: 9,
  notLeader: 10,
  rangeMoved: 11,
} as const;

export type Status = (typeof STATUS)[keyof typeof STATUS];

/** The length field in front of every frame; it does not count itself. */
export const FRAME_HEADER_BYTES = 4;

/** Bound: the length field of a frame, in both directions. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/** Bound: the length field of a frame on a connection that has shown no credential yet, where one is required. */
export const MAX_UNAUTHENTICATED_FRAME_BYTES = 16 * 1024;

/** Bound: items that a client reads out of one SCAN answer. */
export const MAX_DECODED_SCAN_ITEMS = 1_000_000;

/** Bound: items that a server puts into one SCAN answer; their bytes are bound by the frame. */
export const MAX_SCAN_ITEMS = 100_000;

/** The two length fields of one item of a SCAN answer. */
export const SCAN_ITEM_OVERHEAD_BYTES = 8;

/** Status and item count of a SCAN answer, as the frame length counts them. */
export const SCAN_ANSWER_OVERHEAD_BYTES = 6;

/** Bound: a token, because its length is a u16. */
export const MAX_TOKEN_BYTES = 0xffff;

/** `CLIENT\0` */
export const CLIENT_PREFIX: Uint8Array = Uint8Array.of(0x43, 0x4c, 0x49, 0x45, 0x4e, 0x54, 0x00);

/** `ADMIN\0` */
export const ADMIN_PREFIX: Uint8Array = Uint8Array.of(0x41, 0x44, 0x4d, 0x49, 0x4e, 0x00);

/** `MEPO`, in front of a range epoch. */
export const RANGE_EPOCH_PREFIX: Uint8Array = Uint8Array.of(0x4d, 0x45, 0x50, 0x4f);

/** How the refusal of a SCAN begins when the prefix holds more than one answer can carry. Clients split the prefix on it. */
export const SCAN_TOO_LARGE_TEXT = 'scan too large';

/** The texts of status 9 that refuse a credential, word for word as the original has them. */
export const UNAUTHORIZED_TEXTS = {
  client: 'client credential required or invalid',
  operator: 'operator credential required or invalid',
  accessList: 'acl denied',
  tenant: 'tenant denied',
} as const;
