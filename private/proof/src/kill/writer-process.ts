/**
 * A writer as its parent sees it: a process that has loaded its program and waits for orders, then talks until it ends or is killed. Every writer is
 * ended by its own process id, and has a deadline.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { WriterLine, WriterOrders } from './writer-protocol.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/kill/writer.js', import.meta.url));
/** Bound: far beyond what any writer needs, even on a busy machine. */
const DEADLINE_MS = 60_000;
const LINE_FEED = 0x0a;

export interface WriterEnd {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it had to say beside the protocol; empty in good order. */
  readonly stderr: string;
  readonly isOverdue: boolean;
}

export class WriterProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<WriterEnd>;
  #rest: Buffer = Buffer.alloc(0);
  #onLine: (line: WriterLine) => void = () => {};
  #isOverdue = false;

  /** Starts one that waits for orders. @throws Error when the program has not been built. */
  constructor() {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing; run corepack pnpm build`);
    const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    const complaints: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
    // One that was killed does not read its orders.
    child.stdin.on('error', () => {});
    this.#ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (exitCode, signal) =>
        resolve({ exitCode, signal, stderr: Buffer.concat(complaints).toString(), isOverdue: this.#isOverdue }),
      );
    });
    this.#ended.catch(() => {});
  }

  /**
   * Gives the orders. Resolves when the process has ended and every line that it sent has been taken.
   *
   * @param onLine - May call `kill`; lines that were on their way still come.
   */
  async run(orders: WriterOrders, onLine: (line: WriterLine) => void): Promise<WriterEnd> {
    this.#onLine = onLine;
    const deadline = setTimeout(() => {
      this.#isOverdue = true;
      this.kill();
    }, DEADLINE_MS);
    this.#child.stdin?.end(JSON.stringify(orders));
    try {
      return await this.#ended;
    } finally {
      clearTimeout(deadline);
    }
  }

  /** As `kill -9`: none of its code runs any more. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.#ended;
  }

  /** A line that the kill cut short never ends, and was never said. */
  #take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      this.#onLine(JSON.parse(bytes.toString('utf8', start, end)) as WriterLine);
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
  }
}

/** Has the next writer ready while one runs: starting a process takes longer than most lives. */
export class WriterSupply implements AsyncDisposable {
  #next: WriterProcess | undefined;

  take(): WriterProcess {
    const writer = this.#next ?? new WriterProcess();
    this.#next = new WriterProcess();
    return writer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#next?.[Symbol.asyncDispose]();
  }
}
