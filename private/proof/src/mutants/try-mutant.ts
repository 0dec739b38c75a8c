/** Runs a proof against a planted bug in a process of its own. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { Mutant } from './mutant.ts';
import type { ProofOutcome } from './proof-outcome.ts';

const PROGRAM = fileURLToPath(new URL('run-proof.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/**
 * @param seed - Of the proof's random choices.
 * @throws Error with what the program printed when it gives no answer.
 */
export async function tryMutant({ name }: Mutant, seed: number): Promise<ProofOutcome> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@kayadb/source', PROGRAM, name], {
    cwd: ROOT,
    // In the small size, whatever size asks for it, and not as a part of the run that asks.
    env: { PATH: process.env['PATH'], KAYA_PROOF_SIZE: 'ci', KAYA_TEST_SEED: String(seed), KAYA_PLANTED_BUG: name },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  const answer = output.split('\n').findLast((line) => line.startsWith('{"verdict"'));
  if (answer === undefined) throw new Error(`the proof of ${name} gave no answer: ${output.slice(-3000)}`);
  return JSON.parse(answer) as ProofOutcome;
}
