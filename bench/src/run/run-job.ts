/** Runs one job in a process of its own, which is killed when it takes longer than `timeoutMs` or `signal` says so. */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { ChildMessage, Job } from './job.ts';

export interface JobOutcome {
  readonly messages: readonly ChildMessage[];
  /** Why the process did not finish its job, if it did not. */
  readonly failure: string | undefined;
}

/** From sources, as in tests, the child needs the loader that the parent has. */
const FROM_SOURCES = import.meta.url.endsWith('.ts');
const CHILD = fileURLToPath(new URL(FROM_SOURCES ? '../child.ts' : '../child.js', import.meta.url));
const NODE_OPTIONS = ['--expose-gc', ...(FROM_SOURCES ? ['--import', 'tsx', '--conditions=@kayadb/source'] : [])];
const MAX_ERROR_CHARACTERS = 2000;

export function runJob(job: Job, timeoutMs: number, signal?: AbortSignal): Promise<JobOutcome> {
  const child = fork(CHILD, [JSON.stringify(job)], {
    execArgv: NODE_OPTIONS,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  return new Promise((resolve) => {
    const messages: ChildMessage[] = [];
    const errors = collectErrors(child);
    const kill = (): boolean => child.kill('SIGKILL');
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, timeoutMs);
    signal?.addEventListener('abort', kill);
    child.on('message', (message) => messages.push(message as ChildMessage));
    child.on('close', (code, killedBy) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', kill);
      const ending = timedOut ? `took longer than ${timeoutMs / 1000} s` : `ended with ${killedBy ?? `code ${code}`}`;
      resolve({ messages, failure: code === 0 ? undefined : `${ending}\n${errors()}`.trim() });
    });
  });
}

function collectErrors(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (chunk: string) => {
    text = (text + chunk).slice(-MAX_ERROR_CHARACTERS);
  });
  return () => text;
}
