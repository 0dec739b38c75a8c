/**
 * The dialing side of the handshake: sends a greeting and reads the one that answers. What the answer means is for the policy.
 *
 * Invariant: when it resolves, the connection is open and paused, and exactly the answer has been read from it; when it rejects, the
 * connection is over. Format: docs/format/peer-handshake.md.
 */

import { type Clock, KayaError } from '@kayadb/codec';

import { formatEndpoint } from '../endpoint.ts';
import type { Connection } from '../network.ts';
import { TransportError } from '../transport-error.ts';
import type { PeerStream } from './greeting-format.ts';
import { GreetingReader } from './greeting-reader.ts';
import { commonVersion, encodeGreeting, type Greeting } from './greeting.ts';
import type { PeerPolicy } from './peer-policy.ts';

/** What this node says when it dials `node`. */
export function greetingTo(node: number, stream: PeerStream, policy: PeerPolicy): Greeting {
  const { node: sender, ...self } = policy.self();
  const addresseeIncarnation = policy.incarnationOf(node);
  return { ...self, stream, verdict: 'accepted', sender, addressee: node, addresseeIncarnation, reason: '' };
}

/** @throws TransportError KAYA_CONNECTION_LOST, KAYA_HANDSHAKE_TIMEOUT or KAYA_PEER_MALFORMED. */
export function exchangeGreetings(
  connection: Connection,
  greeting: Greeting,
  limit: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<Greeting> {
  const where = formatEndpoint(connection.remoteAddress);
  return new Promise((resolve, reject) => {
    const reader = new GreetingReader();
    let isOver = false;
    const timer = limit.clock.setTimer(limit.timeoutMs, () => {
      const message = `${where} did not answer the greeting within ${limit.timeoutMs} ms; is a node listening there?`;
      fail(new TransportError('KAYA_HANDSHAKE_TIMEOUT', message));
    });
    const fail = (error: TransportError): void => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      connection.destroy(error);
      reject(error);
    };
    connection.onData((chunk) => {
      if (isOver) return;
      try {
        const answer = reader.push(chunk);
        if (answer === undefined) return;
        assertAnswers(answer, greeting);
        isOver = true;
        timer.cancel();
        connection.pause();
        resolve(answer);
      } catch (cause) {
        fail(malformed(where, cause));
      }
    });
    void connection.closed.then((cause) => {
      const why = cause === undefined ? 'ended the connection' : cause.message;
      const message = `${where} did not answer the greeting: ${why}; it may speak TLS only, or be no node`;
      fail(new TransportError('KAYA_CONNECTION_LOST', message, { cause }));
    });
    connection.send(encodeGreeting(greeting));
  });
}

/** What came from `where` cannot be read. Anything but a KayaError is a fault of this program and is thrown on. */
export function malformed(where: string, cause: unknown): TransportError {
  if (!(cause instanceof KayaError)) throw cause;
  if (cause instanceof TransportError) return cause;
  const message = `${where} does not speak the protocol between nodes: ${cause.message}`;
  return new TransportError('KAYA_PEER_MALFORMED', message, { cause });
}

/** An answer may come from another node than was meant, but then it must not accept. */
function assertAnswers(answer: Greeting, greeting: Greeting): void {
  const isForUs = answer.addressee === undefined || answer.addressee === greeting.sender;
  const isFromThem =
    answer.sender === greeting.addressee && commonVersion(answer.versions, greeting.versions) !== undefined;
  if (answer.stream === greeting.stream && isForUs && (answer.verdict !== 'accepted' || isFromThem)) return;
  throw new TransportError('KAYA_PEER_MALFORMED', `node ${answer.sender} gave an answer to another greeting`);
}
