/** Open files of the segments that are read from, a few at a time. */

import type { FileHandle, FileSystem } from '@kayadb/vfs';

import { segmentFileName } from './file-names.ts';

/** Bound: files open for reading. */
const MAX_OPEN = 8;

export class SegmentReaders {
  readonly #fs: FileSystem;
  readonly #directory: string;
  /** The one that was used last comes last. */
  readonly #handles = new Map<number, FileHandle>();
  #closing: Promise<unknown> = Promise.resolve();

  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
  }

  /** @returns Bytes read; fewer than asked for only at the end of the file. @throws FileSystemError */
  readSync(segment: number, buffer: Uint8Array, offset: number): number {
    const known = this.#handles.get(segment);
    const handle = known ?? this.#fs.openSync(`${this.#directory}/${segmentFileName(segment)}`, 'read');
    this.#handles.delete(segment);
    this.#handles.set(segment, handle);
    if (this.#handles.size > MAX_OPEN) this.forget(this.#handles.keys().next().value!);
    return handle.readSync(buffer, offset);
  }

  /** The segment is about to go. */
  forget(segment: number): void {
    const handle = this.#handles.get(segment);
    if (handle === undefined) return;
    this.#handles.delete(segment);
    // Nothing was written through it, so a close that fails takes nothing with it.
    this.#closing = Promise.all([this.#closing, handle.close().catch(() => undefined)]);
  }

  async close(): Promise<void> {
    for (const segment of this.#handles.keys()) this.forget(segment);
    await this.#closing;
  }
}
