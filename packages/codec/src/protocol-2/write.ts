/**
 * What a write is to do, as a value: the same in a request of protocol 2 and in a command of the log.
 * Format: docs/format/state-machine.md, "Commands".
 */

export type WriteOperation =
  | { readonly kind: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: Uint8Array }
  /** Keys of at least `from` and below `to`; an empty `to` has no end. */
  | { readonly kind: 'delete-range'; readonly from: Uint8Array; readonly to: Uint8Array };

/** What has to be true of a key for a write to happen. */
export type WriteCondition =
  | { readonly kind: 'exists'; readonly key: Uint8Array; readonly exists: boolean }
  | { readonly kind: 'value'; readonly key: Uint8Array; readonly value: Uint8Array }
  /** The key was last written by this revision; 0 for an absent key. */
  | { readonly kind: 'revision'; readonly key: Uint8Array; readonly revision: number };

/** A write's place in its session, by which it is done once however often it is said. */
export interface SessionPlace {
  readonly session: number;
  /** From 1, one more with each write. */
  readonly serial: number;
  /** Answers to everything below were heard. */
  readonly settled: number;
}

export interface Write {
  readonly place?: SessionPlace | undefined;
  /** All must hold; none: the write is unconditional. */
  readonly conditions: readonly WriteCondition[];
  readonly operations: readonly WriteOperation[];
  /** Done in place of `operations` when a condition does not hold. */
  readonly otherwise: readonly WriteOperation[];
}

/** What became of a write. */
export interface WriteAnswer {
  /** Index of the log at which it was decided. */
  readonly revision: number;
  readonly term: number;
  /** The first condition that did not hold, counted from 0; undefined when `operations` were done. */
  readonly failed: number | undefined;
}
