/** Ends long work whose caller has lost interest. */

import { EngineError } from '../errors.ts';

/** @param what - For the sentence: `the backup`. @throws EngineError KAYA_ABORTED once `signal` has been aborted. */
export function checkAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted !== true) return;
  throw new EngineError('KAYA_ABORTED', `${what} was aborted by its signal`, { cause: signal.reason });
}
