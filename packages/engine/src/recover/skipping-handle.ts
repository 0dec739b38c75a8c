/**
 * A file whose unreadable pages read as zeros: a bad sector does not hide the rest.
 *
 * Invariant: whatever was not read is in `unreadable`, so nobody who asks for it takes the zeros for content.
 * Bound: `MAX_FAILED_PAGES`; a file with more is given up, since each failure of a dying disk may take seconds.
 */

import { type FileHandle, FileSystemError } from '@kayadb/vfs';

import type { UnreadableStretch } from './file-inspection.ts';

const PAGE_BYTES = 4096;
const MAX_FAILED_PAGES = 1024;

export class SkippingHandle implements FileHandle {
  readonly #inner: FileHandle;
  /** Reason by the number of the page. */
  readonly #failed = new Map<number, string>();

  constructor(inner: FileHandle) {
    this.#inner = inner;
  }

  get path(): string {
    return this.#inner.path;
  }

  /** In the order of offsets; neighbours joined. @param fileBytes - Where the last page ends. */
  unreadable(fileBytes: number): readonly UnreadableStretch[] {
    const stretches: { offset: number; bytes: number; reason: string }[] = [];
    for (const [page, reason] of [...this.#failed].toSorted(([a], [b]) => a - b)) {
      const offset = page * PAGE_BYTES;
      const bytes = Math.min(PAGE_BYTES, fileBytes - offset);
      const last = stretches.at(-1);
      if (last !== undefined && last.offset + last.bytes === offset && last.reason === reason) last.bytes += bytes;
      else stretches.push({ offset, bytes, reason });
    }
    return stretches;
  }

  /** @throws FileSystemError once too many pages have failed. */
  async read(buffer: Uint8Array, position: number): Promise<number> {
    if (!this.#touchesFailed(position, buffer.length)) {
      try {
        return await this.#inner.read(buffer, position);
      } catch (error) {
        if (!(error instanceof FileSystemError)) throw error;
      }
    }
    return this.#readPages(buffer, position);
  }

  readSync(buffer: Uint8Array, position: number): number {
    return this.#inner.readSync(buffer, position);
  }

  size(): Promise<number> {
    return this.#inner.size();
  }

  sizeSync(): number {
    return this.#inner.sizeSync();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  write(): Promise<void> {
    return Promise.reject(this.#readOnly('write'));
  }

  writeSync(): void {
    throw this.#readOnly('write');
  }

  sync(): Promise<void> {
    return Promise.reject(this.#readOnly('sync'));
  }

  syncSync(): void {
    throw this.#readOnly('sync');
  }

  truncate(): Promise<void> {
    return Promise.reject(this.#readOnly('truncate'));
  }

  async #readPages(buffer: Uint8Array, position: number): Promise<number> {
    const end = Math.min(position + buffer.length, await this.#inner.size());
    for (let at = position; at < end;) {
      const page = Math.floor(at / PAGE_BYTES);
      const pageEnd = Math.min((page + 1) * PAGE_BYTES, end);
      const piece = buffer.subarray(at - position, pageEnd - position);
      if (this.#failed.has(page) || !(await this.#readPage(piece, at, page))) piece.fill(0);
      at = pageEnd;
    }
    return Math.max(0, end - position);
  }

  async #readPage(piece: Uint8Array, at: number, page: number): Promise<boolean> {
    try {
      return (await this.#inner.read(piece, at)) === piece.length;
    } catch (error) {
      if (!(error instanceof FileSystemError) || this.#failed.size >= MAX_FAILED_PAGES) throw error;
      this.#failed.set(page, error.message);
      return false;
    }
  }

  #touchesFailed(position: number, bytes: number): boolean {
    if (this.#failed.size === 0) return false;
    for (let page = Math.floor(position / PAGE_BYTES); page * PAGE_BYTES < position + bytes; page++) {
      if (this.#failed.has(page)) return true;
    }
    return false;
  }

  #readOnly(operation: string): FileSystemError {
    return new FileSystemError('EROFS', operation, this.path);
  }
}
