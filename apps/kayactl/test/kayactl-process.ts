/** The program as a process of its own, from its sources. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

export interface ProcessResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function startKayactl(...argv: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, ['--import', 'tsx', '--conditions=@kayadb/source', MAIN, ...argv], { cwd: ROOT });
}

export function finish(child: ChildProcessWithoutNullStreams): Promise<ProcessResult> {
  const parts = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (parts.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (parts.stderr += chunk.toString()));
  return new Promise((resolve) => {
    child.on('close', (exitCode) => resolve({ exitCode, ...parts }));
  });
}

export function runProcess(...argv: readonly string[]): Promise<ProcessResult> {
  return finish(startKayactl(...argv));
}
