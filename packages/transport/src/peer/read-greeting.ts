/** Reads the one greeting that comes on a connection, for both sides. Format: docs/format/peer-handshake.md. */

import { KayaError } from '@kayadb/codec';

import { formatEndpoint } from '../endpoint.ts';
import type { Connection } from '../network.ts';
import { TransportError } from '../transport-error.ts';
import { GreetingReader } from './greeting-reader.ts';
import type { Greeting } from './greeting.ts';

/**
 * What cannot be read, and what `check` refuses by throwing a KayaError, ends the connection with KAYA_PEER_MALFORMED.
 *
 * @returns The greeting, with the connection paused behind it; `undefined` when the connection is over. Never rejects.
 */
export function readGreeting(
  connection: Connection,
  check: (greeting: Greeting) => void,
): Promise<Greeting | undefined> {
  return new Promise((resolve) => {
    const reader = new GreetingReader();
    connection.onData((chunk) => {
      try {
        const greeting = reader.push(chunk);
        if (greeting === undefined) return;
        check(greeting);
        connection.pause();
        resolve(greeting);
      } catch (cause) {
        connection.destroy(malformed(connection, cause));
      }
    });
    void connection.closed.then(() => resolve(undefined));
  });
}

/** What came on a connection is not what should. Anything but a KayaError is a fault of this program and is thrown on. */
export function malformed(connection: Connection, cause: unknown): TransportError {
  if (!(cause instanceof KayaError)) throw cause;
  if (cause instanceof TransportError) return cause;
  const where = formatEndpoint(connection.remoteAddress);
  const message = `${where} does not speak the protocol between nodes: ${cause.message}`;
  return new TransportError('KAYA_PEER_MALFORMED', message, { cause });
}
