/** A store as the workload sees it: so little that any client fits behind it, and a wrong store in a test does too. */

import type { NoAnswer, ReadAction, ReadOutcome, WriteAction, WriteOutcome } from '../history/operation.ts';

/**
 * One client. It is asked for one operation after the other.
 *
 * Requires: each call ends in bounded time, and `unknown` is said of everything that may have been done or may yet be; a read that failed is `not-done`. Retries
 * behind it have to be safe, since a write counts as one however often it is sent. What it rejects with ends the run: that is for what should not happen.
 */
export interface StoreClient {
  /** Linearizable, and of one state where there are several keys. */
  read(action: ReadAction): Promise<ReadOutcome>;
  write(action: WriteAction): Promise<WriteOutcome>;
}

/** What became of a call that failed, as its error tells; undefined: it should not have failed like that. */
export type JudgeError = (error: unknown) => NoAnswer | undefined;

/** Runs a call whose errors say whether it was done. */
export async function outcomeOf<Outcome>(run: () => Promise<Outcome>, judge: JudgeError): Promise<Outcome | NoAnswer> {
  try {
    return await run();
  } catch (error) {
    const outcome = judge(error);
    if (outcome === undefined) throw error;
    return outcome;
  }
}
