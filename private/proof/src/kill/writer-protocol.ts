/**
 * What the recording process and a writer say to each other: orders go in as one JSON text on standard input, lines of JSON come back on
 * standard output. The writer says what it is about to do before it does it, and what was acknowledged right after, with calls that
 * return when the bytes are in the pipe: what was said before a kill arrives in any case.
 */

import type { Durability, EngineOptions } from '@kayadb/engine';

import type { WorkloadOp } from '../workload/workload.ts';

export interface WriterOrders {
  readonly directory: string;
  /** Where checkpoints are made. */
  readonly checkpoints: string;
  readonly durability: Durability;
  /** Default: neither scrub nor reserve. */
  readonly watch?: WatchOptions;
  /** Announces each call to the file system before it is made; background work is done in the writer's own thread then. */
  readonly announces: boolean;
  /** Tells writes of this life from those of any other. */
  readonly life: number;
  /** Each lane is worked off in order, all at the same time. None: the store is opened, shown and closed. */
  readonly lanes: readonly (readonly WorkloadOp[])[];
}

/** What a store does besides its work. */
export type WatchOptions = Pick<
  EngineOptions,
  'diskLowBytes' | 'diskReserveBytes' | 'scrubIntervalMs' | 'scrubBytesPerSecond'
>;

/** `step` is the index in its lane. */
export type WriterLine =
  | { readonly kind: 'opening' }
  | { readonly kind: 'stale-lock-taken' }
  | {
      readonly kind: 'opened';
      readonly recoveredRecords: number;
      readonly truncatedBytes: number;
      readonly rows: readonly (readonly [key: string, value: string])[];
    }
  | { readonly kind: 'call'; readonly name: string }
  | { readonly kind: 'begin'; readonly lane: number; readonly step: number }
  | { readonly kind: 'done'; readonly lane: number; readonly step: number; readonly sequence: number }
  | { readonly kind: 'refused'; readonly lane: number; readonly step: number; readonly error: WriterError }
  /** Of a worker or of the writer's own thread. */
  | { readonly kind: 'flushed' }
  | { readonly kind: 'compacted' }
  | { readonly kind: 'scrubbed' }
  | { readonly kind: 'damage-found'; readonly message: string }
  /** What is seen in the running store when all lanes are through. */
  | { readonly kind: 'seen'; readonly rows: readonly (readonly [key: string, value: string])[] }
  | { readonly kind: 'closing' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'failed'; readonly where: 'opening' | 'reading' | 'closing'; readonly error: WriterError };

/** `code` is undefined when the error has none of KayaDB's. */
export interface WriterError {
  readonly code: string | undefined;
  readonly message: string;
}

/** Every batch of every lane sets both to the same value, so that a half batch shows, and two that changed places. */
export const PAIR_KEYS = ['pair/a', 'pair/b'] as const;

/** What the batch sets the pair to. */
export function pairValue(life: number, lane: number, step: number): string {
  return `${life}.${lane}.${step}`;
}
