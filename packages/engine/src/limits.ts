/**
 * Every bound of the engine that a user can meet, and what files may hold. The two differ: whoever brings a log of its own, as a node of a cluster
 * does, keeps rows of its own beside its users' ones, and needs room in front of their keys and values.
 */

export const MAX_KEY_BYTES = 4096;
export const MAX_VALUE_BYTES = 16 * 1024 * 1024;
/** Encoded operations of one atomic batch. */
export const MAX_BATCH_BYTES = 32 * 1024 * 1024;
/** What a log, a table or a manifest may hold, and what a store with an external log takes. */
export const MAX_STORED_KEY_BYTES: number = MAX_KEY_BYTES + 64;
export const MAX_STORED_VALUE_BYTES: number = MAX_VALUE_BYTES + 64;
export const MAX_EXTERNAL_BATCH_BYTES: number = 40 * 1024 * 1024;
/** A commit group stops taking in further batches at this size. */
export const MAX_GROUP_BYTES = 1024 * 1024;

/** What writers are held to. */
export interface WriteLimits {
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly batchBytes: number;
}

export const OWN_LOG_LIMITS: WriteLimits = {
  keyBytes: MAX_KEY_BYTES,
  valueBytes: MAX_VALUE_BYTES,
  batchBytes: MAX_BATCH_BYTES,
};

export const EXTERNAL_LOG_LIMITS: WriteLimits = {
  keyBytes: MAX_STORED_KEY_BYTES,
  valueBytes: MAX_STORED_VALUE_BYTES,
  batchBytes: MAX_EXTERNAL_BATCH_BYTES,
};

export function limitsOf(log: 'own' | 'external'): WriteLimits {
  return log === 'own' ? OWN_LOG_LIMITS : EXTERNAL_LOG_LIMITS;
}
