/** Errors that the command line raises itself. Codes are listed in docs/reference/errors.md. */

import { KayaError } from '@kayadb/codec';

import { EXIT, type ExitCode } from './exit-codes.ts';

export type CliErrorCode =
  | 'KAYA_USAGE'
  | 'KAYA_LOCAL_ONLY'
  | 'KAYA_NOT_IN_PROTOCOL'
  | 'KAYA_QUORUM_REFUSED'
  | 'KAYA_INPUT_DAMAGED'
  | 'KAYA_INPUT_CHANGED'
  | 'KAYA_BAD_LINES'
  | 'KAYA_IMPORT_STOPPED'
  | 'KAYA_TIMEOUT'
  | 'KAYA_INTERRUPTED'
  | 'KAYA_MEMBERSHIP_REFUSED';

export interface CliErrorOptions {
  /** What to do next, as one sentence. */
  readonly hint: string;
  readonly exitCode?: ExitCode;
  readonly cause?: unknown;
}

/** An error with the advice and the exit status that belong to this very case. */
export class CliError extends KayaError<CliErrorCode> {
  readonly hint: string;
  readonly exitCode: ExitCode;

  constructor(code: CliErrorCode, message: string, options: CliErrorOptions) {
    super(code, message, options);
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? EXIT.invalidArgument;
  }
}

/** Wrong use of the command line: exit status 4. */
export function usageError(message: string, hint: string): CliError {
  return new CliError('KAYA_USAGE', message, { hint });
}
