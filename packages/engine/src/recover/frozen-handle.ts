/** A file of an EvidenceView: as long as it was when it was captured, however much is appended later. Read only. */

import { type FileHandle, FileSystemError } from '@kayadb/vfs';

export class FrozenHandle implements FileHandle {
  readonly #inner: FileHandle;
  readonly #bytes: number;
  readonly #ownership: 'owned' | 'borrowed';
  readonly #onRead: (bytes: number) => void;

  /**
   * @param ownership - Whether closing this closes `inner`.
   * @param onRead - Told of each read; what it throws, the read throws.
   */
  constructor(
    inner: FileHandle,
    bytes: number,
    ownership: 'owned' | 'borrowed',
    onRead: (bytes: number) => void = () => undefined,
  ) {
    this.#inner = inner;
    this.#bytes = bytes;
    this.#ownership = ownership;
    this.#onRead = onRead;
  }

  get path(): string {
    return this.#inner.path;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    const bytes = await this.#inner.read(this.#visible(buffer, position), position);
    this.#onRead(bytes);
    return bytes;
  }

  readSync(buffer: Uint8Array, position: number): number {
    const bytes = this.#inner.readSync(this.#visible(buffer, position), position);
    this.#onRead(bytes);
    return bytes;
  }

  async size(): Promise<number> {
    return this.#bytes;
  }

  sizeSync(): number {
    return this.#bytes;
  }

  async close(): Promise<void> {
    if (this.#ownership === 'owned') await this.#inner.close();
  }

  async write(): Promise<void> {
    this.writeSync();
  }

  writeSync(): void {
    throw new FileSystemError('EROFS', 'write', this.path);
  }

  async sync(): Promise<void> {
    this.syncSync();
  }

  syncSync(): void {
    throw new FileSystemError('EROFS', 'sync', this.path);
  }

  async truncate(): Promise<void> {
    throw new FileSystemError('EROFS', 'truncate', this.path);
  }

  #visible(buffer: Uint8Array, position: number): Uint8Array {
    return buffer.subarray(0, Math.max(0, Math.min(buffer.length, this.#bytes - position)));
  }
}
