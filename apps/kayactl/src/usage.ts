/** Commander's complaints as one sentence and a hint. */

import type { CommanderError } from 'commander';

import type { ErrorDescription } from './describe-error.ts';
import { EXIT } from './exit-codes.ts';

const HELP = 'Run "kayactl --help" for the commands, or "kayactl COMMAND --help" for one command with examples.';

/** Requires: `error` is a complaint; help and version are told apart by their exit status 0. */
export function describeUsage(error: CommanderError): ErrorDescription {
  if (error.code === 'commander.help') return usage('no known command is given', HELP);
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /Did you mean (?<name>[^?]+)\?/.exec(rest.join(' '))?.groups?.['name'];
  if (suggestion !== undefined) return usage(`${first}; did you mean ${suggestion}?`, HELP);
  return usage(first, hintFor(error.code));
}

function hintFor(code: string): string {
  if (code === 'commander.unknownOption') {
    return 'Run "kayactl COMMAND --help" for the flags; put "--" before a key or value that begins with "-".';
  }
  return HELP;
}

function usage(message: string, hint: string): ErrorDescription {
  return { code: 'KAYA_USAGE', message, hint, exitCode: EXIT.invalidArgument };
}
