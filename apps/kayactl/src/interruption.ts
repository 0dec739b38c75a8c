/** What a request to stop means for the exit status. */

import { EXIT, type ExitCode } from './exit-codes.ts';

/** 130 after Ctrl-C, 143 after SIGTERM. */
export function interruptionExitCode(signal: AbortSignal): ExitCode {
  return signal.reason === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
}
