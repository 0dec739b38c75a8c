/** The program as a process of its own, with a folder of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

type LogLine = Readonly<Record<string, unknown>>;

export class ServerProcess implements AsyncDisposable {
  readonly folder: string;
  readonly child: ChildProcess;
  readonly exit: Promise<ProcessEnd>;
  readonly log: LogLine[] = [];
  readonly #waiting = new Map<string, { readonly seen: number; readonly resolve: (line: LogLine) => void }>();
  #stderr = '';

  /** @param folder - Made for it by `makeFolder`, and removed when the process is disposed of. */
  constructor(folder: string, ...argv: readonly string[]) {
    this.folder = folder;
    const node = ['--import', 'tsx', '--conditions=@kayadb/source', MAIN];
    const ports = ['--client-addr', '127.0.0.1:0', '--raft-addr', '127.0.0.1:0', '--metrics-addr', '127.0.0.1:0'];
    this.child = spawn(process.execPath, [...node, '--data', join(folder, 'data'), ...ports, ...argv], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    createInterface({ input: this.child.stderr! }).on('line', (line) => this.#take(line));
    this.exit = new Promise((resolve) => {
      this.child.on('close', (code, signal) => resolve({ code, signal, stderr: this.#stderr }));
    });
  }

  /** Port of the listener for clients. */
  async ready(): Promise<number> {
    const { address } = await this.logged('node.ready');
    return Number(String(address).split(':').at(-1));
  }

  /** Resolves with the first line of the log with that event, or another one. Rejects when the process ends without it. */
  logged(event: string, seen = 0): Promise<LogLine> {
    const lines = this.log.filter((line) => line['event'] === event);
    const line = lines[seen];
    if (line !== undefined) return Promise.resolve(line);
    return new Promise((resolve, reject) => {
      this.#waiting.set(event, { seen, resolve });
      void this.exit.then(({ stderr }) => reject(new Error(`the server ended without ${event}: ${stderr}`)));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exit;
    rmSync(this.folder, { recursive: true });
  }

  #take(text: string): void {
    this.#stderr += `${text}\n`;
    if (!text.startsWith('{')) return;
    const line = JSON.parse(text) as LogLine;
    this.log.push(line);
    const event = String(line['event']);
    const waiting = this.#waiting.get(event);
    if (waiting !== undefined && this.log.filter((each) => each['event'] === event).length > waiting.seen) {
      this.#waiting.delete(event);
      waiting.resolve(line);
    }
  }
}

export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'kayadb-server-'));
}
