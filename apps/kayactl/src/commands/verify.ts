/** `kayactl verify` */

import { resolve } from 'node:path';

import type { BackupReport } from '@kayadb/engine';
import type { Command } from 'commander';

import { withByteProgress } from '../byte-progress.ts';
import { countText } from '../count-text.ts';
import { examples } from '../examples.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { CommandContext, Invocation } from '../invocation.ts';
import { isNodeFolder } from '../node/node-folder.ts';
import { verifyNode } from '../node/node-forensics.ts';
import { plainText } from '../plain-text.ts';
import { exitCodeOf } from '../recovery-text.ts';
import { describeVerification, verificationDocument } from '../verification-text.ts';
import { refuseServers } from './recover.ts';

export function addVerifyCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('verify')
    .summary('read all of a store, backup or node and check every checksum')
    .description(
      'Reads every file in the folder that --data names and checks every checksum: CURRENT, the manifest, every record of the ' +
        'log, every block of every table; of a backup, every file that its list names; of a node, its log, its snapshot and its ' +
        'store, and whether they belong together. Every damaged place is named. It changes ' +
        'nothing, takes no lock, and works beside a running server. Status 0: all is well. Status 3: something is damaged.',
    );
  examples(command, ['kayactl --data ./data verify', 'kayactl --data /mnt/backups/2026-11-22 verify --json']);
  invocation.handle(command, async (context) => {
    refuseServers(context);
    const directory = resolve(context.globals.data);
    if (await isNodeFolder(context, directory)) return verifyNode(context, directory);
    const isBackup = (await context.io.fileSystem.stat(`${directory}/BACKUP`)) !== undefined;
    return isBackup ? checkBackup(context, directory) : checkStore(context, directory);
  });
}

async function checkStore(context: CommandContext, directory: string): Promise<ExitCode> {
  const { fileSystem, processes, clock, signal } = context.io;
  const { inspectStore } = await import('@kayadb/engine');
  const report = await withByteProgress(context, (onProgress) =>
    inspectStore(fileSystem, directory, { processes, clock, signal, onProgress }),
  );
  const { output, globals } = context;
  if (globals.json) await output.json(verificationDocument(report));
  else await output.line(plainText(describeVerification(report)));
  return exitCodeOf(report);
}

async function checkBackup(context: CommandContext, directory: string): Promise<ExitCode> {
  const { fileSystem, signal } = context.io;
  const { inspectBackup } = await import('@kayadb/engine');
  const report = await withByteProgress(context, (onProgress) =>
    inspectBackup(directory, { fileSystem, signal, onProgress }),
  );
  await printBackup(context, directory, report);
  return report.damage.length === 0 ? EXIT.ok : EXIT.corruption;
}

async function printBackup(
  { output, globals }: CommandContext,
  directory: string,
  { info, fileCount, damage }: BackupReport,
): Promise<void> {
  const { sequence, durableIndex, tableCount, bytes } = info;
  if (globals.json) {
    await output.json({
      ok: damage.length === 0,
      directory,
      sequence,
      durableIndex: durableIndex ?? null,
      tables: tableCount,
      bytes,
      files: fileCount,
      damage,
    });
    return;
  }
  if (damage.length === 0) {
    const content = `sequence ${sequence}, ${countText(tableCount, 'table')}, ${countText(bytes, 'byte')}`;
    await output.line(`OK the backup in ${directory} is whole: ${content}`);
    return;
  }
  const bad = `${damage.length} of its ${countText(fileCount, 'file')}`;
  await output.line(`CORRUPT: the backup in ${directory} is not what was written: ${bad}\n`);
  for (const { file, offset, reason, isUnreadable } of damage) {
    const line = isUnreadable ? `UNREADABLE: ${file}: ${reason}` : `DAMAGE: ${file} at offset ${offset}: ${reason}`;
    await output.line(plainText(line));
  }
}
