/**
 * Counts what has been read of a directory, for whoever watches, and ends the reading once it is aborted.
 *
 * Invariant: each file counts for as many bytes as it was announced with, however often parts of it are read again.
 */

/** How far reading has come. */
export interface InspectProgress {
  readonly bytes: number;
  /** May grow, when a directory that moves has to be looked at again. */
  readonly totalBytes: number;
}

export interface ReadMeterOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: InspectProgress) => void;
}

/** No KayaError, so that nobody on the way takes it for something that is the matter with a file. */
export class ReadingAborted extends Error {
  override readonly name = 'ReadingAborted';
}

export class ReadMeter {
  readonly #options: ReadMeterOptions;
  /** What is left of each file's announced bytes. */
  #left = new Map<string, number>();
  #bytes = 0;
  #totalBytes = 0;

  constructor(options: ReadMeterOptions = {}) {
    this.#options = options;
  }

  /** A new look at the directory begins. @param files - Names, and how many bytes of them are going to be read. */
  announce(files: Iterable<readonly [name: string, bytes: number]>): void {
    this.#left = new Map(files);
    this.#totalBytes = this.#bytes + [...this.#left.values()].reduce((sum, bytes) => sum + bytes, 0);
    this.#tell();
  }

  /** @throws ReadingAborted once the signal has been aborted. */
  check(): void {
    if (this.#options.signal?.aborted === true) throw new ReadingAborted('reading was aborted');
  }

  /** So much of the file has been read. @throws ReadingAborted */
  count(name: string, bytes: number): void {
    this.check();
    const left = this.#left.get(name) ?? 0;
    const counted = Math.min(left, bytes);
    if (counted === 0) return;
    this.#left.set(name, left - counted);
    this.#bytes += counted;
    this.#tell();
  }

  /** Everything that matters has been read. */
  finish(): void {
    this.#bytes = this.#totalBytes;
    this.#tell();
  }

  #tell(): void {
    this.#options.onProgress?.({ bytes: this.#bytes, totalBytes: this.#totalBytes });
  }
}
