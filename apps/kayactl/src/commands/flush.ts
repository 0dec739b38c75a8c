/** `kayactl flush` */

import type { Command } from 'commander';

import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { withStore } from '../store/with-store.ts';

export function addFlushCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('flush')
    .summary('move everything from the write-ahead log into tables')
    .description(
      'Opens the store in the folder and moves everything that is only in the write-ahead log into tables. Local only: a server flushes by itself.',
    );
  examples(command, ['kayactl --data ./data flush']);
  invocation.handle(command, async (context) => {
    await withStore(context, { create: false }, (store) => store.flush());
    await (context.globals.json ? context.output.json({ ok: true }) : context.output.line('OK'));
    return EXIT.ok;
  });
}
