/** Every bound of the engine that a user can meet. */

export const MAX_KEY_BYTES = 4096;
export const MAX_VALUE_BYTES = 16 * 1024 * 1024;
/** Encoded operations of one atomic batch. */
export const MAX_BATCH_BYTES = 32 * 1024 * 1024;
/** A commit group stops taking in further batches at this size. */
export const MAX_GROUP_BYTES = 1024 * 1024;
