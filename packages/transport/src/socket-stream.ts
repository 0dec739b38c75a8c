/** A socket of node:net, or one of node:tls around it, as a ByteStream. */

import type { Socket } from 'node:net';

import type { Clock } from '@kayadb/codec';

import { BufferedConnection, type ByteStream, type StreamEvents } from './buffered-connection.ts';
import { formatEndpoint } from './endpoint.ts';
import type { ConnectionLimits } from './limits.ts';
import type { Connection, Endpoint } from './network.ts';
import type { ConnectionTls } from './tls/peer-identity.ts';
import { TransportError } from './transport-error.ts';

export interface OpenSocket {
  readonly socket: Socket;
  readonly remoteAddress: Endpoint;
  readonly tls?: ConnectionTls | undefined;
}

/** Requires: called in the turn in which the socket was connected, before it can report anything. */
export function openConnection(open: OpenSocket, limits: ConnectionLimits, clock: Clock): Connection {
  const stream = new SocketStream(open);
  const connection = new BufferedConnection(stream, limits, clock);
  stream.attach(connection);
  return connection;
}

class SocketStream implements ByteStream {
  readonly remoteAddress: Endpoint;
  readonly tls: ConnectionTls | undefined;
  readonly #socket: Socket;

  constructor({ socket, remoteAddress, tls }: OpenSocket) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress;
    this.tls = tls;
  }

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
