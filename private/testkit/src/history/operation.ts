/**
 * What clients asked of a store and what they were told: the history of a run, as values that are plain JSON.
 *
 * Invariant: times are of one clock and no two are equal, so of any two operations either one ended before the other began or they overlapped.
 */

/** What a read found under a key. */
export interface SeenRow {
  readonly value: string;
  /** Of the write that put it there; absent where the protocol does not tell. */
  readonly revision?: number | undefined;
}

export type Condition =
  | { readonly kind: 'exists'; readonly key: string; readonly exists: boolean }
  | { readonly kind: 'value'; readonly key: string; readonly value: string }
  /** 0: the key is absent. */
  | { readonly kind: 'revision'; readonly key: string; readonly revision: number };

export type Change =
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string };

/** All keys as of one state. */
export interface ReadAction {
  readonly kind: 'read';
  readonly keys: readonly string[];
}

/** `changes` if every condition holds, else `otherwise`: all of them or none, and of two on one key the later. */
export interface WriteAction {
  readonly kind: 'write';
  readonly conditions: readonly Condition[];
  readonly changes: readonly Change[];
  readonly otherwise: readonly Change[];
}

/** `not-done`: it was not done and never will be. `unknown`: it may have been done, or may yet be. */
export interface NoAnswer {
  readonly kind: 'not-done' | 'unknown';
  readonly reason: string;
}

/** In the order of the keys; null for an absent one. */
export type ReadOutcome = { readonly kind: 'rows'; readonly rows: readonly (SeenRow | null)[] } | NoAnswer;

export type WriteOutcome =
  | {
      readonly kind: 'written';
      /** Its place in the order of all writes; absent where the protocol does not tell. */
      readonly revision?: number | undefined;
      /** The first condition that did not hold, from 0; absent when `changes` were done. */
      readonly failed?: number | undefined;
    }
  | NoAnswer;

interface Called<Asked, Outcome> {
  /** From 1, in the order of the calls. */
  readonly id: number;
  readonly client: number;
  readonly action: Asked;
  /** Microseconds. */
  readonly calledUs: number;
  /** Absent while there is no outcome. */
  readonly returnedUs?: number | undefined;
  /** Absent when the run ended before; that is as `unknown`. */
  readonly outcome?: Outcome | undefined;
}

/** What is asked for. */
export type Action = ReadAction | WriteAction;

export type ReadOperation = Called<ReadAction, ReadOutcome>;
export type WriteOperation = Called<WriteAction, WriteOutcome>;
export type Operation = ReadOperation | WriteOperation;

/** Something that happened beside the operations, a fault for instance. */
export interface Note {
  readonly atUs: number;
  readonly text: string;
}

export interface History {
  /** In the order of the calls. */
  readonly operations: readonly Operation[];
  readonly notes: readonly Note[];
}

export function isRead(operation: Operation): operation is ReadOperation {
  return operation.action.kind === 'read';
}

export function isWrite(operation: Operation): operation is WriteOperation {
  return operation.action.kind === 'write';
}

/** A write of one change that has no conditions. */
export function plainWrite(change: Change): WriteAction {
  return { kind: 'write', conditions: [], changes: [change], otherwise: [] };
}

/** Every key that the action looks at or changes, each once. */
export function keysOf(action: Action): readonly string[] {
  if (action.kind === 'read') return [...new Set(action.keys)];
  const parts = [...action.conditions, ...action.changes, ...action.otherwise];
  return [...new Set(parts.map(({ key }) => key))];
}

/** What a list of changes leaves behind; null for a deleted key. */
export function effectOf(changes: readonly Change[]): ReadonlyMap<string, string | null> {
  return new Map(changes.map((change) => [change.key, change.kind === 'put' ? change.value : null]));
}
