/**
 * The first words on a connection: HELLO in version 1, and what the answer makes of it. Format: docs/format/wire-2.md, the first paragraph.
 *
 * Invariant: it ends once, and a connection whose greeting came to nothing is destroyed.
 */

import {
  type Clock,
  decodeResponse,
  encodeRequest,
  type FrameDecoder,
  PROTOCOL_VERSION_2,
  type SpokenVersion,
  versionBehindHello,
} from '@kayadb/codec';
import { type Connection, type DialOptions, formatEndpoint, type Network, TransportError } from '@kayadb/transport';

export interface GreetingWorld {
  readonly network: Network;
  readonly clock: Clock;
  /** Of the connection; what comes behind the answer stays in it. */
  readonly decoder: FrameDecoder;
}

export interface Greeting {
  readonly connection: Connection;
  readonly version: SpokenVersion;
  /** Who gets what comes from now on. */
  setReceiver(receiver: (chunk: Uint8Array) => void): void;
}

/**
 * @param options - `timeoutMs` is for the dial and the answer together.
 * @throws TransportError when nobody answers in time; DecodeError or ProtocolError for an answer that is none.
 */
export async function greet({ network, clock, decoder }: GreetingWorld, options: DialOptions): Promise<Greeting> {
  const endsAt = clock.now() + options.timeoutMs;
  const connection = await network.dial(options);
  const where = formatEndpoint(options);
  // Its first job is done with the first frame; then it is replaced.
  let receiver: ((chunk: Uint8Array) => void) | undefined;
  const answered = new Promise<SpokenVersion>((resolve, reject) => {
    receiver = (chunk): void => {
      try {
        decoder.push(chunk);
        const frame = decoder.next();
        if (frame !== undefined) resolve(versionBehindHello(PROTOCOL_VERSION_2, decodeResponse('hello', frame)));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const message = `${where} ended the connection without an answer to HELLO`;
    void connection.closed.then((reason) => reject(reason ?? new TransportError('KAYA_CONNECTION_LOST', message)));
  });
  const timer = clock.setTimer(Math.max(1, endsAt - clock.now()), () => {
    const message = `${where} did not answer HELLO within ${options.timeoutMs} ms`;
    connection.destroy(new TransportError('KAYA_DIAL_TIMEOUT', message));
  });
  const handleAbort = (): void => connection.destroy();
  options.signal?.addEventListener('abort', handleAbort);
  if (options.signal?.aborted === true) handleAbort();
  connection.onData((chunk) => receiver?.(chunk));
  connection.send(encodeRequest({ kind: 'hello', version: PROTOCOL_VERSION_2 }));
  try {
    const version = await answered;
    return {
      connection,
      version,
      setReceiver: (next) => {
        receiver = next;
      },
    };
  } catch (error) {
    connection.destroy();
    throw error;
  } finally {
    timer.cancel();
    options.signal?.removeEventListener('abort', handleAbort);
  }
}
