/** `kayactl completion SHELL`, and the hidden `complete` through which shells ask for suggestions. */

import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';

import { examples } from '../examples.ts';

/**
 * Requires: every other command is there already, since the suggestions are taken from `program` now.
 * The library prints through console.log, that is to the process's stdout.
 */
export function addCompletionCommand(program: Command): void {
  const completions = tab(program, { completionCommandName: 'completion' });
  const globals = [...completions.options.values()];
  for (const command of completions.commands.values()) {
    for (const { value, description, handler, alias } of globals) {
      // Global flags are taken after the command as well, so they are suggested there as well.
      if (handler === undefined) command.option(value, description, alias);
      else command.option(value, description, handler, alias);
    }
  }
  const command = program.commands.find((candidate) => candidate.name() === 'completion');
  if (command === undefined) return;
  command.description('Prints a script that teaches your shell to complete kayactl.').summary('print a shell completion script');
  examples(command, [
    'source <(kayactl completion bash)',
    'kayactl completion zsh > ~/.zfunc/_kayactl',
    'kayactl completion fish > ~/.config/fish/completions/kayactl.fish',
    'kayactl completion powershell >> $PROFILE',
  ]);
}
