/** Runs the hunt for planted bugs in a process of its own, as nothing of them may stay behind. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('run-mutants.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/**
 * @param args - Of run-mutants.ts.
 * @returns What was printed.
 * @throws Error when it did not come to its end.
 */
export async function huntApart(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@kayadb/source', PROGRAM, ...args], {
    cwd: ROOT,
    // Not as a part of the run that asks.
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (!output.includes(' not found as they should be'))
    throw new Error(`the hunt has no result: ${output.slice(-3000)}`);
  return output;
}

/** The mutants that were not found, or not by a check that they name, in the words of `output`. */
export function missedOf(output: string): readonly string[] {
  return output.split('\n').filter((line) => line.includes(': survived ') || line.includes('DOES NOT NAME'));
}
