/** Runs an import to whatever end it comes to, keeps its progress, and says what happened and what to do next. */

import { KayaError } from '@kayadb/codec';

import { CliError } from '../cli-error.ts';
import { describeError } from '../describe-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { interruptionExitCode } from '../interruption.ts';
import type { CommandContext } from '../invocation.ts';
import type { LineCounts } from './acknowledged-prefix.ts';
import type { ImportEnd, ImportJob } from './import-job.ts';

/**
 * @param start - What an earlier run has done.
 * @param startedMs - When this run began, on the clock of `context`.
 * @throws CliError for every end but a complete import without a bad line.
 */
export async function reportImport(
  context: CommandContext,
  job: ImportJob,
  start: LineCounts,
  startedMs: number,
): Promise<ExitCode> {
  let end: ImportEnd;
  try {
    end = await job.run();
  } catch (error) {
    const resume = await job.keepProgress();
    job.stopProgress();
    throw stoppedBy(error, context, job, resume);
  }
  if (end === 'complete') await job.forgetProgress();
  const resume = end === 'complete' ? '' : await job.keepProgress();
  job.stopProgress();
  if (end === 'interrupted') throw interrupted(context, job, resume);
  await printSummary(context, job, start, startedMs);
  if (job.acknowledged.bad === 0) return EXIT.ok;
  throw badLinesError(job, end, resume);
}

function stoppedBy(error: unknown, context: CommandContext, job: ImportJob, resume: string): CliError {
  // Ctrl-C also breaks off a read from standard input or a request in flight.
  if (context.io.signal.aborted) return interrupted(context, job, resume);
  const { code, message, hint, exitCode } = describeError(plainCause(error));
  return new CliError('KAYA_IMPORT_STOPPED', `${message}; ${describeDone(job)}`, {
    // The same damaged input would end in the same way.
    hint: code === 'KAYA_INPUT_DAMAGED' ? hint : `${hint} ${resume}`,
    exitCode,
    cause: error,
  });
}

/** That the outcome of one write is unknown matters to nobody here: the same write is made again anyway. */
function plainCause(error: unknown): unknown {
  const isUnknownOutcome = error instanceof KayaError && error.code === 'KAYA_UNKNOWN_OUTCOME';
  return isUnknownOutcome && error.cause instanceof KayaError ? error.cause : error;
}

function interrupted({ io }: CommandContext, job: ImportJob, resume: string): CliError {
  return new CliError('KAYA_INTERRUPTED', `stopped before the end; ${describeDone(job)}`, {
    hint: resume,
    exitCode: interruptionExitCode(io.signal),
  });
}

function badLinesError(job: ImportJob, end: ImportEnd, resume: string): CliError {
  const { bad, lines } = job.acknowledged;
  const untold = job.untoldBadLines === 0 ? '' : ` (${job.untoldBadLines} of them not shown above)`;
  const message = `${bad} of ${lines} lines could not be imported${untold}`;
  const advice = 'Correct these lines and import them in a file of their own; --errors FILE lists all of them.';
  return end === 'complete'
    ? new CliError('KAYA_BAD_LINES', message, { hint: advice })
    : new CliError('KAYA_BAD_LINES', `${message}; stopped there, as --max-errors asks`, {
        hint: `${advice} ${resume}`,
      });
}

function describeDone(job: ImportJob): string {
  const { lines, imported } = job.acknowledged;
  return `${imported} records of ${lines} lines are acknowledged`;
}

async function printSummary(
  context: CommandContext,
  job: ImportJob,
  start: LineCounts,
  startedMs: number,
): Promise<void> {
  const { output, globals, io } = context;
  const { lines, imported, bad, blank } = job.acknowledged;
  const bytes = job.bytesRead;
  const seconds = Math.round(io.clock.now() - startedMs) / 1000;
  const resumedFrom = start.lines;
  if (globals.json) {
    await output.json({ ok: bad === 0, lines, imported, bad, blank, bytes, seconds, resumed_from: resumedFrom });
    return;
  }
  const resumed = resumedFrom === 0 ? '' : `; the first ${resumedFrom} lines by an earlier run`;
  await output.line(
    `imported ${imported} records from ${lines} lines (${bad} bad, ${blank} blank)${resumed}, ` +
      `${bytes} bytes read in ${seconds} s`,
  );
}
