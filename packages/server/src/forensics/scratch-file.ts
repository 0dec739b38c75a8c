/** A file in memory, and handles on it: what a scratch file system keeps of what is written through it. */

import { assert } from '@kayadb/codec';
import { type FileHandle, FileSystemError } from '@kayadb/vfs';

const FIRST_BYTES = 1024;

export class ScratchFile {
  #buffer: Uint8Array;
  #bytes: number;

  /** Owns `content`. */
  constructor(content: Uint8Array = new Uint8Array(0)) {
    this.#buffer = content;
    this.#bytes = content.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  read(target: Uint8Array, position: number): number {
    const part = this.#buffer.subarray(
      Math.min(position, this.#bytes),
      Math.min(position + target.length, this.#bytes),
    );
    target.set(part);
    return part.length;
  }

  write(data: Uint8Array, position: number): void {
    this.resize(Math.max(this.#bytes, position + data.length));
    this.#buffer.set(data, position);
  }

  resize(bytes: number): void {
    if (bytes > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(FIRST_BYTES, bytes, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, this.#bytes));
      this.#buffer = grown;
    }
    if (bytes < this.#bytes) this.#buffer.fill(0, bytes, this.#bytes);
    this.#bytes = bytes;
  }
}

export class ScratchHandle implements FileHandle {
  readonly path: string;
  readonly #file: ScratchFile;
  readonly #isWritable: boolean;
  #isOpen = true;

  constructor(path: string, file: ScratchFile, isWritable: boolean) {
    this.path = path;
    this.#file = file;
    this.#isWritable = isWritable;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    return this.readSync(buffer, position);
  }

  readSync(buffer: Uint8Array, position: number): number {
    assert(this.#isOpen, `${this.path} is open`);
    return this.#file.read(buffer, position);
  }

  async write(data: Uint8Array, position: number): Promise<void> {
    this.writeSync(data, position);
  }

  writeSync(data: Uint8Array, position: number): void {
    this.#check('write');
    this.#file.write(data, position);
  }

  async sync(): Promise<void> {
    this.syncSync();
  }

  syncSync(): void {
    assert(this.#isOpen, `${this.path} is open`);
  }

  async truncate(bytes: number): Promise<void> {
    this.#check('truncate');
    this.#file.resize(bytes);
  }

  async size(): Promise<number> {
    return this.#file.bytes;
  }

  sizeSync(): number {
    return this.#file.bytes;
  }

  async close(): Promise<void> {
    this.#isOpen = false;
  }

  #check(operation: string): void {
    assert(this.#isOpen, `${this.path} is open`);
    if (!this.#isWritable) throw new FileSystemError('EBADF', operation, this.path);
  }
}
