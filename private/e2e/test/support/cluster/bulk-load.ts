/** A client that writes as much as the cluster takes, in values that do not compress, each under a key of its own. */

import type { Client } from '@kayadb/client';
import { realTime, type SeededRandom } from '@kayadb/testkit';

/** Requests that are under way at any time. */
const CONCURRENCY = 16;
/** Values are parts of this: long enough that no block of a table has the same bytes twice. */
const POOL_BYTES = 1024 * 1024;
/** A prime, so that each part begins elsewhere. */
const POOL_STEP = 7919;

export interface BulkLoadOptions {
  readonly client: Client;
  readonly valueBytes: number;
  readonly random: SeededRandom;
}

export class BulkLoad implements AsyncDisposable {
  readonly failures: string[] = [];
  readonly #options: BulkLoadOptions;
  readonly #pool: Uint8Array;
  readonly #running: Promise<unknown>;
  readonly #waiting = new Set<() => void>();
  #nextKey = 0;
  #acknowledgedCount = 0;
  #isOver = false;

  /** Begins at once. Requires: whoever opened the client closes it, behind this. */
  constructor(options: BulkLoadOptions) {
    this.#options = options;
    this.#pool = options.random.bytes(POOL_BYTES + options.valueBytes);
    this.#running = Promise.all(Array.from({ length: CONCURRENCY }, () => this.#run()));
  }

  get acknowledgedCount(): number {
    return this.#acknowledgedCount;
  }

  /** Of values that were acknowledged. */
  get writtenBytes(): number {
    return this.#acknowledgedCount * this.#options.valueBytes;
  }

  /** Resolves when so many more bytes are acknowledged. */
  async takes(bytes: number): Promise<void> {
    const goal = this.writtenBytes + bytes;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.writtenBytes < goal) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  /** Bytes that are acknowledged in a second, over the next so many. */
  async measure(bytes: number): Promise<number> {
    const [before, fromMs] = [this.writtenBytes, realTime.now()];
    await this.takes(bytes);
    return this.rateSince(before, fromMs);
  }

  /** The same over the time since then. @param before - Of `writtenBytes`. */
  rateSince(before: number, fromMs: number): number {
    return ((this.writtenBytes - before) / (realTime.now() - fromMs)) * 1000;
  }

  /** Reads so many of the values, spread over all. @returns Keys of those that are not what was written. */
  async findDamaged(client: Client, samples: number): Promise<readonly string[]> {
    const damaged: string[] = [];
    const step = Math.ceil(this.#nextKey / samples);
    for (let count = 0; count < this.#nextKey; count += step) {
      const value = await client.get(`bulk/${count}`);
      if (value === undefined || Buffer.compare(value, this.#valueOf(count)) !== 0) damaged.push(`bulk/${count}`);
    }
    return damaged;
  }

  /** Ends behind what is under way. Idempotent. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const count = this.#nextKey++;
      try {
        await this.#options.client.put(`bulk/${count}`, this.#valueOf(count));
        this.#acknowledgedCount++;
        for (const look of this.#waiting) look();
      } catch (error) {
        this.failures.push(`bulk/${count}: ${String(error)}`);
      }
    }
  }

  #valueOf(count: number): Uint8Array {
    const from = (count * POOL_STEP) % POOL_BYTES;
    return this.#pool.subarray(from, from + this.#options.valueBytes);
  }
}
