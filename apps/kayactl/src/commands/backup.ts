/** `kayactl backup DIRECTORY` */

import type { Command } from 'commander';

import { withByteProgress } from '../byte-progress.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { resolvePath } from '../resolve-path.ts';
import { withEngine } from '../store/with-engine.ts';
import { printCopy } from './checkpoint.ts';

export function addBackupCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('backup')
    .summary('copy the store into a new folder, with checksums')
    .description(
      'Copies the present state into DIRECTORY, which must not exist, with a list of every file and its checksum. Each table is ' +
        'verified on the way: status 3 if one is damaged. DIRECTORY appears only when it is complete. "kayactl verify" checks it, ' +
        '"kayactl restore" makes a store of it.',
    )
    .argument('<directory>', 'the new backup');
  examples(command, ['kayactl --data ./data backup /mnt/backups/2026-11-22']);
  invocation.handle(command, async (context, [directory = '']) => {
    const target = resolvePath(directory, 'the folder of the backup');
    const { signal } = context.io;
    const info = await withEngine(context, (engine) =>
      withByteProgress(context, (onProgress) => engine.backup(target, { signal, onProgress })),
    );
    await printCopy(context, `backup in ${target}`, target, info);
    return EXIT.ok;
  });
}
