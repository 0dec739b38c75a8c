/** `kayactl verify` */

import { resolve } from 'node:path';

import { verifyBackup, type VerifyReport } from '@kayadb/engine';
import type { Command } from 'commander';

import { withByteProgress } from '../byte-progress.ts';
import { countText } from '../count-text.ts';
import { examples } from '../examples.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { CommandContext, Invocation } from '../invocation.ts';
import { refuseServer, withEngine } from '../store/with-engine.ts';
import { printCopy } from './checkpoint.ts';

export function addVerifyCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('verify')
    .summary('read every table of a store, or all of a backup, and check every checksum')
    .description(
      'Reads everything in the folder that --data names. A store is opened for it, so it must not be in use, and each damaged table ' +
        'is named; a backup is only read, and compared with its list. Status 3: something is damaged.',
    );
  examples(command, ['kayactl --data ./data verify', 'kayactl --data /mnt/backups/2026-11-22 verify']);
  invocation.handle(command, async (context) => {
    refuseServer(context);
    const directory = resolve(context.globals.data);
    const isBackup = (await context.io.fileSystem.stat(`${directory}/BACKUP`)) !== undefined;
    return isBackup ? checkBackup(context, directory) : checkStore(context);
  });
}

async function checkBackup(context: CommandContext, directory: string): Promise<ExitCode> {
  const { signal, fileSystem } = context.io;
  const info = await withByteProgress(context, (onProgress) =>
    verifyBackup(directory, { fileSystem, signal, onProgress }),
  );
  await printCopy(context, `the backup in ${directory} is whole`, directory, info);
  return EXIT.ok;
}

async function checkStore(context: CommandContext): Promise<ExitCode> {
  const { signal } = context.io;
  const report = await withEngine(context, (engine) =>
    withByteProgress(context, (onProgress) => engine.verify({ signal, onProgress })),
  );
  await printReport(context, report);
  return report.damage.length === 0 ? EXIT.ok : EXIT.corruption;
}

async function printReport({ output, globals }: CommandContext, report: VerifyReport): Promise<void> {
  const { tableCount, blockCount, entryCount, bytes, damage } = report;
  if (globals.json) {
    await output.json({
      ok: damage.length === 0,
      tables: tableCount,
      blocks: blockCount,
      entries: entryCount,
      bytes,
      damage: damage.map(({ file, offset, message }) => ({ file, offset, message })),
    });
    return;
  }
  for (const { message } of damage) await output.line(`DAMAGE: ${message}`);
  const outcome = damage.length === 0 ? 'OK' : `${damage.length} of`;
  const entries = `${entryCount} ${entryCount === 1 ? 'entry' : 'entries'}`;
  await output.line(
    `${outcome} ${countText(tableCount, 'table')}, ${countText(blockCount, 'block')}, ${entries}, ${countText(bytes, 'byte')}`,
  );
}
