/** The command `raft:script`, without the process around it. */

import { readFileSync } from 'node:fs';

import { describeDifference, describeTotals } from './report.ts';
import { runScript, type ScriptResult } from './run-script.ts';
import { ScriptError } from './script/script-error.ts';

export interface CommandOutput {
  print(text: string): void;
  complain(text: string): void;
}

/** @returns The exit code: 0 when nothing differs, 1 when something does, 2 when a file cannot be run. */
export function runFiles(files: readonly string[], output: CommandOutput): number {
  if (files.length === 0) {
    output.complain('raft:script needs the names of script files\n');
    return 2;
  }
  let directives = 0;
  let differences = 0;
  for (const file of files) {
    const result = runFile(file);
    if (typeof result === 'string') {
      output.complain(`${result}\n`);
      return 2;
    }
    for (const difference of result.differences) output.print(describeDifference(file, difference));
    directives += result.directiveCount;
    differences += result.differences.length;
  }
  output.print(`${describeTotals(directives, differences)}\n`);
  return differences > 0 ? 1 : 0;
}

/** The result, or one sentence that says why there is none. */
function runFile(file: string): ScriptResult | string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return `${file} cannot be read: ${(error as Error).message}`;
  }
  try {
    return runScript(text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const line = error instanceof ScriptError ? error.line : undefined;
    return `${file}${line === undefined ? '' : `:${line}`}: ${error.message}`;
  }
}
