/**
 * Where an export goes: standard output, or a file that appears under its name only when it is whole.
 *
 * Durability: the file survives power loss once `finish` resolves.
 */

import { once } from 'node:events';
import { dirname, resolve } from 'node:path';
import { constants, createGzip, type Gzip } from 'node:zlib';

import { encodeUtf8 } from '@kayadb/codec';
import { type FileHandle, type FileSystem, isNotFound } from '@kayadb/vfs';

import type { Output } from '../output.ts';

const GATHER_BYTES = 256 * 1024;
const TEMPORARY_SUFFIX = '.kayactl-export.tmp';

export interface ExportTarget {
  readonly isStdout: boolean;
  /** Bytes written so far, after packing. */
  readonly bytes: number;
  write(text: string): Promise<void>;
  /** Completes the export. Requires: nothing is written afterwards. */
  finish(): Promise<void>;
  /** Gives up: leaves no file behind. */
  abandon(): Promise<void>;
}

/** @param file - `-` for standard output. @throws FileSystemError */
export async function openExportTarget(
  file: string,
  gzip: boolean,
  fileSystem: FileSystem,
  output: Output,
): Promise<ExportTarget> {
  const sink = file === '-' ? new StdoutSink(output) : await FileSink.open(fileSystem, resolve(file));
  const target = new GatheringTarget(sink);
  return gzip ? new GzipTarget(target) : target;
}

/** The last step: takes bytes, keeps no reference to them. */
interface Sink {
  readonly isStdout: boolean;
  write(bytes: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

class StdoutSink implements Sink {
  readonly isStdout = true;
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#output.write(bytes);
  }

  finish(): Promise<void> {
    return this.#output.flush();
  }

  abandon(): Promise<void> {
    return Promise.resolve();
  }
}

class FileSink implements Sink {
  readonly isStdout = false;
  readonly #fileSystem: FileSystem;
  readonly #path: string;
  readonly #handle: FileHandle;
  #position = 0;

  private constructor(fileSystem: FileSystem, path: string, handle: FileHandle) {
    this.#fileSystem = fileSystem;
    this.#path = path;
    this.#handle = handle;
  }

  static async open(fileSystem: FileSystem, path: string): Promise<FileSink> {
    await unlinkIfThere(fileSystem, `${path}${TEMPORARY_SUFFIX}`);
    return new FileSink(fileSystem, path, await fileSystem.open(`${path}${TEMPORARY_SUFFIX}`, 'create'));
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#handle.write(bytes, this.#position);
    this.#position += bytes.length;
  }

  async finish(): Promise<void> {
    await this.#handle.sync();
    await this.#handle.close();
    await this.#fileSystem.rename(this.#handle.path, this.#path);
    await this.#fileSystem.syncDirectory(dirname(this.#path));
  }

  async abandon(): Promise<void> {
    await this.#handle.close();
    await unlinkIfThere(this.#fileSystem, this.#handle.path);
  }
}

/** Writes in larger pieces than rows. */
class GatheringTarget implements ExportTarget {
  readonly isStdout: boolean;
  bytes = 0;
  readonly #sink: Sink;
  #parts: Uint8Array[] = [];
  #partBytes = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
    this.isStdout = sink.isStdout;
  }

  async write(data: string | Uint8Array): Promise<void> {
    const part = typeof data === 'string' ? encodeUtf8(data) : data;
    this.#parts.push(part);
    this.#partBytes += part.length;
    this.bytes += part.length;
    if (this.#partBytes >= GATHER_BYTES) await this.#flush();
  }

  async finish(): Promise<void> {
    await this.#flush();
    await this.#sink.finish();
  }

  abandon(): Promise<void> {
    return this.#sink.abandon();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#parts, this.#partBytes);
    this.#parts = [];
    this.#partBytes = 0;
    if (bytes.length > 0) await this.#sink.write(bytes);
  }
}

class GzipTarget implements ExportTarget {
  readonly isStdout: boolean;
  readonly #target: GatheringTarget;
  readonly #gzip: Gzip;
  readonly #pumping: Promise<void>;

  constructor(target: GatheringTarget) {
    this.#target = target;
    this.isStdout = target.isStdout;
    this.#gzip = createGzip({ level: constants.Z_DEFAULT_COMPRESSION });
    this.#pumping = this.#pump();
    // A failure is met again, and thrown, by the next write or by finish.
    this.#pumping.catch(() => {});
  }

  get bytes(): number {
    return this.#target.bytes;
  }

  async write(text: string): Promise<void> {
    if (this.#gzip.write(text)) return;
    await Promise.race([once(this.#gzip, 'drain'), this.#pumping]);
  }

  async finish(): Promise<void> {
    this.#gzip.end();
    await this.#pumping;
    await this.#target.finish();
  }

  async abandon(): Promise<void> {
    this.#gzip.destroy();
    await this.#pumping.catch(() => {});
    await this.#target.abandon();
  }

  async #pump(): Promise<void> {
    for await (const bytes of this.#gzip as AsyncIterable<Uint8Array>) await this.#target.write(bytes);
  }
}

async function unlinkIfThere(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.unlink(path);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
