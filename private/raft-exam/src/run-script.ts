/** Runs a script and says which directives print something else than is expected. Each script has an environment of its own. */

import type { Environment } from './environment.ts';
import { InteractionEnvironment } from './interaction/interaction-environment.ts';
import { MembershipEnvironment } from './membership-environment.ts';
import { QuorumEnvironment } from './quorum-environment.ts';
import { type Directive, parseScript } from './script/parse-script.ts';
import { ScriptError } from './script/script-error.ts';

export interface Difference {
  readonly directive: Directive;
  /** What was printed, with a line feed at its end. */
  readonly got: string;
}

export interface ScriptResult {
  readonly directiveCount: number;
  readonly differences: readonly Difference[];
}

export interface ScriptOptions {
  /** Whether cores check their own state after each input. A script may do to a core what no host would, so that it is off by default. */
  readonly checkInvariants?: boolean;
}

/** @throws ScriptError with its line, when `text` is no script of any of the three languages. */
export function runScript(text: string, options: ScriptOptions = {}): ScriptResult {
  const directives = parseScript(text);
  const environment = environmentFor(directives, options);
  const differences: Difference[] = [];
  for (const directive of directives) {
    const got = runDirective(environment, directive);
    if (got !== directive.expected) differences.push({ directive, got });
  }
  return { directiveCount: directives.length, differences };
}

/** The three languages have no command in common, so that the first command tells which one it is. */
function environmentFor(directives: readonly Directive[], options: ScriptOptions): Environment {
  const command = directives[0]?.command ?? '';
  if (['committed', 'vote'].includes(command)) return new QuorumEnvironment();
  if (['simple', 'enter-joint', 'leave-joint'].includes(command)) return new MembershipEnvironment();
  return new InteractionEnvironment(options.checkInvariants ?? false);
}

/** What breaks in the core is printed as what it is: no script expects it, and those behind it may still tell more. */
function runDirective(environment: Environment, directive: Directive): string {
  try {
    const printed = environment.run(directive);
    return printed.endsWith('\n') ? printed : `${printed}\n`;
  } catch (error) {
    if (error instanceof ScriptError) throw new ScriptError(`${directive.text}: ${error.message}`, directive.line);
    if (error instanceof Error) return `${error.stack ?? error.message}\n`;
    throw error;
  }
}
