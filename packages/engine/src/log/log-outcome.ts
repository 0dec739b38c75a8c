/** What reading a log comes to: a verdict for the engine, a report per file for people. */

import type { CorruptionError, EngineError } from '../errors.ts';

/**
 * `offset` and `lsn` say where the log ends, `file` in which of its files.
 *
 * - `end`: nothing but zeros follows.
 * - `torn`: what follows was never known to be durable, and is to be dropped.
 * - `refused`: something that may have been durable is damaged or cannot be read; the records handed out must not be used.
 */
export type LogVerdict =
  | { readonly kind: 'end'; readonly file: string; readonly offset: number; readonly lsn: number }
  | {
      readonly kind: 'torn';
      readonly file: string;
      readonly offset: number;
      readonly lsn: number;
      readonly reason: string;
      /** Bytes behind the end, in this file and later ones, up to the last one that is not zero; headers not counted. */
      readonly droppedBytes: number;
    }
  | { readonly kind: 'refused'; readonly error: CorruptionError | EngineError };

/**
 * What was found in one file:
 * - `whole`: read up to where the next file, or the unwritten rest, begins;
 * - `stopped`: read up to where the verdict says;
 * - `behind`: comes after that place, so nothing of it is applied;
 * - `blank`: never used;
 * - `damaged`: its header is refused.
 */
export interface LogFileReport {
  readonly file: string;
  readonly state: 'whole' | 'stopped' | 'behind' | 'blank' | 'damaged';
  readonly fileBytes: number;
  readonly startLsn: number | undefined;
  /** Records handed out, and what they take up in the file. */
  readonly recordCount: number;
  readonly recordBytes: number;
  readonly firstOrdinal: number | undefined;
  readonly lastOrdinal: number | undefined;
  /** Valid records behind the end of the log, which were not handed out. */
  readonly strayRecordCount: number;
  /** In words; empty when there is nothing to say. */
  readonly note: string;
}

export interface LogOutcome {
  readonly verdict: LogVerdict;
  readonly files: readonly LogFileReport[];
  /** Of all records handed out; `undefined` when there was none. */
  readonly lastOrdinal: number | undefined;
}
