/**
 * Listening for HTTP, with TLS where it is asked for: for health, metrics and reports, which are small, few, and asked for by whoever can reach the port.
 *
 * Bound: connections in all, and how long each may take to ask and to be answered (http-limits.ts); those that ask nothing give way to new ones.
 */

import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

import type { Clock } from '@kayadb/codec';

import { formatEndpoint, normaliseHost } from '../endpoint.ts';
import type { Endpoint, ListenerCounts, ListenTls } from '../network.ts';
import { DEFAULT_TLS_VERSION } from '../tls/secure-identity.ts';
import { TransportError } from '../transport-error.ts';
import { WaitingRoom } from '../waiting-room.ts';
import { type HttpAnswer, type HttpHandler, textAnswer } from './http-exchange.ts';
import { findRefusal, type HostNames } from './http-guard.ts';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './http-limits.ts';
import { HttpVisit } from './http-visit.ts';

export interface ListenHttpOptions {
  readonly host: string;
  /** 0 lets the operating system choose. */
  readonly port: number;
  readonly clock: Clock;
  /** Without it, connections are in clear. */
  readonly tls?: ListenTls | undefined;
  readonly limits?: Partial<HttpLimits> | undefined;
  /** Names and addresses by which it may be asked, besides those of loopback and where a connection came in. Without ports. */
  readonly allowedHosts?: readonly string[] | undefined;
  readonly handler: HttpHandler;
  /** `handler` rejected. It must not throw. */
  readonly onFailed?: (error: unknown) => void;
}

export interface HttpListener extends AsyncDisposable {
  /** Where it listens, with the real port if 0 was asked for. */
  readonly address: Endpoint;
  readonly counts: Pick<ListenerCounts, 'open' | 'accepted' | 'refusedTotal'>;
  /** Accepts nothing more, ends who waits at once and answers what was asked, for `closeMs`. Idempotent. */
  close(): Promise<void>;
}

/**
 * @throws TransportError KAYA_LISTEN_FAILED, with the system's reason as `cause`.
 * @throws TypeError when the identity lacks what its use needs.
 */
export function listenHttp(options: ListenHttpOptions): Promise<HttpListener> {
  const door = new HttpDoor(options);
  return new Promise((resolve, reject) => {
    const { host, port } = options;
    const { server } = door;
    server.once('error', (cause) => {
      void door.close();
      const message = `cannot listen on ${formatEndpoint({ host, port })}: ${cause.message}; choose another address or stop what uses it`;
      reject(new TransportError('KAYA_LISTEN_FAILED', message, { cause }));
    });
    server.listen({ host, port }, () => {
      // A connection that fails while being accepted is the other side's loss, not the listener's end.
      server.on('error', () => {});
      const { address, port: realPort } = server.address() as AddressInfo;
      door.address = { host: address, port: realPort };
      resolve(door);
    });
  });
}

/** Of every answer: nothing is kept, nothing is guessed, and no page shows it as its own. */
const COMMON_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
} as const;

class HttpDoor implements HttpListener {
  readonly server: Server | SecureServer;
  address: Endpoint;
  readonly #options: ListenHttpOptions;
  readonly #limits: HttpLimits;
  readonly #allowed: ReadonlySet<string>;
  readonly #room: WaitingRoom;
  /** By the other side's address and port, which no two sockets of one listener share. */
  readonly #visits = new Map<string, HttpVisit>();
  readonly #unsubscribe: () => void;
  #accepted = 0;
  #refusedTotal = 0;
  #closing: Promise<void> | undefined;

  constructor(options: ListenHttpOptions) {
    const { clock, tls, allowedHosts = [] } = options;
    this.address = { host: options.host, port: options.port };
    this.#options = options;
    this.#limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
    this.#allowed = new Set(allowedHosts.map((name) => name.toLowerCase()));
    this.#room = new WaitingRoom({ clock, maxCount: this.#limits.maxWaiting, timeoutMs: this.#limits.requestMs });
    this.server = makeServer(tls, this.#limits);
    this.server.on('connection', (socket: Socket) => this.#handleAccepted(socket));
    this.server.on('secureConnection', (socket: Socket) => this.#visitOf(socket)?.secure(socket));
    // Requests that want to be asked on before they send a body have one.
    for (const event of ['request', 'checkContinue', 'checkExpectation']) {
      this.server.on(event, (request: IncomingMessage, response: ServerResponse) => {
        void this.#handleRequest(request, response);
      });
    }
    this.#unsubscribe = followIdentity(this.server, tls);
  }

  get counts(): HttpListener['counts'] {
    return { open: this.#visits.size, accepted: this.#accepted, refusedTotal: this.#refusedTotal };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#unsubscribe();
    if (!this.server.listening) return;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const visit of this.#visits.values()) if (!visit.isAnswering) visit.destroy();
    const timer = this.#options.clock.setTimer(this.#limits.closeMs, () => {
      for (const visit of this.#visits.values()) visit.destroy();
    });
    await closed;
    timer.cancel();
  }

  #handleAccepted(socket: Socket): void {
    const key = keyOf(socket);
    this.#room.makeRoom();
    if (key === undefined || this.#visits.size >= this.#limits.maxConnections) {
      this.#refusedTotal++;
      socket.destroy();
      return;
    }
    this.#accepted++;
    const { clock } = this.#options;
    const { answerMs } = this.#limits;
    const onOver = (): void => void this.#visits.delete(key);
    this.#visits.set(key, new HttpVisit(socket, { room: this.#room, clock, answerMs, onOver }));
  }

  async #handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const visit = this.#visitOf(request.socket);
    // Who asks on before the answer is there has more answers made for them than they take.
    if (visit === undefined || visit.isAnswering) {
      request.socket.destroy();
      return;
    }
    visit.beginAnswer();
    response.on('close', () => {
      visit.endAnswer();
      if (this.#closing !== undefined) visit.destroy();
    });
    const answer = await this.#answer(request);
    this.#send(answer, response);
  }

  async #answer(request: IncomingMessage): Promise<HttpAnswer> {
    const { socket, headers, method = '', url: target = '' } = request;
    const { host, origin, authorization } = headers;
    const hasBody = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
    const names: HostNames = { localAddress: normaliseHost(socket.localAddress ?? ''), allowed: this.#allowed };
    const refusal = findRefusal({ method, target, host, origin, hasBody }, names);
    if (refusal !== undefined) return { ...refusal, headers: { ...refusal.headers, connection: 'close' } };
    const at = target.indexOf('?');
    const path = at < 0 ? target : target.slice(0, at);
    const query = new URLSearchParams(at < 0 ? '' : target.slice(at + 1));
    const from: Endpoint = { host: normaliseHost(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
    try {
      return await this.#options.handler({ path, query, authorization, from });
    } catch (error) {
      this.#options.onFailed?.(error);
      return textAnswer(500, 'the request failed; the log says why');
    }
  }

  #send({ status, contentType, body, headers }: HttpAnswer, response: ServerResponse): void {
    const bytes = Buffer.from(body);
    const closing = this.#closing === undefined ? {} : { connection: 'close' };
    response.writeHead(status, {
      ...COMMON_HEADERS,
      ...headers,
      ...closing,
      'content-type': contentType,
      'content-length': bytes.length,
    });
    response.end(bytes);
  }

  #visitOf(socket: Socket): HttpVisit | undefined {
    const key = keyOf(socket);
    return key === undefined ? undefined : this.#visits.get(key);
  }
}

/** The time limits of Node are off: those of the visits bound everything that they would. */
function makeServer(tls: ListenTls | undefined, limits: HttpLimits): Server | SecureServer {
  const options: ServerOptions = {
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 0,
    maxHeaderSize: limits.maxHeaderBytes,
    noDelay: true,
  };
  const server = tls === undefined ? createServer(options) : makeSecureServer(options, tls);
  server.maxRequestsPerSocket = limits.maxRequests;
  return server;
}

function makeSecureServer(options: ServerOptions, tls: ListenTls): SecureServer {
  const { identity, minVersion = DEFAULT_TLS_VERSION, requiresPeerCertificate = false } = tls;
  if (identity.own === undefined) throw new TypeError('listening with TLS needs a certificate and its key');
  if (requiresPeerCertificate && identity.authorities === undefined) {
    throw new TypeError('asking the other side for a certificate needs the CA that signs such certificates');
  }
  return createSecureServer({
    ...options,
    ...identity.contextOptions(minVersion),
    requestCert: requiresPeerCertificate,
    rejectUnauthorized: requiresPeerCertificate,
    // Those of the visits bound handshakes too.
    handshakeTimeout: MAX_TIMER_MS,
  });
}

const MAX_TIMER_MS = 2_147_483_647;

function followIdentity(server: Server | SecureServer, tls: ListenTls | undefined): () => void {
  if (tls === undefined || !('setSecureContext' in server)) return () => {};
  const { identity, minVersion = DEFAULT_TLS_VERSION } = tls;
  return identity.onReplaced(() => server.setSecureContext(identity.contextOptions(minVersion)));
}

/** `undefined` when the other side is gone already. */
function keyOf({ remoteAddress, remotePort }: Socket): string | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return formatEndpoint({ host: remoteAddress, port: remotePort });
}
