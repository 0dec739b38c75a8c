/** The program from arguments to exit status, without a process around it. */

import { CommanderError } from 'commander';

import { CliError } from './cli-error.ts';
import { describeError, type ErrorDescription } from './describe-error.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { interruptedError, withinGrace } from './interruption.ts';
import { Invocation } from './invocation.ts';
import type { KayactlIo } from './io.ts';
import { BrokenPipeError } from './output.ts';
import { buildProgram } from './program.ts';
import { describeUsage } from './usage.ts';

/** Bound: how long a command may take to end in order once it was asked to stop. */
const GRACE_MS = 10_000;

/**
 * Runs one command line. Everything it opened is closed when it resolves, unless it was interrupted and did not end in
 * time; it never rejects.
 *
 * @param argv - The words after the program's name.
 */
export async function runKayactl(argv: readonly string[], io: KayactlIo): Promise<ExitCode> {
  const invocation = new Invocation(io);
  try {
    await withinGrace(buildProgram(invocation).parseAsync(argv, { from: 'user' }), GRACE_MS, io);
    await invocation.output.flush();
    return invocation.exitCode;
  } catch (error) {
    if (error instanceof BrokenPipeError) return EXIT.ok;
    // Help and version end the parsing with an error whose own status is 0.
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const description = describeFailure(error, io.signal);
    await reportFailure(invocation, description, wantsJson(argv));
    return description.exitCode;
  }
}

function describeFailure(error: unknown, signal: AbortSignal): ErrorDescription {
  if (error instanceof CommanderError) return describeUsage(error);
  if (!signal.aborted || error instanceof CliError) return describeError(error);
  // Once the user has asked to stop, whatever broke off in the middle did so because of it.
  return describeError(interruptedError(signal));
}

async function reportFailure(invocation: Invocation, description: ErrorDescription, json: boolean): Promise<void> {
  try {
    await invocation.output.flush();
  } catch {
    // The error itself still has to be told.
  }
  try {
    await invocation.output.error(description, json);
  } catch {
    // With stderr gone as well, the exit status is all that is left.
  }
}

/** Asked before the arguments are known to be right, so that their errors come in the form that was wanted. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
}
