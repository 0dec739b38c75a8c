/**
 * Log lines for requests that failed inside the node: one for each, so that the id in a client's error can be found,
 * but the whole error with its causes and stacks only once a minute for each code. A full disk fails every write.
 */

import { type Clock, KayaError } from '@kayadb/codec';

import type { Logger } from '../logger.ts';

const WHOLE_ERROR_EVERY_MS = 60_000;

export interface FailureFields {
  readonly request: string;
  readonly address: string;
}

export class FailureLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  /** When each code was last written in full. Bound: the codes that errors have; everything else shares one entry. */
  readonly #writtenMs = new Map<string, number>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  write(error: unknown, fields: FailureFields): void {
    const code = error instanceof KayaError ? error.code : 'unexpected';
    const reason = error instanceof Error ? error.message : String(error);
    const whole = this.#isDue(code) ? { err: error } : { reason };
    this.#logger.error({ event: 'request.failed', ...fields, code, ...whole }, 'a request failed inside the node');
  }

  #isDue(code: string): boolean {
    const now = this.#clock.now();
    const last = this.#writtenMs.get(code);
    if (last !== undefined && now - last < WHOLE_ERROR_EVERY_MS) return false;
    this.#writtenMs.set(code, now);
    return true;
  }
}
