/** `kayactl health` */

import type { Command } from 'commander';

import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { withStore } from '../store/with-store.ts';

export function addHealthCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('health')
    .summary('tell whether the store answers')
    .description(
      'Prints the role of the server (leader or follower) if it answers. With --data it opens the store, which ' +
        'replays its log and looks for every table, and prints "embedded". Any other outcome is an error.',
    );
  examples(command, ['kayactl --server 127.0.0.1:7379 health', 'kayactl --data ./data health --json']);
  invocation.handle(command, async (context) => {
    const { role } = await withStore(context, { create: false }, (store) => store.health());
    await (context.globals.json ? context.output.json({ ok: true, role }) : context.output.line(role));
    return EXIT.ok;
  });
}
