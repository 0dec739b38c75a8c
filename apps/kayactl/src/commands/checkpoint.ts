/** `kayactl checkpoint DIRECTORY` */

import type { CheckpointInfo } from '@kayadb/engine';
import type { Command } from 'commander';

import { countText } from '../count-text.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext, Invocation } from '../invocation.ts';
import { resolvePath } from '../resolve-path.ts';
import { withEngine } from '../store/with-engine.ts';

export function addCheckpointCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('checkpoint')
    .summary('make a second store of the present state, by hard links')
    .description(
      'Makes DIRECTORY, which must not exist and must be on the same file system, a store of the present state. Its tables are ' +
        'hard links, so it costs next to no time and space; it shares the fate of the disk. DIRECTORY appears only when it is complete.',
    )
    .argument('<directory>', 'the new store');
  examples(command, ['kayactl --data ./data checkpoint ./data-before-upgrade']);
  invocation.handle(command, async (context, [directory = '']) => {
    const target = resolvePath(directory, 'the folder of the checkpoint');
    const info = await withEngine(context, (engine) => engine.checkpoint(target));
    await printCopy(context, `checkpoint in ${target}`, target, info);
    return EXIT.ok;
  });
}

/** What a copy of a store holds. @param what - For people, as in `backup in /b`. */
export async function printCopy(
  { output, globals }: CommandContext,
  what: string,
  directory: string,
  { sequence, durableIndex, tableCount, bytes }: CheckpointInfo,
): Promise<void> {
  if (globals.json) {
    await output.json({ ok: true, directory, sequence, durableIndex: durableIndex ?? null, tables: tableCount, bytes });
  } else {
    await output.line(
      `OK ${what}: sequence ${sequence}, ${countText(tableCount, 'table')}, ${countText(bytes, 'byte')}`,
    );
  }
}
