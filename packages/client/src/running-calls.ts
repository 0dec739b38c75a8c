/**
 * The calls of a client that have not returned: each may be ended by its signal, its deadline, or the client's end.
 *
 * Bound: `maxPendingRequests`.
 */

import type { Clock } from '@kayadb/codec';

import { Cancellation } from './cancellation.ts';
import { ClientError } from './client-error.ts';
import type { CallOptions } from './client.ts';
import { positive } from './options.ts';
import { SharedSignals } from './shared-signals.ts';

export interface CallDefaults {
  readonly clock: Clock;
  readonly deadlineMs: number;
}

export class RunningCalls {
  readonly #most: number;
  readonly #running = new Set<Cancellation>();
  readonly #signals = new SharedSignals();
  #isClosed = false;

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * @param order - `last`: a client that is closed may make it too, however many calls have not returned.
   * @throws ClientError KAYA_CLIENT_CLOSED, KAYA_ABORTED, KAYA_TOO_MANY_REQUESTS.
   */
  async run<Result>(
    options: CallOptions,
    defaults: CallDefaults,
    work: (cancellation: Cancellation) => Promise<Result>,
    order: 'usual' | 'last' = 'usual',
  ): Promise<Result> {
    const { signal } = options;
    const deadlineMs = positive('deadlineMs', options.deadlineMs, defaults.deadlineMs);
    if (this.#isClosed && order === 'usual') throw closedError();
    if (signal?.aborted === true) throw abortedError(signal);
    if (this.#running.size >= this.#most && order === 'usual') {
      const message = `${this.#most} calls have not returned yet, the limit maxPendingRequests; await some first`;
      throw new ClientError('KAYA_TOO_MANY_REQUESTS', message);
    }
    const cancellation = new Cancellation();
    const timer = Number.isFinite(deadlineMs)
      ? defaults.clock.setTimer(deadlineMs, () => cancellation.cancel(timedOut(deadlineMs)))
      : undefined;
    const stop = signal && this.#signals.listen(signal, () => cancellation.cancel(abortedError(signal)));
    this.#running.add(cancellation);
    try {
      return await work(cancellation);
    } finally {
      this.#running.delete(cancellation);
      timer?.cancel();
      stop?.();
    }
  }

  /** Ends what runs, and takes nothing more. */
  close(): void {
    this.#isClosed = true;
    for (const cancellation of this.#running) cancellation.cancel(closedError());
  }
}

function timedOut(deadlineMs: number): ClientError {
  return new ClientError('KAYA_TIMEOUT', `the call was not done within its deadline of ${deadlineMs} ms`);
}

function abortedError(signal: AbortSignal | undefined): ClientError {
  return new ClientError('KAYA_ABORTED', 'the call was aborted by its signal', { cause: signal?.reason });
}

function closedError(): ClientError {
  return new ClientError('KAYA_CLIENT_CLOSED', 'the client was closed; make a new one with connect()');
}
