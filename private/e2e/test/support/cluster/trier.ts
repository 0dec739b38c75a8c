/** A client that writes without a pause, one write after the other, and the time of each answer: what a failover is to somebody who keeps trying. */

import { type Client, ClientError } from '@kayadb/client';

/** A write that was answered. */
export interface TriedWrite {
  /** Of `performance.now()`. */
  readonly calledMs: number;
  readonly answeredMs: number;
  /** Of the leader that took it. */
  readonly term: number;
}

/** Bound: one write with all its tries. */
const DEADLINE_MS = 20_000;

export class Trier implements AsyncDisposable {
  /** Writes that the client gave up: its retries are meant to make them none. */
  readonly failures: ClientError[] = [];
  readonly #client: Client;
  readonly #waiting = new Set<(write: TriedWrite) => void>();
  readonly #writing: Promise<void>;
  #longestMs = 0;
  #isOver = false;

  /** Begins at once. */
  constructor(client: Client) {
    this.#client = client;
    this.#writing = this.#write();
  }

  /** The longest time that a write took since this was asked before. */
  takeLongestMs(): number {
    const longestMs = this.#longestMs;
    this.#longestMs = 0;
    return longestMs;
  }

  /** The next write that is answered and is so. */
  next(isMeant: (write: TriedWrite) => boolean = () => true): Promise<TriedWrite> {
    return new Promise((resolve) => {
      const look = (write: TriedWrite): void => {
        if (!isMeant(write)) return;
        this.#waiting.delete(look);
        resolve(write);
      };
      this.#waiting.add(look);
    });
  }

  /** Ends behind the write that is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#writing;
  }

  async #write(): Promise<void> {
    for (let count = 0; !this.#isOver; count++) {
      const calledMs = performance.now();
      try {
        const { term } = await this.#client.put('tried', String(count), { deadlineMs: DEADLINE_MS });
        const write = { calledMs, answeredMs: performance.now(), term };
        this.#longestMs = Math.max(this.#longestMs, write.answeredMs - calledMs);
        for (const look of this.#waiting) look(write);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        this.failures.push(error);
      }
    }
  }
}
