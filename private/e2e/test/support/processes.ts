/**
 * Programs as real processes. Every process started here has a deadline after which it is killed, and is killed when
 * the test that owns it ends.
 */

import { type ChildProcess, spawn } from 'node:child_process';

import { KAYACTL, plainEnvironment, ROOT } from './repository.ts';

/** Bound: no program of a test runs longer, unless it says so. Far beyond what any needs, even on a busy machine. */
const DEADLINE_MS = 120_000;

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** When it is killed if it still runs. 0: never. */
  readonly deadlineMs?: number;
}

export interface ProcessResult {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Resolves when the process has ended and its output is read. */
  readonly finished: Promise<ProcessResult>;
}

/** Starts a program. Requires: the caller disposes of what it gets. */
export function startProgram(file: string, argv: readonly string[], options: ProcessOptions = {}): RunningProcess {
  const child = spawn(file, argv, {
    cwd: options.cwd ?? ROOT,
    env: { ...plainEnvironment(), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const { deadlineMs = DEADLINE_MS } = options;
  const deadline = deadlineMs === 0 ? undefined : setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  const chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  child.stdout.on('data', (chunk: Buffer) => chunks.stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.stderr.push(chunk));
  // A program that does not read its input closes the pipe.
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin ?? '');
  const finished = new Promise<ProcessResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      clearTimeout(deadline);
      resolve({
        exitCode,
        stdout: Buffer.concat(chunks.stdout).toString(),
        stderr: Buffer.concat(chunks.stderr).toString(),
      });
    });
  });
  return {
    child,
    finished,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await finished;
    },
  };
}

/** Runs a program to its end. */
export function runProgram(file: string, argv: readonly string[], options?: ProcessOptions): Promise<ProcessResult> {
  return startProgram(file, argv, options).finished;
}

export function startKayactl(argv: readonly string[], options?: ProcessOptions): RunningProcess {
  return startProgram(process.execPath, [KAYACTL, ...argv], options);
}

export function runKayactl(argv: readonly string[], options?: ProcessOptions): Promise<ProcessResult> {
  return startKayactl(argv, options).finished;
}

/** @throws Error with what the program said when it does not end with 0. */
export async function kayactl(...argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runKayactl(argv);
  if (exitCode !== 0) throw new Error(`kayactl ${argv.join(' ')} ended with ${exitCode}: ${stderr}`);
  return stdout;
}
