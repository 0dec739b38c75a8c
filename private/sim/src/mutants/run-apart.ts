/** Runs the hunt for planted bugs in a process of its own, as nothing of them may stay behind. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('run-mutants.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/**
 * @param args - Of run-mutants.ts.
 * @returns Whether all were found as they should be, and what was printed.
 */
export async function huntApart(
  args: readonly string[],
): Promise<{ readonly isClean: boolean; readonly output: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@kayadb/source', PROGRAM, ...args], {
    cwd: ROOT,
    // Not as a part of the run that asks.
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  return { isClean: code === 0, output };
}
