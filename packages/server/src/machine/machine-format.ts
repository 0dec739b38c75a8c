/** The numbers of commands and rows. Format: docs/format/state-machine.md; a test compares them with the page. */

export const COMMAND_VERSION = 1;

/** The highest level that this program knows. */
export const FEATURE_LEVEL = 1;

export const COMMAND_KIND = {
  write: 1,
  'open-session': 2,
  'close-session': 3,
  'put-member': 4,
  'drop-member': 5,
  'raise-level': 6,
  touch: 7,
} as const;

export const COMMAND_TAG = {
  time: 1,
  session: 2,
  conditions: 3,
  operations: 4,
  otherwise: 5,
  expiry: 6,
  member: 7,
  node: 8,
  level: 9,
} as const;

/** Fields with a greater tag that are not known have no effect, and are passed on. */
export const LAST_STRICT_TAG = 127;

/** Serials of a session that may be unsettled at once; that many answers of it are kept. */
export const SESSION_WINDOW = 1024;
export const SESSION_SWEEP_MS = 60_000;
/** Bound: directories that were removed and are remembered. */
export const MAX_GONE_MEMBERS = 1024;
/** Bound: open sessions. */
export const MAX_SESSIONS = 65_536;
export const DEFAULT_SESSION_EXPIRY_MS = 3_600_000;

export const MACHINE_ROW_VERSION = 1;
/** Of a member: it is to vote as soon as it has caught up. */
export const TO_BE_PROMOTED = 1;
/** In front of a user's value: the revision that wrote it. */
export const REVISION_BYTES = 8;
