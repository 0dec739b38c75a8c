/** Listening through node:net, with TLS where it is asked for: who may come in, and what is counted. */

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

import type { Clock } from '@kayadb/codec';

import { Admission } from './admission.ts';
import { formatEndpoint, normaliseHost } from './endpoint.ts';
import { DEFAULT_LISTENER_LIMITS, type ListenerLimits } from './limits.ts';
import type { Connection, Endpoint, Listener, ListenerCounts, ListenOptions } from './network.ts';
import { openConnection, type OpenSocket } from './socket-stream.ts';
import { TlsAcceptor } from './tls/tls-acceptor.ts';
import { TransportError } from './transport-error.ts';

/** As `Network.listen`. */
export function listen(clock: Clock, options: ListenOptions): Promise<Listener> {
  const door = new Door(clock, options);
  // With TLS a socket becomes half-open only when its handshake is over: before that, who has ended can be let go at once.
  const server = createServer({ allowHalfOpen: options.tls === undefined, noDelay: true, pauseOnConnect: true });
  server.on('connection', (socket) => door.handleAccepted(socket));
  return new Promise((resolve, reject) => {
    const { host, port } = options;
    server.once('error', (cause) => {
      door.close();
      const message = `cannot listen on ${formatEndpoint({ host, port })}: ${cause.message}; choose another address or stop what uses it`;
      reject(new TransportError('KAYA_LISTEN_FAILED', message, { cause }));
    });
    server.listen({ host, port }, () => {
      // A connection that fails while being accepted is the other side's loss, not the listener's end.
      server.on('error', () => {});
      resolve(new NodeListener(server, door));
    });
  });
}

/** From an accepted socket to a connection. Invariant: a place is taken before TLS begins, and given back when TLS has failed or the connection is over. */
class Door {
  readonly #limits: ListenerLimits;
  readonly #admission: Admission;
  readonly #clock: Clock;
  readonly #onConnection: (connection: Connection) => void;
  readonly #tls: TlsAcceptor | undefined;

  constructor(clock: Clock, options: ListenOptions) {
    this.#limits = { ...DEFAULT_LISTENER_LIMITS, ...options.limits };
    this.#admission = new Admission(this.#limits);
    this.#clock = clock;
    this.#onConnection = options.onConnection;
    this.#tls =
      options.tls === undefined
        ? undefined
        : new TlsAcceptor({
            tls: options.tls,
            limits: this.#limits,
            clock,
            onSecure: (socket, remoteAddress, tls) => this.#handOut({ socket, remoteAddress, tls }),
            onFailed: (error, from) => {
              this.#admission.leave(from.host);
              options.onHandshakeFailed?.(error, from);
            },
          });
  }

  get counts(): ListenerCounts {
    return { ...this.#admission.counts, ...(this.#tls?.counts ?? { handshaking: 0, failedHandshakes: 0 }) };
  }

  handleAccepted(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    // Both are undefined when the other side is gone already.
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    const from: Endpoint = { host: normaliseHost(remoteAddress), port: remotePort };
    this.#tls?.makeRoom();
    if (!this.#admission.admit(from.host)) {
      socket.destroy();
      return;
    }
    if (this.#tls === undefined) this.#handOut({ socket, remoteAddress: from });
    else this.#tls.accept(socket, from);
  }

  #handOut(open: OpenSocket): void {
    const connection = openConnection(open, this.#limits, this.#clock);
    void connection.closed.then(() => this.#admission.leave(open.remoteAddress.host));
    this.#onConnection(connection);
  }

  close(): void {
    this.#tls?.close();
  }
}

class NodeListener implements Listener {
  readonly address: Endpoint;
  readonly #server: Server;
  readonly #door: Door;

  constructor(server: Server, door: Door) {
    const { address, port } = server.address() as AddressInfo;
    this.address = { host: address, port };
    this.#server = server;
    this.#door = door;
  }

  get counts(): ListenerCounts {
    return this.#door.counts;
  }

  close(): Promise<void> {
    // The port is free at once; the callback of close() would wait for every connection as well.
    if (this.#server.listening) this.#server.close();
    this.#door.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
