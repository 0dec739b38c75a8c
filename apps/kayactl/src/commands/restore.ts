/** `kayactl restore BACKUP` */

import { resolve } from 'node:path';

import type { Command } from 'commander';

import { withByteProgress } from '../byte-progress.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { resolvePath } from '../resolve-path.ts';
import { refuseServer } from '../store/with-engine.ts';
import { printCopy } from './checkpoint.ts';

export function addRestoreCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('restore')
    .summary('make a store of a backup')
    .description(
      'Copies BACKUP into the folder that --data names, which must not exist, and verifies every byte on the way: status 3 if ' +
        'the backup is damaged. The folder appears only when it is complete. The backup is only read.',
    )
    .argument('<backup>', 'the folder of a backup');
  examples(command, ['kayactl --data ./data restore /mnt/backups/2026-11-22']);
  invocation.handle(command, async (context, [backup = '']) => {
    refuseServer(context);
    const source = resolvePath(backup, 'the folder of the backup');
    const target = resolve(context.globals.data);
    const { signal, fileSystem } = context.io;
    const { restoreBackup } = await import('@kayadb/engine');
    const info = await withByteProgress(context, (onProgress) =>
      restoreBackup(source, target, { fileSystem, signal, onProgress }),
    );
    await printCopy(context, `restored into ${target}`, target, info);
    return EXIT.ok;
  });
}
