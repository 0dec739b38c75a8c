/**
 * The two output streams: results on stdout, everything else on stderr.
 *
 * Results are gathered into larger writes and follow the reader's pace. A reader that has gone away (`| head`) shows
 * as BrokenPipeError, which ends the program quietly.
 */

import { encodeUtf8 } from '@kayadb/codec';

import type { ErrorDescription } from './describe-error.ts';
import type { OutputStream } from './io.ts';

/** Bound: bytes gathered before they are written. */
const MAX_GATHERED_BYTES = 64 * 1024;

/** Nobody reads stdout any more. */
export class BrokenPipeError extends Error {
  override readonly name = 'BrokenPipeError';
}

export class Output {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;

  constructor(stdout: OutputStream, stderr: OutputStream) {
    this.stdout = stdout;
    this.stderr = stderr;
    // Each failed write reports through its own callback; without a listener the stream would end the process as well.
    stdout.on('error', ignore);
    stderr.on('error', ignore);
  }

  /** Adds to stdout. Keeps no reference to text or bytes after it resolves. @throws BrokenPipeError */
  async write(data: Uint8Array | string): Promise<void> {
    const bytes = typeof data === 'string' ? encodeUtf8(data) : data;
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes >= MAX_GATHERED_BYTES) await this.flush();
  }

  async line(text: string): Promise<void> {
    await this.write(`${text}\n`);
  }

  /** One JSON document on one line. */
  async json(value: unknown): Promise<void> {
    await this.line(JSON.stringify(value));
  }

  /** Hands everything gathered to stdout. @throws BrokenPipeError */
  async flush(): Promise<void> {
    if (this.#gatheredBytes === 0) return;
    const bytes = Buffer.concat(this.#gathered, this.#gatheredBytes);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    await send(this.stdout, bytes);
  }

  /** A line for the person at the terminal, beside the results. */
  async note(text: string): Promise<void> {
    await send(this.stderr, encodeUtf8(`${text}\n`));
  }

  /** An error on stderr, as `ERROR:` and `HINT:` lines or as one JSON document. */
  async error(description: ErrorDescription, json: boolean): Promise<void> {
    const { code, message, hint } = description;
    await this.note(json ? JSON.stringify({ error: { code, message, hint } }) : `ERROR: ${message}\nHINT: ${hint}`);
  }
}

function send(stream: OutputStream, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => {
      if (error === null || error === undefined) resolve();
      else
        reject(
          isBrokenPipe(error) ? new BrokenPipeError('the reader of the output has gone', { cause: error }) : error,
        );
    });
  });
}

function isBrokenPipe(error: Error): boolean {
  const code = 'code' in error ? error.code : undefined;
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
}

function ignore(): void {}
