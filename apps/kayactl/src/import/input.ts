/** The bytes of an import: a file or stdin, unpacked when they begin as gzip does. */

import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

import type { FileHandle, FileSystem } from '@kayadb/vfs';

import { CliError, usageError } from '../cli-error.ts';

const CHUNK_BYTES = 256 * 1024;
const GZIP_MAGIC = [0x1f, 0x8b] as const;

export interface ImportInput {
  /** Size as stored, or `undefined` for stdin. */
  readonly totalBytes: number | undefined;
  /** Bytes taken in so far, as stored. */
  readonly bytesRead: number;
  /** The unpacked bytes, once. @throws CliError KAYA_INPUT_DAMAGED for a broken gzip stream. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * @param path - `-` for stdin.
 * @param signal - Ends a read from stdin, which may otherwise wait for ever.
 * @throws FileSystemError; CliError KAYA_USAGE for what is no file.
 */
export async function openInput(
  path: string,
  fileSystem: FileSystem,
  stdin: Readable,
  signal: AbortSignal,
): Promise<ImportInput> {
  if (path === '-') {
    const stop = (): void => void stdin.destroy();
    signal.addEventListener('abort', stop, { once: true });
    const release = (): Promise<void> => {
      signal.removeEventListener('abort', stop);
      // Left open, it would keep the process alive after an import that ended early.
      stop();
      return Promise.resolve();
    };
    return new UnpackedInput('standard input', undefined, readStdin(stdin), release);
  }
  if ((await fileSystem.stat(path))?.kind === 'other') {
    throw usageError(
      `${path} is a pipe or a device, and an import has to find its place in the file`,
      'Give it on standard input: kayactl import - < FILE.',
    );
  }
  const handle = await fileSystem.open(path, 'read');
  return new UnpackedInput(path, await handle.size(), readHandle(handle), () => handle.close());
}

class UnpackedInput implements ImportInput {
  readonly totalBytes: number | undefined;
  bytesRead = 0;
  readonly #name: string;
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #release: () => Promise<void>;

  constructor(
    name: string,
    totalBytes: number | undefined,
    source: AsyncGenerator<Uint8Array>,
    release: () => Promise<void>,
  ) {
    this.#name = name;
    this.totalBytes = totalBytes;
    this.#source = source;
    this.#release = release;
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    const start = await this.#readStart();
    const isGzip = start.length >= 2 && start[0] === GZIP_MAGIC[0] && start[1] === GZIP_MAGIC[1];
    if (isGzip) yield* this.#unpack(start);
    else yield* this.#stored(start);
  }

  close(): Promise<void> {
    return this.#release();
  }

  /** Enough to tell what it is, however small the chunks are. */
  async #readStart(): Promise<Uint8Array> {
    let start: Uint8Array = new Uint8Array(0);
    while (start.length < GZIP_MAGIC.length) {
      const chunk = await this.#next();
      if (chunk === undefined) break;
      start = start.length === 0 ? chunk : Buffer.concat([start, chunk]);
    }
    return start;
  }

  async *#stored(start: Uint8Array): AsyncGenerator<Uint8Array> {
    if (start.length > 0) yield start;
    for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk;
  }

  async *#unpack(start: Uint8Array): AsyncGenerator<Uint8Array> {
    const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
    let sourceFailure: unknown;
    const feeding = this.#feed(gunzip, start).catch((error: unknown) => {
      sourceFailure = error;
      gunzip.destroy(error instanceof Error ? error : undefined);
    });
    try {
      yield* gunzip as AsyncIterable<Uint8Array>;
    } catch (error) {
      if (sourceFailure !== undefined) throw sourceFailure;
      throw new CliError('KAYA_INPUT_DAMAGED', `${this.#name} is a damaged or unfinished gzip file`, {
        hint: 'Fetch or pack the file again, then import it with --restart.',
        cause: error,
      });
    } finally {
      gunzip.destroy();
      await feeding;
    }
  }

  async #feed(gunzip: ReturnType<typeof createGunzip>, start: Uint8Array): Promise<void> {
    for await (const chunk of this.#stored(start)) {
      if (gunzip.destroyed) return;
      if (!gunzip.write(chunk)) await drained(gunzip);
    }
    gunzip.end();
  }

  async #next(): Promise<Uint8Array | undefined> {
    const result = await this.#source.next();
    if (result.done === true) return undefined;
    this.bytesRead += result.value.length;
    return result.value;
  }
}

function drained(stream: ReturnType<typeof createGunzip>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.on('drain', done);
    stream.on('close', done);
  });
}

async function* readHandle(handle: FileHandle): AsyncGenerator<Uint8Array> {
  for (let position = 0; ;) {
    // A new array each time: lines that are still being written are views of the earlier ones.
    const chunk = new Uint8Array(CHUNK_BYTES);
    const bytes = await handle.read(chunk, position);
    if (bytes === 0) return;
    position += bytes;
    yield chunk.subarray(0, bytes);
  }
}

async function* readStdin(stdin: Readable): AsyncGenerator<Uint8Array> {
  for await (const chunk of stdin as AsyncIterable<Uint8Array | string>) {
    yield typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk;
  }
}
