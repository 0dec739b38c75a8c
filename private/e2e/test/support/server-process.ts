/** A node as a real process on a real disk: start, wait until it is ready, stop or kill it, read its log. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { type Client, connect } from '@kayadb/client';

import { KAYADB_SERVER, plainEnvironment, ROOT } from './repository.ts';

/** Bound: a node that is not ready or gone by then is killed. */
const DEADLINE_MS = 60_000;

export interface LogLine extends Readonly<Record<string, unknown>> {
  readonly level: string;
  readonly event: string;
  readonly msg: string;
}

export interface ServerOptions {
  /** Default: a free port. */
  readonly address?: string;
  readonly flags?: readonly string[];
  /** Nothing but the data folder and `flags` is on its command line: the rest is in the environment or a config file. Default: no. */
  readonly isBare?: boolean;
  /** Whether it serves reports over HTTP, on a free port that `node.listening` tells. Default: no. */
  readonly hasReports?: boolean;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What to run in front of the flags. Default: the server. */
  readonly command?: readonly [file: string, ...argv: string[]];
  /** Told of each line of stderr as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface ServerExit {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null;
  readonly stderr: string;
}

export class ServerProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  /** Resolves when the process has ended and its log is read. */
  readonly ended: Promise<ServerExit>;
  readonly log: LogLine[] = [];
  readonly #stderr: string[] = [];
  /** Resolves with its address when it serves; rejects when it ends before. */
  readonly ready: Promise<string>;
  readonly #onLine: (line: string) => void;
  readonly #waiting = new Set<(line: LogLine) => void>();
  #address = '';
  #fatalEvent: string | undefined;

  private constructor(directory: string, options: ServerOptions) {
    const [file, ...argv] = options.command ?? [process.execPath, KAYADB_SERVER];
    const reports = options.hasReports === true ? ['--metrics-addr', '127.0.0.1:0'] : ['--no-metrics'];
    const ports = ['--client-addr', options.address ?? '127.0.0.1:0', '--raft-addr', '127.0.0.1:0'];
    const where = ['--data', directory, ...(options.isBare === true ? [] : [...ports, ...reports])];
    this.#onLine = options.onLine ?? (() => {});
    this.child = spawn(file, [...argv, ...where, ...(options.flags ?? [])], {
      cwd: options.cwd ?? ROOT,
      env: { ...plainEnvironment(), ...options.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const lines = createInterface({ input: this.child.stderr! });
    const closed = new Promise<number | null>((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', resolve);
    });
    this.ended = closed.then((exitCode) => ({ exitCode, stderr: this.#stderr.join('\n') }));
    this.ready = new Promise((resolve, reject) => {
      lines.on('line', (line) => {
        this.#take(line);
        const last = this.log.at(-1);
        if (last?.event !== 'node.ready') return;
        this.#address = String(last['address']);
        resolve(this.#address);
      });
      lines.on('close', () => reject(new Error(`the server ended before it was ready: ${this.#stderr.join('\n')}`)));
    });
    this.ready.catch(() => {});
  }

  /** Starts a node and does not wait for it. Requires: the caller ends it. */
  static launch(directory: string, options: ServerOptions = {}): ServerProcess {
    return new ServerProcess(directory, options);
  }

  /** Starts a node and waits until it serves. */
  static async start(directory: string, options: ServerOptions = {}): Promise<ServerProcess> {
    const server = new ServerProcess(directory, options);
    const deadline = setTimeout(() => server.child.kill('SIGKILL'), DEADLINE_MS);
    try {
      await server.ready;
    } finally {
      clearTimeout(deadline);
    }
    return server;
  }

  /** Starts a node that is expected to refuse, and waits for its end. */
  static async startAndFail(directory: string, options: ServerOptions = {}): Promise<ServerExit> {
    await using server = new ServerProcess(directory, options);
    return await server.#end();
  }

  /** Starts a node and kills it as soon as its log has that event. @returns Whether it came that far. */
  static async startAndKillAt(directory: string, name: string, options: ServerOptions = {}): Promise<boolean> {
    await using server = new ServerProcess(directory, options);
    server.#fatalEvent = name;
    await server.#end();
    return server.log.some(({ event }) => event === name);
  }

  get address(): string {
    return this.#address;
  }

  get port(): number {
    return Number(this.#address.split(':').at(-1));
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** A client for it. Requires: the caller closes it. */
  connect(clientToken?: string): Client {
    return connect(this.#address, { clientToken, timeoutMs: 60_000 });
  }

  /** SIGTERM, and how long it took to leave. */
  async stop(): Promise<ServerExit & { readonly seconds: number }> {
    const startedMs = performance.now();
    this.child.kill('SIGTERM');
    const exit = await this.#end();
    return { ...exit, seconds: (performance.now() - startedMs) / 1000 };
  }

  /** As `kill -9`: no code of the process runs any more. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Resolves with the next line of its log that is so; rejects when it ends without one. */
  next(isMeant: (line: LogLine) => boolean): Promise<LogLine> {
    return new Promise((resolve, reject) => {
      const look = (line: LogLine): void => {
        if (!isMeant(line)) return;
        this.#waiting.delete(look);
        resolve(line);
      };
      this.#waiting.add(look);
      void this.ended.then(() => reject(new Error(`the server ended: ${this.#stderr.slice(-20).join('\n')}`)));
    });
  }

  /** The one line of its log with that event. @throws Error when there is none. */
  event(name: string): LogLine {
    const line = this.log.find(({ event }) => event === name);
    if (line === undefined) throw new Error(`the log has no ${name}: ${this.#stderr.join('\n')}`);
    return line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #end(): Promise<ServerExit> {
    const deadline = setTimeout(() => this.child.kill('SIGKILL'), DEADLINE_MS);
    try {
      return await this.ended;
    } finally {
      clearTimeout(deadline);
    }
  }

  /** ERROR and HINT lines are not of the log. */
  #take(line: string): void {
    this.#stderr.push(line);
    this.#onLine(line);
    if (!line.startsWith('{')) return;
    const entry = JSON.parse(line) as LogLine;
    this.log.push(entry);
    for (const look of this.#waiting) look(entry);
    if (entry.event === this.#fatalEvent) this.child.kill('SIGKILL');
  }
}
