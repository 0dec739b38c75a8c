/**
 * Clients that write and read while something is done to their cluster: each writes keys of its own, one behind the other, and reads some of them back. With the client's own retries no
 * request may fail, and none may be answered with less than what was acknowledged.
 */

import type { Client } from '@kayadb/client';
import { realTime } from '@kayadb/testkit';

/** Between two requests of a client, so that the load is steady and no competition for the machine. */
const THINK_MS = 5;
/** One read for so many writes. */
const WRITES_PER_READ = 4;

export interface SteadyLoadOptions {
  readonly clients: readonly Client[];
  /** Bytes of each value, at least. Default 0. */
  readonly valueBytes?: number;
}

export class SteadyLoad implements AsyncDisposable {
  /** What was answered with an error, or with less than what was acknowledged. */
  readonly failures: string[] = [];
  /** Values that were acknowledged, by key. */
  readonly acknowledged = new Map<string, string>();
  readonly #options: SteadyLoadOptions;
  readonly #running: Promise<unknown>;
  readonly #waiting = new Set<() => void>();
  #isOver = false;

  /** Begins at once. Requires: whoever opened the clients closes them, behind this. */
  constructor(options: SteadyLoadOptions) {
    this.#options = options;
    this.#running = Promise.all(options.clients.map((client, at) => this.#run(client, at)));
  }

  /** Resolves when so many more writes are acknowledged: the cluster takes writes as it is now. Never with a cluster that takes none. */
  async takes(count: number): Promise<void> {
    const goal = this.acknowledged.size + count;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.acknowledged.size < goal) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  /** Ends behind what is under way. Idempotent. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(client: Client, at: number): Promise<void> {
    for (let count = 0; !this.#isOver; count++) {
      const key = `load/${at}/${count}`;
      try {
        await this.#write(client, key, `${count}${'.'.repeat(this.#options.valueBytes ?? 0)}`);
        if (count % WRITES_PER_READ === 0) await this.#read(client, key);
      } catch (error) {
        this.failures.push(`${key}: ${String(error)}`);
      }
      await pause();
    }
  }

  async #write(client: Client, key: string, value: string): Promise<void> {
    await client.put(key, value);
    this.acknowledged.set(key, value);
    for (const look of this.#waiting) look();
  }

  async #read(client: Client, key: string): Promise<void> {
    const value = await client.get(key);
    const text = value === undefined ? undefined : Buffer.from(value).toString();
    if (text !== this.acknowledged.get(key)) this.failures.push(`${key} was read as ${text?.slice(0, 20)}`);
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => void realTime.setTimer(THINK_MS, resolve));
}
