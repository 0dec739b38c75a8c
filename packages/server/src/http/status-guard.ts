/**
 * Who may see the status of a node over HTTP: who may on the clients' port, by the client token. Whoever guesses waits and is logged as there.
 */

import { type Clock, type Credential, encodeUtf8 } from '@kayadb/codec';
import { type HttpAnswer, type HttpRequest, textAnswer } from '@kayadb/transport';

import { authorize, Identifier } from '../access/authorize.ts';
import { FailedAttempts } from '../access/failed-attempts.ts';
import type { Logger } from '../logger.ts';
import { AccessDeniedError } from '../server-error.ts';

export interface StatusGuardOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly clientToken: string | undefined;
  /** Bound: addresses whose failed attempts are remembered. */
  readonly maxRememberedAddresses: number;
}

const BEARER = /^Bearer +(?<token>[\x21-\x7e]+) *$/iu;

export class StatusGuard {
  readonly #options: StatusGuardOptions;
  readonly #identifier: Identifier;
  readonly #attempts: FailedAttempts;

  constructor(options: StatusGuardOptions) {
    this.#options = options;
    this.#identifier = new Identifier(options);
    this.#attempts = new FailedAttempts(options.maxRememberedAddresses);
  }

  /** Of all addresses since the start. */
  get failedAttempts(): number {
    return this.#attempts.total;
  }

  /** @returns The answer in its place, when it may not be seen. */
  async refuse({ authorization, from }: HttpRequest): Promise<HttpAnswer | undefined> {
    try {
      authorize(this.#identifier.identify(credentialOf(authorization)), 'status');
      return undefined;
    } catch (error) {
      if (!(error instanceof AccessDeniedError)) throw error;
      await this.#slowDown(error, from.host);
      return textAnswer(401, error.message, { 'www-authenticate': 'Bearer realm="kayadb"' });
    }
  }

  /** The log line's fields are stable: programs that ban addresses read them. docs/reference/server.md, "Failed attempts". */
  #slowDown({ required, reason, message }: AccessDeniedError, address: string): Promise<void> {
    const { clock, logger } = this.#options;
    const { failures, delayMs } = this.#attempts.record(address, clock.now());
    logger.warn(
      { event: 'auth.failed', address, credential: required, reason, failures },
      `refused a request from ${address}: ${message}`,
    );
    return new Promise((resolve) => {
      clock.setTimer(delayMs, resolve);
    });
  }
}

function credentialOf(authorization: string | undefined): Credential | undefined {
  if (authorization === undefined) return undefined;
  const token = BEARER.exec(authorization)?.groups?.['token'] ?? '';
  return { kind: 'client', token: encodeUtf8(token) };
}
