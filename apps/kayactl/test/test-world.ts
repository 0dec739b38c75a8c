/** A small world around `runKayactl`: a disk in memory, streams that are strings, and an interrupt button. */

import { Readable, Writable } from 'node:stream';

import { connect } from '@kayadb/client';
import { seededRandom, VirtualClock } from '@kayadb/testkit';
import { fakeProcessWorld, MemoryFileSystem } from '@kayadb/vfs/testing';

import type { ExitCode } from '../src/exit-codes.ts';
import type { KayactlIo } from '../src/io.ts';
import { runKayactl } from '../src/run-kayactl.ts';

export interface RunResult {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

export class TestWorld {
  fileSystem = new MemoryFileSystem();
  clock = new VirtualClock();
  wallClockMs = Date.UTC(2026, 10, 22);
  readonly processWorld = fakeProcessWorld();
  processes = this.processWorld.start();
  readonly random = seededRandom(1);
  readonly env: Record<string, string> = {};
  stdin: Readable = Readable.from([]);
  connect: KayactlIo['connect'] = connect;
  interruption = new AbortController();
  /** Whether its output is one, of 100 columns and 20 rows. */
  isTerminal = false;
  /** Told of every write to stdout, and may throw as a closed pipe does. */
  onStdout: (text: string) => void = () => {};

  io(): KayactlIo & { readonly stdout: TextSink; readonly stderr: TextSink } {
    return {
      stdin: this.stdin,
      stdout: new TextSink((text) => this.onStdout(text), this.isTerminal),
      stderr: new TextSink(() => {}, this.isTerminal),
      env: this.env,
      fileSystem: this.fileSystem,
      processes: this.processes,
      clock: this.clock,
      wallClock: () => this.wallClockMs,
      connect: this.connect,
      randomBytes: (count) => this.random.bytes(count),
      yieldTurn: () => Promise.resolve(),
      signal: this.interruption.signal,
    };
  }

  async run(...argv: readonly string[]): Promise<RunResult> {
    const io = this.io();
    const exitCode = await runKayactl(argv, io);
    return { exitCode, stdout: io.stdout.text, stderr: io.stderr.text };
  }

  /** A file in the root folder that survives power loss. */
  async writeFile(path: string, content: Uint8Array | string): Promise<void> {
    const handle = await this.fileSystem.open(path, 'create');
    await handle.write(Buffer.from(content), 0);
    await handle.sync();
    await handle.close();
    await this.fileSystem.syncDirectory('/');
  }

  async readFile(path: string): Promise<string> {
    return Buffer.from(await this.fileSystem.readFile(path)).toString();
  }
}

class TextSink extends Writable {
  readonly #parts: Buffer[] = [];
  readonly #onText: (text: string) => void;
  readonly isTTY: boolean;
  readonly columns = 100;
  readonly rows = 20;

  constructor(onText: (text: string) => void, isTTY: boolean) {
    super();
    this.#onText = onText;
    this.isTTY = isTTY;
  }

  get text(): string {
    return Buffer.concat(this.#parts).toString();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    try {
      this.#onText(chunk.toString());
      this.#parts.push(chunk);
      done();
    } catch (error) {
      done(error as Error);
    }
  }
}

/** What a write to a pipe fails with when nobody reads it any more. */
export function brokenPipe(): Error {
  return Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
}
