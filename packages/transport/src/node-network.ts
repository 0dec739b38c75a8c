/** TCP through node:net: the one place that touches sockets. */

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

import type { Clock } from '@kayadb/codec';

import { Admission } from './admission.ts';
import { BufferedConnection, type ByteStream, type StreamEvents } from './buffered-connection.ts';
import { formatEndpoint, normaliseHost } from './endpoint.ts';
import { type ConnectionLimits, DEFAULT_DIAL_LIMITS, DEFAULT_LISTENER_LIMITS } from './limits.ts';
import type { Connection, DialOptions, Endpoint, Listener, ListenerCounts, ListenOptions, Network } from './network.ts';
import { TransportError } from './transport-error.ts';

/** TCP. `clock` drives every time limit; `noDelay` is on, because `send` joins small writes itself. */
export function nodeNetwork(options: { readonly clock: Clock }): Network {
  return {
    listen: (listenOptions) => listen(options.clock, listenOptions),
    dial: (dialOptions) => dial(options.clock, dialOptions),
  };
}

class SocketStream implements ByteStream {
  readonly remoteAddress: Endpoint;
  readonly #socket: Socket;

  constructor(socket: Socket, remoteAddress: Endpoint) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress;
  }

  /** Requires: called in the turn in which the socket was connected, before it can report anything. */
  attach(events: StreamEvents): void {
    let failure: TransportError | undefined;
    // Plain byte arrays: `slice()` of a Buffer is a view, where everyone above expects a copy.
    this.#socket.on('data', ({ buffer, byteOffset, length }: Buffer) =>
      events.handleData(new Uint8Array(buffer, byteOffset, length)),
    );
    // Adding a data listener makes a stream flow; a connection starts paused.
    this.#socket.pause();
    this.#socket.on('end', () => events.handleEnd());
    this.#socket.on('error', (cause) => {
      const message = `the connection with ${formatEndpoint(this.remoteAddress)} broke: ${cause.message}`;
      failure = new TransportError('KAYA_CONNECTION_LOST', message, { cause });
    });
    this.#socket.on('close', () => events.handleClosed(failure));
  }

  write(bytes: Uint8Array, onWritten: () => void): void {
    // A failed write also reports 'error' and 'close', which end the connection.
    this.#socket.write(bytes, (error) => {
      if (error === null || error === undefined) onWritten();
    });
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  afterTurn(callback: () => void): void {
    setImmediate(callback);
  }
}

function open(socket: Socket, remoteAddress: Endpoint, limits: ConnectionLimits, clock: Clock): Connection {
  const stream = new SocketStream(socket, remoteAddress);
  const connection = new BufferedConnection(stream, limits, clock);
  stream.attach(connection);
  return connection;
}

class NodeListener implements Listener {
  readonly address: Endpoint;
  readonly #server: Server;
  readonly #admission: Admission;

  constructor(server: Server, admission: Admission) {
    const { address, port } = server.address() as AddressInfo;
    this.address = { host: address, port };
    this.#server = server;
    this.#admission = admission;
  }

  get counts(): ListenerCounts {
    return this.#admission.counts;
  }

  close(): Promise<void> {
    // The port is free at once; the callback of close() would wait for every connection as well.
    if (this.#server.listening) this.#server.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function listen(clock: Clock, options: ListenOptions): Promise<Listener> {
  const limits = { ...DEFAULT_LISTENER_LIMITS, ...options.limits };
  const admission = new Admission(limits);
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
  server.on('connection', (socket) => handleAccepted(socket, admission, limits, clock, options.onConnection));
  return new Promise((resolve, reject) => {
    const { host, port } = options;
    server.once('error', (cause) => {
      const message = `cannot listen on ${formatEndpoint({ host, port })}: ${cause.message}; choose another address or stop what uses it`;
      reject(new TransportError('KAYA_LISTEN_FAILED', message, { cause }));
    });
    server.listen({ host, port }, () => {
      // A connection that fails while being accepted is the other side's loss, not the listener's end.
      server.on('error', () => {});
      resolve(new NodeListener(server, admission));
    });
  });
}

function handleAccepted(
  socket: Socket,
  admission: Admission,
  limits: ConnectionLimits,
  clock: Clock,
  onConnection: (connection: Connection) => void,
): void {
  const { remoteAddress, remotePort } = socket;
  // Both are undefined when the other side is gone already.
  if (remoteAddress === undefined || remotePort === undefined) {
    socket.destroy();
    return;
  }
  const host = normaliseHost(remoteAddress);
  if (!admission.admit(host)) {
    socket.destroy();
    return;
  }
  const connection = open(socket, { host, port: remotePort }, limits, clock);
  void connection.closed.then(() => admission.leave(host));
  onConnection(connection);
}

function dial(clock: Clock, options: DialOptions): Promise<Connection> {
  const { host, port, timeoutMs, signal } = options;
  const where = formatEndpoint({ host, port });
  if (signal?.aborted === true) return Promise.reject(aborted(where, signal));
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    socket.pause();
    const fail = (error: TransportError): void => {
      cleanUp();
      // Late failures of a socket that was given up concern nobody.
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const handleAbort = (): void => fail(aborted(where, signal));
    const handleError = (cause: Error): void =>
      fail(new TransportError('KAYA_DIAL_FAILED', `cannot connect to ${where}: ${describe(cause)}`, { cause }));
    const handleConnect = (): void => {
      cleanUp();
      const remoteAddress = { host: normaliseHost(socket.remoteAddress ?? host), port: socket.remotePort ?? port };
      resolve(open(socket, remoteAddress, { ...DEFAULT_DIAL_LIMITS, ...options.limits }, clock));
    };
    const timer = clock.setTimer(timeoutMs, () =>
      fail(new TransportError('KAYA_DIAL_TIMEOUT', `${where} did not accept a connection within ${timeoutMs} ms`)),
    );
    const cleanUp = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', handleAbort);
      socket.off('error', handleError);
      socket.off('connect', handleConnect);
    };
    signal?.addEventListener('abort', handleAbort);
    socket.on('error', handleError);
    socket.on('connect', handleConnect);
  });
}

function aborted(where: string, signal: AbortSignal | undefined): TransportError {
  return new TransportError('KAYA_DIAL_ABORTED', `connecting to ${where} was aborted`, { cause: signal?.reason });
}

/** A name with several addresses fails with an AggregateError, whose own message is empty. */
function describe(cause: Error): string {
  if (cause.message !== '' || !(cause instanceof AggregateError)) return cause.message;
  return cause.errors.map((each) => (each instanceof Error ? each.message : String(each))).join('; ');
}
