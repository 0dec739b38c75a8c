/**
 * TLS of the running node: one identity for all its ports, made from files and made anew when they change. docs/operating/tls.md
 *
 * Invariant: what is in force was checked; a change that is refused changes nothing, and is told.
 */

import type { Clock, Timer } from '@kayadb/codec';
import type { Logger } from '@kayadb/server';
import { SecureIdentity, TransportError } from '@kayadb/transport';
import { FileSystemError } from '@kayadb/vfs';

import { UsageError } from '../usage-error.ts';
import { ExpiryWatch } from './expiry-watch.ts';
import type { TlsFiles } from './tls-config.ts';
import { readTlsMaterial, stampOf, type TlsFileSystem } from './tls-files.ts';

export interface TlsWatchOptions {
  readonly files: TlsFiles;
  readonly fileSystem: TlsFileSystem;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly logger: Logger;
}

/** Three looks at file attributes: nothing beside what a node does, and soon enough for whoever has replaced a certificate. */
const LOOK_EVERY_MS = 5_000;

export class TlsWatch {
  readonly identity: SecureIdentity;
  readonly #options: TlsWatchOptions;
  readonly #expiry: ExpiryWatch;
  /** Of the files as they are in force. */
  #stamp: string;
  #lastRefusal: string | undefined;
  /** Of the look that is under way, and those asked for meanwhile: one after the other. */
  #work: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #isClosed = false;

  private constructor(options: TlsWatchOptions, identity: SecureIdentity, stamp: string) {
    this.#options = options;
    this.identity = identity;
    this.#stamp = stamp;
    this.#expiry = new ExpiryWatch(options.logger);
    this.#expiry.look(identity, options.wallClock());
    this.#schedule();
  }

  /** @throws UsageError when a file cannot be read, or what is in them cannot be used. */
  static async open(options: TlsWatchOptions): Promise<TlsWatch> {
    const { files, fileSystem, wallClock } = options;
    try {
      const stamp = await stampOf(fileSystem, files);
      const identity = new SecureIdentity(await readTlsMaterial(fileSystem, files), wallClock());
      return new TlsWatch(options, identity, stamp);
    } catch (cause) {
      if (!isRefusal(cause)) throw cause;
      throw new UsageError(
        cause.message,
        `look at --tls-cert ${files.certificate}, --tls-key ${files.key} and --tls-ca ${files.ca}; docs/operating/tls.md says how they are made`,
        { cause },
      );
    }
  }

  /** Reads the files now, whether they have changed or not. Resolves when they are in force, or refused; never rejects. */
  reload(): Promise<void> {
    this.#lastRefusal = undefined;
    return this.#enqueue(() => this.#replace());
  }

  /** Nothing is begun any more, and what is being read now is not taken: a disk that does not answer is not waited for. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** The next look comes after this one, however long it takes. */
  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.setTimer(LOOK_EVERY_MS, () => {
      void this.#enqueue(() => this.#look()).then(() => this.#schedule());
    });
  }

  #enqueue(task: () => Promise<void>): Promise<void> {
    this.#work = this.#attempt(this.#work, task);
    return this.#work;
  }

  async #attempt(before: Promise<void>, task: () => Promise<void>): Promise<void> {
    await before;
    if (this.#isClosed) return;
    try {
      await task();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (!this.#isClosed) this.#refuse(error);
    }
  }

  async #look(): Promise<void> {
    const { fileSystem, files, wallClock } = this.#options;
    this.#expiry.look(this.identity, wallClock());
    if ((await stampOf(fileSystem, files)) !== this.#stamp) await this.#replace();
    else this.#lastRefusal = undefined;
  }

  async #replace(): Promise<void> {
    const { fileSystem, files, wallClock, logger } = this.#options;
    const stamp = await stampOf(fileSystem, files);
    const material = await readTlsMaterial(fileSystem, files);
    if (this.#isClosed) return;
    this.identity.replace(material, wallClock());
    this.#stamp = stamp;
    this.#lastRefusal = undefined;
    const { subject, notAfterMs = 0 } = this.identity.own ?? {};
    const notAfter = new Date(notAfterMs).toISOString();
    logger.info({ event: 'tls.replaced', subject, notAfter }, 'new connections use the TLS files as they are now');
    this.#expiry.look(this.identity, wallClock());
  }

  /** The same trouble at each look is told once. */
  #refuse(error: Error): void {
    if (error.message === this.#lastRefusal) return;
    this.#lastRefusal = error.message;
    const what = `the TLS files have changed and are not taken, those before stay in force: ${error.message}`;
    this.#options.logger.warn({ event: 'tls.refused', ...this.#options.files }, what);
  }
}

/** What is wrong with the files; anything else is a fault here. */
function isRefusal(error: unknown): error is FileSystemError | TransportError {
  return error instanceof FileSystemError || (error instanceof TransportError && error.code === 'KAYA_TLS_MATERIAL');
}
