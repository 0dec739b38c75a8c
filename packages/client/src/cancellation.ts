/** The end of a call from outside: an aborted signal, or the client being closed. */

import type { Clock } from '@kayadb/codec';

import type { ClientError } from './client-error.ts';

export class Cancellation {
  readonly #listeners = new Set<() => void>();
  #error: ClientError | undefined;

  /** Why the call must end; `undefined` while it may go on. */
  get error(): ClientError | undefined {
    return this.#error;
  }

  /** The first reason counts. */
  cancel(error: ClientError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  /** Requires: not cancelled yet. @returns What takes the listener off again. */
  onCancel(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves or rejects with `promise`, or resolves at once when the call is cancelled. */
  async race(promise: Promise<void>): Promise<void> {
    if (this.#error !== undefined) return;
    await new Promise<void>((resolve, reject) => {
      const stop = this.onCancel(resolve);
      promise.finally(stop).then(resolve, reject);
    });
  }

  /** Resolves after `delayMs`, or at once when the call is cancelled. */
  async sleep(clock: Clock, delayMs: number): Promise<void> {
    if (this.#error !== undefined || delayMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(delayMs, () => {
        stop();
        resolve();
      });
      const stop = this.onCancel(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
