/** The examples at the end of a command's help. */

import type { Command } from 'commander';

/** @returns `command`, for the end of a chain. */
export function examples(command: Command, lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
}
