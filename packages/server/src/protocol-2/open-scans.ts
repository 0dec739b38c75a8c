/**
 * The scans of one connection in version 2: SCAN opens one and answers with its first page, MORE asks for the next.
 *
 * Invariant: an id is taken until its scan has ended, and each scan gives back its place among all of the node when the state that it shows was let go.
 * Bound: `maxScansPerConnection`, `maxScans`; `scanIdleMs` without MORE, unless the client still takes what it was sent.
 */

import type { Slots } from '../admission/slots.ts';
import type { ServerLimits } from '../limits.ts';
import type { ScanCursor } from '../operations-2/scan-cursor.ts';
import { ServerError } from '../server-error.ts';
import type { DeadlineWatch } from './deadline-watch.ts';
import type { OpenRequest } from './open-request.ts';

export interface OpenScan {
  readonly id: number;
  readonly cursor: Promise<ScanCursor>;
  /** The same, when it is there. */
  opened: ScanCursor | undefined;
  /** Requests for pages that have not been answered. */
  asked: number;
}

export interface OpenScansOptions {
  readonly limits: ServerLimits;
  readonly slots: Slots;
  /** Calls `handleIdle`. */
  readonly idle: DeadlineWatch<OpenScan>;
  /** Whether the client has everything that it was sent. */
  readonly isQuiet: () => boolean;
  /** Pulls a page, as `NodeOperations.nextPage` does. */
  readonly pull: (cursor: ScanCursor, request: OpenRequest, take: Parameters<ScanCursor['next']>[1]) => Promise<void>;
  /** The state of a scan could not be let go. */
  readonly onCloseFailed: (error: unknown) => void;
}

export class OpenScans {
  readonly #options: OpenScansOptions;
  readonly #scans = new Map<number, OpenScan>();

  constructor(options: OpenScansOptions) {
    this.#options = options;
  }

  has(id: number): boolean {
    return this.#scans.has(id);
  }

  /** Of pages that were read for requests which were taken back. */
  get keptBytes(): number {
    let bytes = 0;
    for (const { opened } of this.#scans.values()) bytes += opened?.keptBytes ?? 0;
    return bytes;
  }

  /** Opens a scan under the id of `request`, and answers with its first page. @throws ServerError KAYA_TOO_MANY_SCANS */
  async begin(request: OpenRequest, open: () => Promise<ScanCursor>): Promise<void> {
    const { limits, slots } = this.#options;
    if (this.#scans.size >= limits.maxScansPerConnection) {
      throw tooMany(`${limits.maxScansPerConnection} scans are open on this connection`);
    }
    if (!slots.tryTake()) throw tooMany(`${limits.maxScans} scans are open on this node`);
    const scan: OpenScan = { id: request.id, cursor: open(), opened: undefined, asked: 0 };
    this.#scans.set(scan.id, scan);
    await this.#answerPage(scan, request);
  }

  /** @throws ServerError KAYA_SCAN_ENDED */
  async more(id: number, request: OpenRequest): Promise<void> {
    const scan = this.#scans.get(id);
    if (scan === undefined) throw ended(id);
    await this.#answerPage(scan, request);
  }

  /** Idempotent; its id is free at once. */
  end(id: number): void {
    const scan = this.#scans.get(id);
    if (scan === undefined) return;
    this.#scans.delete(id);
    this.#options.idle.delete(scan);
    void this.#letGo(scan);
  }

  close(): void {
    this.#options.idle.stop();
    for (const id of Array.from(this.#scans.keys())) this.end(id);
  }

  /** Nobody has asked for a page of it in time. */
  handleIdle(scan: OpenScan): void {
    if (this.#options.isQuiet()) this.#forget(scan);
    else this.#watchIdle(scan);
  }

  async #answerPage(scan: OpenScan, request: OpenRequest): Promise<void> {
    scan.asked++;
    this.#options.idle.delete(scan);
    try {
      await this.#pullPage(scan, request);
    } catch (error) {
      // What was taken back has read nothing, and the scan goes on; what failed would fail again.
      if (!request.isOver) this.#forget(scan);
      throw error;
    } finally {
      scan.asked--;
      if (scan.asked === 0 && this.#scans.get(scan.id) === scan) this.#watchIdle(scan);
    }
  }

  async #pullPage(scan: OpenScan, request: OpenRequest): Promise<void> {
    scan.opened ??= await scan.cursor;
    let isTaken = false;
    await this.#options.pull(scan.opened, request, (page) => {
      isTaken = request.answer({ kind: 'page', page });
      if (isTaken && page.isLast) this.#forget(scan);
      return isTaken;
    });
    if (!isTaken && !request.isOver) throw ended(scan.id);
  }

  #watchIdle(scan: OpenScan): void {
    const { idle, limits } = this.#options;
    if (limits.scanIdleMs > 0) idle.set(scan, limits.scanIdleMs);
  }

  /** As `end`, unless another scan has its id by now. */
  #forget(scan: OpenScan): void {
    if (this.#scans.get(scan.id) === scan) this.end(scan.id);
  }

  async #letGo(scan: OpenScan): Promise<void> {
    const { slots, onCloseFailed } = this.#options;
    try {
      const cursor = await scan.cursor.catch(() => undefined);
      await cursor?.close();
    } catch (error) {
      onCloseFailed(error);
    } finally {
      slots.release();
    }
  }
}

function tooMany(what: string): ServerError {
  return new ServerError('KAYA_TOO_MANY_SCANS', `${what}, and no more are; end some, or wait until they have ended`);
}

function ended(id: number): ServerError {
  const message = `no scan with the id ${id} is open on this connection: it was never begun, or has ended; begin it again`;
  return new ServerError('KAYA_SCAN_ENDED', message);
}
