/**
 * The numbers of protocol 2: opcodes, statuses and bounds.
 * Format: docs/format/wire-2.md is the home of the layout; a test compares these constants with its tables.
 */

/** Version that HELLO carries. */
export const PROTOCOL_VERSION_2 = 2;

/** The byte behind a request's id. */
export const OPCODE_2 = {
  auth: 1,
  cancel: 2,
  health: 3,
  get: 4,
  getMany: 5,
  write: 6,
  scan: 7,
  more: 8,
  endScan: 9,
  openSession: 10,
  touchSession: 11,
  closeSession: 12,
  status: 13,
  members: 14,
  addMember: 15,
  promoteMember: 16,
  removeMember: 17,
  transferLeader: 18,
} as const;

export type Opcode2 = (typeof OPCODE_2)[keyof typeof OPCODE_2];

/** The byte behind a response's id. */
export const STATUS_2 = { ok: 0, refused: 1 } as const;

/** Length, id, opcode and deadline. */
export const REQUEST_HEADER_BYTES_2 = 13;

/** Length, id and status. */
export const RESPONSE_HEADER_BYTES_2 = 9;

/** A scan that is asked for nothing this long is ended. */
export const SCAN_IDLE_MS = 60_000;

/** What a page is filled to when the client leaves it to the node: bytes of keys and values. */
export const DEFAULT_PAGE_BYTES = 1024 * 1024;

/** The same in rows. */
export const DEFAULT_PAGE_ROWS = 1000;

/** Bound: the page bytes that a client may ask for. With one row above it, a page is well within a frame. */
export const MAX_PAGE_BYTES = 16 * 1024 * 1024;

/** Bound: rows of a page, asked for or answered. */
export const MAX_PAGE_ROWS = 100_000;

/** Bound: keys of a GET_MANY. */
export const MAX_GET_MANY_KEYS = 10_000;

/** Bound: an address in UTF-8, as in the handshake between nodes. */
export const MAX_ADDRESS_BYTES = 255;
