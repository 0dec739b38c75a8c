/**
 * Runs many operations in chunks and times the operations alone: keys and values of a chunk are made before its clock
 * starts, and nobody keeps them behind it.
 */

import { collectGarbage } from './collect-garbage.ts';

export interface Timing {
  readonly count: number;
  /** Sum of the timed stretches. */
  readonly totalMs: number;
  /** One for each chunk. */
  readonly chunkMs: Float64Array;
}

export interface Chunks<Input> {
  /** Operations. */
  readonly count: number;
  readonly chunkSize: number;
  /** Makes the input of `size` operations, the first of which is number `start`. Not timed. */
  readonly prepare: (start: number, size: number) => Input;
  /** Timed; when it returns a promise, until that settles. */
  readonly run: (input: Input) => unknown;
}

export async function timeChunks<Input>({ count, chunkSize, prepare, run }: Chunks<Input>): Promise<Timing> {
  const chunkMs = new Float64Array(Math.ceil(count / chunkSize));
  collectGarbage();
  let totalMs = 0;
  for (let chunk = 0; chunk < chunkMs.length; chunk++) {
    const start = chunk * chunkSize;
    const input = prepare(start, Math.min(chunkSize, count - start));
    const startMs = performance.now();
    const result = run(input);
    if (result instanceof Promise) await result;
    const durationMs = performance.now() - startMs;
    chunkMs[chunk] = durationMs;
    totalMs += durationMs;
  }
  return { count, totalMs, chunkMs };
}

export function perSecond({ count, totalMs }: Pick<Timing, 'count' | 'totalMs'>): number {
  return (count / totalMs) * 1000;
}
