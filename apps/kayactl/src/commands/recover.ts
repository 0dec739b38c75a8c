/** `kayactl recover --dry-run` */

import { resolve } from 'node:path';

import { inspectStore, type RecoveryReport } from '@kayadb/engine';
import type { Command } from 'commander';

import { CliError, usageError } from '../cli-error.ts';
import { examples } from '../examples.ts';
import { withinGrace } from '../interruption.ts';
import type { CommandContext, Invocation } from '../invocation.ts';
import { describeReport, exitCodeOf } from '../recovery-text.ts';

interface RecoverFlags {
  readonly dryRun?: boolean;
  readonly showKeys?: boolean;
}

export function addRecoverCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('recover')
    .summary('report on every file of a folder without changing anything')
    .description(
      'Reads everything in the folder that --data names and reports what it is, what is damaged, and what opening it ' +
        'would do. It changes nothing, takes no lock, and works beside a running server. Status 0: opening would lose ' +
        'nothing but a torn tail. Status 3: something is corrupt.',
    )
    .option('--dry-run', 'required: there is no other form, nothing is ever repaired in place')
    .option('--show-keys', 'show the smallest and largest key of each table, in hexadecimal');
  examples(command, [
    'kayactl --data /evidence/data recover --dry-run',
    'kayactl --data ./data recover --dry-run --json > report.json',
  ]);
  invocation.handle<RecoverFlags>(command, async (context, _args, flags) => {
    if (flags.dryRun !== true) {
      throw usageError(
        'recover needs --dry-run: only the dry run exists so far',
        'It reports and changes nothing; opening the store recovers it by itself.',
      );
    }
    const report = await readReport(context, context.globals.data, flags.showKeys === true);
    if (context.globals.json) await context.output.json(report);
    else await context.output.line(await describeReport(report));
    return exitCodeOf(report);
  });
}

/** @throws CliError KAYA_LOCAL_ONLY with --server; FileSystemError when the folder cannot be listed. */
export function readReport(context: CommandContext, directory: string, showKeys: boolean): Promise<RecoveryReport> {
  refuseServers(context);
  const { fileSystem, processes, clock } = context.io;
  // It holds nothing and changes nothing, so it may be left at any moment.
  return withinGrace(inspectStore(fileSystem, resolve(directory), { processes, clock, showKeys }), 0, context.io);
}

/** @throws CliError KAYA_LOCAL_ONLY with --server. */
export function refuseServers({ globals }: CommandContext): void {
  if (globals.servers.length === 0) return;
  throw new CliError('KAYA_LOCAL_ONLY', 'this command reads the files of a folder; a server cannot be asked for it', {
    hint: 'Leave --server out and run it on the machine that holds the folder; it is safe beside a running server.',
  });
}
