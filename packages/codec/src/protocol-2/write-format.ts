/**
 * The numbers of operations and conditions, which have the same bytes in a request of protocol 2 and in a command of the log.
 * Format: docs/format/state-machine.md is the home of the layout; a test compares these constants with its tables.
 */

/** First byte of an operation. */
export const OPERATION = { put: 0, delete: 1, deleteRange: 2 } as const;

/** First byte of a condition. */
export const CONDITION = { exists: 0, value: 1, revision: 2 } as const;

/** Bound: a user's key, which has a byte at least, and the bounds of a range, which may be empty. */
export const MAX_USER_KEY_BYTES = 4096;

/** Bound: a user's value. */
export const MAX_USER_VALUE_BYTES = 16 * 1024 * 1024;

/** Bound: a command of the log, whole. */
export const MAX_COMMAND_BYTES = 32 * 1024 * 1024;

/** Bound: operations and conditions of one write, together. Each costs every node time in one turn: docs/decisions/20261123-size-of-a-command.md. */
export const MAX_COMMAND_OPERATIONS = 10_000;

/** Bound: the lists of one write with their counts, so that a command that carries them has room for the rest. */
export const MAX_WRITE_BYTES: number = MAX_COMMAND_BYTES - 64;
