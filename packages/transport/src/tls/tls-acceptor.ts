/**
 * TLS handshakes of accepted sockets, each of which is in one of three places: waiting, handed out, or over.
 *
 * Bound: `maxHandshakes` at a time, `handshakeMs` each; whatever ends one frees its descriptor. A new identity counts from the next
 * handshake on.
 */

import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';

import type { Clock } from '@kayadb/codec';

import { formatEndpoint, normaliseHost } from '../endpoint.ts';
import type { ListenerLimits } from '../limits.ts';
import type { Endpoint, ListenTls } from '../network.ts';
import { TransportError } from '../transport-error.ts';
import { type ExpelReason, WaitingRoom } from '../waiting-room.ts';
import { type ConnectionTls, peerIdentityOf } from './peer-identity.ts';
import { DEFAULT_TLS_VERSION } from './secure-identity.ts';
import { authorizationFailure, handshakeError, untrustedError } from './tls-errors.ts';

export interface TlsAcceptorOptions {
  readonly tls: ListenTls;
  readonly limits: ListenerLimits;
  readonly clock: Clock;
  readonly onSecure: (socket: TLSSocket, from: Endpoint, tls: ConnectionTls) => void;
  /** One of the two comes for each socket, once. */
  readonly onFailed: (error: TransportError, from: Endpoint) => void;
}

interface Handshake {
  readonly raw: Socket;
  readonly from: Endpoint;
  readonly leave: () => void;
}

export class TlsAcceptor {
  readonly #options: TlsAcceptorOptions;
  readonly #server: Server;
  readonly #room: WaitingRoom;
  /** By the other side's address and port, which no two sockets of one listener share. */
  readonly #handshakes = new Map<string, Handshake>();
  readonly #unsubscribe: () => void;
  #failedHandshakes = 0;

  /** @throws TypeError when the identity lacks what its use needs. */
  constructor(options: TlsAcceptorOptions) {
    const { tls, limits, clock } = options;
    const { identity, minVersion = DEFAULT_TLS_VERSION, requiresPeerCertificate = false } = tls;
    if (identity.own === undefined) throw new TypeError('listening with TLS needs a certificate and its key');
    if (requiresPeerCertificate && identity.authorities === undefined) {
      throw new TypeError('asking the other side for a certificate needs the CA that signs such certificates');
    }
    this.#options = options;
    this.#room = new WaitingRoom({ clock, maxCount: limits.maxHandshakes, timeoutMs: limits.handshakeMs });
    this.#server = createServer({
      ...identity.contextOptions(minVersion),
      requestCert: requiresPeerCertificate,
      // Turned away in `handleSecure`, where the reason is known: Node would only say that the connection has ended.
      rejectUnauthorized: false,
    });
    this.#server.on('secureConnection', (socket) => this.#handleSecure(socket));
    this.#server.on('tlsClientError', (cause, socket) => this.#handleError(cause, socket));
    this.#unsubscribe = identity.onReplaced(() => this.#server.setSecureContext(identity.contextOptions(minVersion)));
  }

  get counts(): { readonly handshaking: number; readonly failedHandshakes: number } {
    return { handshaking: this.#room.count, failedHandshakes: this.#failedHandshakes };
  }

  /** Ends the oldest handshake when there are as many as there may be; called before the places of the door are counted. */
  makeRoom(): void {
    this.#room.makeRoom();
  }

  /** Owns `raw` until the handshake is over. Requires: called in the turn in which it was accepted. */
  accept(raw: Socket, from: Endpoint): void {
    const leave = this.#room.enter((reason) => this.#fail(from, expelled(reason, from, this.#options.limits)));
    const key = formatEndpoint(from);
    this.#handshakes.set(key, { raw, from, leave });
    raw.on('error', () => {});
    raw.on('close', () => {
      if (this.#handshakes.get(key)?.raw === raw) this.#fail(from, endedError(from));
    });
    this.#server.emit('connection', raw);
  }

  /** Ends the handshakes that are under way. */
  close(): void {
    this.#unsubscribe();
    for (const { from } of this.#handshakes.values()) {
      this.#fail(from, new TransportError('KAYA_CONNECTION_DESTROYED', 'the listener was closed'));
    }
  }

  #handleSecure(socket: TLSSocket): void {
    const from = endpointOf(socket);
    const refusal = this.#options.tls.requiresPeerCertificate === true ? refusalOf(socket, from) : undefined;
    if (refusal !== undefined && from !== undefined) this.#fail(from, refusal, socket);
    const handshake = this.#take(from);
    if (handshake === undefined) {
      socket.destroy();
      return;
    }
    socket.allowHalfOpen = true;
    const certificate = socket.getPeerX509Certificate();
    const peer = certificate === undefined ? undefined : peerIdentityOf(certificate);
    this.#options.onSecure(socket, handshake.from, { version: socket.getProtocol() ?? '', peer });
  }

  #handleError(cause: Error, socket: TLSSocket): void {
    const from = endpointOf(socket);
    if (from !== undefined) this.#fail(from, handshakeError(formatEndpoint(from), cause), socket);
  }

  /**
   * Does nothing for a handshake that is over.
   *
   * @param socket - In a callback of TLS, its socket: to destroy the one underneath from inside there crashes Node.
   */
  #fail(from: Endpoint, error: TransportError, socket?: TLSSocket): void {
    const handshake = this.#take(from);
    if (handshake === undefined) return;
    this.#failedHandshakes++;
    (socket ?? handshake.raw).destroy();
    this.#options.onFailed(error, from);
  }

  #take(from: Endpoint | undefined): Handshake | undefined {
    const key = from === undefined ? '' : formatEndpoint(from);
    const handshake = this.#handshakes.get(key);
    this.#handshakes.delete(key);
    handshake?.leave();
    return handshake;
  }
}

/** `undefined` when the other side is gone already; its 'close' says so too. */
function endpointOf({ remoteAddress, remotePort }: Socket): Endpoint | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return { host: normaliseHost(remoteAddress), port: remotePort };
}

/** Why a dialer that must show a certificate may not come in. */
function refusalOf(socket: TLSSocket, from: Endpoint | undefined): TransportError | undefined {
  const where = from === undefined ? 'the other side' : formatEndpoint(from);
  if (socket.getPeerX509Certificate() === undefined) return untrustedError(where, 'it showed no certificate');
  return socket.authorized ? undefined : handshakeError(where, authorizationFailure(socket));
}

function expelled(reason: ExpelReason, from: Endpoint, limits: ListenerLimits): TransportError {
  const where = formatEndpoint(from);
  if (reason === 'late') {
    const message = `${where} did not finish the TLS handshake within ${limits.handshakeMs} ms, the limit handshakeMs`;
    return new TransportError('KAYA_HANDSHAKE_TIMEOUT', message);
  }
  const message = `the TLS handshake with ${where} gave way to newer ones, beyond the limit maxHandshakes of ${limits.maxHandshakes}`;
  return new TransportError('KAYA_CROWDED_OUT', message);
}

function endedError(from: Endpoint): TransportError {
  const message = `${formatEndpoint(from)} ended the connection before the TLS handshake was finished`;
  return new TransportError('KAYA_TLS_HANDSHAKE', message);
}
