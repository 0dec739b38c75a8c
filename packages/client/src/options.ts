/** What `connect` takes, checked once and completed with defaults. */

import { type Clock, copyBytes, MAX_TOKEN_BYTES, toBytes } from '@kayadb/codec';
import { type DialTls, type Endpoint, type Network, nodeNetwork, parseEndpoint } from '@kayadb/transport';

import type { ClientEvent } from './client-event.ts';
import {
  DEFAULT_ATTEMPTS,
  DEFAULT_BACKOFF_BASE_MS,
  DEFAULT_BACKOFF_CAP_MS,
  DEFAULT_BACKOFF_CAP_MS_2,
  DEFAULT_CONNECTIONS_PER_ENDPOINT,
  DEFAULT_DEADLINE_MS,
  DEFAULT_IN_FLIGHT_BYTES,
  DEFAULT_IN_FLIGHT_REQUESTS,
  DEFAULT_PENDING_REQUESTS,
  DEFAULT_REDIRECTS,
  DEFAULT_TIMEOUT_MS,
} from './limits.ts';
import type { RetryPolicy } from './protocol-1/retry.ts';
import { systemClock, systemRandom } from './system-clock.ts';

/** All defaults are in `limits.ts`. */
export interface ClientOptions {
  /** Which version to speak. Default: 2 with a cluster that knows it, 1 with one that does not, as the first connection finds. */
  readonly protocol?: 1 | 2 | undefined;
  /** Without it, everything crosses the network in clear, tokens too. Who answers must be the host that is dialed, unless it says otherwise. */
  readonly tls?: DialTls | undefined;
  /** For what is neither about members nor health. */
  readonly clientToken?: Uint8Array | string | undefined;
  /** For changes of the membership. */
  readonly operatorToken?: Uint8Array | string | undefined;
  /** How long one try may take; each call may set its own. */
  readonly timeoutMs?: number | undefined;
  /** How long a call may take with all its tries, unless it says otherwise. Version 2 only. */
  readonly deadlineMs?: number | undefined;
  /** Attempts and redirects have bounds of their own in version 1 only, unless they are given here: in version 2 the deadline ends a call. */
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** How long the cluster remembers the writes of a client that fell silent. Default: the cluster's, one hour. */
  readonly sessionExpiryMs?: number | undefined;
  /** Told of what happens between calls. It must not throw. */
  readonly onEvent?: ((event: ClientEvent) => void) | undefined;
  readonly connectionsPerEndpoint?: number | undefined;
  /** Requests sent and not answered, per connection. */
  readonly maxInFlightRequests?: number | undefined;
  /** Bytes of those requests; a larger request goes alone. */
  readonly maxInFlightBytes?: number | undefined;
  /** Calls that have not returned, of the whole client. */
  readonly maxPendingRequests?: number | undefined;
  /** Default: TCP. */
  readonly network?: Network | undefined;
  /** Default: the clock of the process. */
  readonly clock?: Clock | undefined;
  /** Uniform in [0, 1), for jitter. Default: Math.random. */
  readonly random?: (() => number) | undefined;
}

/** Options as the client works with them. */
export interface ClientSettings {
  readonly endpoints: readonly Endpoint[];
  readonly clientToken: Uint8Array | undefined;
  readonly operatorToken: Uint8Array | undefined;
  readonly timeoutMs: number;
  readonly deadlineMs: number;
  readonly retry: RetryPolicy;
  /** That of version 2: its attempts and redirects are without a bound, unless they were given. */
  readonly retry2: RetryPolicy;
  /** 0: the cluster's choice. */
  readonly sessionExpiryMs: number;
  readonly onEvent: (event: ClientEvent) => void;
  readonly protocol: 1 | 2 | undefined;
  readonly tls: DialTls | undefined;
  readonly connectionsPerEndpoint: number;
  readonly maxInFlightRequests: number;
  readonly maxInFlightBytes: number;
  readonly maxPendingRequests: number;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: () => number;
}

/** @throws TypeError for an endpoint that is not `host:port`; RangeError for a number out of bounds. */
export function resolveOptions(endpoints: string | readonly string[], options: ClientOptions): ClientSettings {
  const list = typeof endpoints === 'string' ? [endpoints] : endpoints;
  if (list.length === 0) throw new TypeError('connect needs at least one endpoint, such as 127.0.0.1:7379');
  const clock = options.clock ?? systemClock();
  const retry: RetryPolicy = {
    attempts: positive('retry.attempts', options.retry?.attempts, DEFAULT_ATTEMPTS),
    backoffBaseMs: notNegative('retry.backoffBaseMs', options.retry?.backoffBaseMs, DEFAULT_BACKOFF_BASE_MS),
    backoffCapMs: notNegative('retry.backoffCapMs', options.retry?.backoffCapMs, DEFAULT_BACKOFF_CAP_MS),
    redirects: notNegative('retry.redirects', options.retry?.redirects, DEFAULT_REDIRECTS),
  };
  return {
    protocol: options.protocol,
    tls: options.tls,
    deadlineMs: positive('deadlineMs', options.deadlineMs, DEFAULT_DEADLINE_MS),
    retry2: {
      attempts: options.retry?.attempts ?? Infinity,
      backoffBaseMs: retry.backoffBaseMs,
      backoffCapMs: options.retry?.backoffCapMs ?? DEFAULT_BACKOFF_CAP_MS_2,
      redirects: options.retry?.redirects ?? Infinity,
    },
    sessionExpiryMs: wholeMs('sessionExpiryMs', options.sessionExpiryMs),
    onEvent: options.onEvent ?? ((): void => {}),
    endpoints: list.map(toEndpoint),
    clientToken: toToken('clientToken', options.clientToken),
    operatorToken: toToken('operatorToken', options.operatorToken),
    timeoutMs: positive('timeoutMs', options.timeoutMs, DEFAULT_TIMEOUT_MS),
    retry,
    connectionsPerEndpoint: positive(
      'connectionsPerEndpoint',
      options.connectionsPerEndpoint,
      DEFAULT_CONNECTIONS_PER_ENDPOINT,
    ),
    maxInFlightRequests: positive('maxInFlightRequests', options.maxInFlightRequests, DEFAULT_IN_FLIGHT_REQUESTS),
    maxInFlightBytes: positive('maxInFlightBytes', options.maxInFlightBytes, DEFAULT_IN_FLIGHT_BYTES),
    maxPendingRequests: positive('maxPendingRequests', options.maxPendingRequests, DEFAULT_PENDING_REQUESTS),
    network: options.network ?? nodeNetwork({ clock }),
    clock,
    random: options.random ?? systemRandom,
  };
}

/** @throws RangeError unless `value` is a number above 0. */
export function positive(name: string, value: number | undefined, fallback: number): number {
  const chosen = value ?? fallback;
  if (!(chosen > 0)) throw new RangeError(`${name} must be a number above 0, got ${chosen}`);
  return chosen;
}

function notNegative(name: string, value: number | undefined, fallback: number): number {
  const chosen = value ?? fallback;
  if (!(chosen >= 0)) throw new RangeError(`${name} must be a number from 0, got ${chosen}`);
  return chosen;
}

/** 0 when it is left out. */
function wholeMs(name: string, value: number | undefined): number {
  if (value === undefined) return 0;
  if (!Number.isSafeInteger(value) || value < 1)
    throw new RangeError(`${name} must be a whole number from 1, got ${value}`);
  return value;
}

function toEndpoint(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined) throw new TypeError(`an endpoint is host:port, such as 127.0.0.1:7379, got "${text}"`);
  return endpoint;
}

/** The token itself never appears in a message. */
function toToken(name: string, token: Uint8Array | string | undefined): Uint8Array | undefined {
  if (token === undefined) return undefined;
  const bytes = copyBytes(toBytes(token));
  if (bytes.length > MAX_TOKEN_BYTES) {
    throw new RangeError(`${name} has at most ${MAX_TOKEN_BYTES} bytes, this one ${bytes.length}`);
  }
  return bytes;
}
