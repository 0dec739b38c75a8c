/** `kayactl compact [PREFIX]` */

import type { Command } from 'commander';

import { parseBytes } from '../bytes-text.ts';
import { countText } from '../count-text.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { withEngine } from '../store/with-engine.ts';

export function addCompactCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('compact')
    .summary('merge tables until only what can be read is left on disk')
    .description(
      'Opens the store in the folder and merges all of its tables, or those with keys that begin with PREFIX, down as far as they ' +
        'go, so that overwritten and deleted values leave the disk. A store does this by itself as it needs to.',
    )
    .argument('[prefix]', 'only keys that begin so');
  examples(command, ['kayactl --data ./data compact', 'kayactl --data ./data compact logs/']);
  invocation.handle(command, async (context, [prefix]) => {
    const range = prefix === undefined ? {} : { prefix: parseBytes(prefix, 'prefix') };
    const { tableCount, tableBytes } = await withEngine(context, async (engine) => {
      await engine.compact(range);
      return engine.stats();
    });
    const { output, globals } = context;
    if (globals.json) await output.json({ ok: true, tables: tableCount, bytes: tableBytes });
    else await output.line(`OK ${countText(tableCount, 'table')}, ${countText(tableBytes, 'byte')}`);
    return EXIT.ok;
  });
}
