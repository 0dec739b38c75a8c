/** `kayactl completion SHELL`, and the hidden `complete` through which shells ask for suggestions. */

import tab from '@bomb.sh/tab/commander';
import { assert } from '@kayadb/codec';
import type { Command } from 'commander';

import { examples } from '../examples.ts';

/**
 * Requires: every other command is there already, since the suggestions are taken from `program` now.
 * The library prints through console.log, that is to the process's stdout.
 */
export function addCompletionCommand(program: Command): void {
  const completions = tab(program, { completionCommandName: 'completion' });
  const command = program.commands.find((each) => each.name() === 'completion');
  assert(command !== undefined, 'the library adds the command that it is told to add');
  command
    .summary('print a shell completion script')
    .description('Prints a script that teaches your shell to complete the commands and flags of kayactl.');
  const globals = [...completions.options.values()];
  for (const [name, completion] of completions.commands) {
    // Shells show one line for each; the library takes the long description.
    completion.description = program.commands.find((each) => each.name() === name)?.summary() || completion.description;
    for (const { value, description, handler, alias } of globals) {
      // Global flags are taken after the command as well, so they are suggested there as well.
      if (handler === undefined) completion.option(value, description, alias);
      else completion.option(value, description, handler, alias);
    }
  }
  examples(command, [
    'source <(kayactl completion bash)',
    'kayactl completion zsh > ~/.zfunc/_kayactl',
    'kayactl completion fish > ~/.config/fish/completions/kayactl.fish',
    'kayactl completion powershell >> $PROFILE',
  ]);
}
