/** What a request to stop means: for the exit status, and for work that does not look out for it. */

import type { Timer } from '@kayadb/codec';

import { CliError } from './cli-error.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { KayactlIo } from './io.ts';

/** 130 after Ctrl-C, 143 after SIGTERM. */
export function interruptionExitCode(signal: AbortSignal): ExitCode {
  return signal.reason === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
}

/** Requires: `signal` is aborted. @param hint - What to do then. */
export function interruptedError(signal: AbortSignal, hint = 'Run the command again for the whole result.'): CliError {
  return new CliError('KAYA_INTERRUPTED', 'stopped before the end', {
    hint,
    exitCode: interruptionExitCode(signal),
  });
}

/**
 * Waits for `work`, but no longer than `graceMs` after a request to stop. What it does after that concerns nobody.
 *
 * @throws CliError KAYA_INTERRUPTED when the time is over; what `work` rejects with.
 */
export function withinGrace<Result>(
  work: Promise<Result>,
  graceMs: number,
  { signal, clock }: Pick<KayactlIo, 'signal' | 'clock'>,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    let timer: Timer | undefined;
    const handleAbort = (): void => {
      timer = clock.setTimer(graceMs, () => reject(interruptedError(signal)));
    };
    const release = (): void => {
      timer?.cancel();
      signal.removeEventListener('abort', handleAbort);
    };
    if (signal.aborted) handleAbort();
    else signal.addEventListener('abort', handleAbort);
    work.finally(release).then(resolve, reject);
  });
}
