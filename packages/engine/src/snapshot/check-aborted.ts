/** Ends long work whose caller has lost interest, or whose store is being closed. */

import { EngineError } from '../errors.ts';

/**
 * @param what - For the sentence: `the backup`.
 * @throws EngineError KAYA_ABORTED once `signal` has been aborted; or the signal's reason, if that is an EngineError: so a store
 * that closes says so.
 */
export function checkAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted !== true) return;
  if (signal.reason instanceof EngineError) throw signal.reason;
  throw new EngineError('KAYA_ABORTED', `${what} was aborted by its signal`, { cause: signal.reason });
}
