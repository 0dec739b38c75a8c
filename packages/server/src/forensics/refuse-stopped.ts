/** Long work looks here between its steps whether it is still wanted. */

import { EngineError } from '@kayadb/engine';

/** @throws EngineError KAYA_ABORTED */
export function refuseStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new EngineError('KAYA_ABORTED', 'it was stopped before the end');
}
