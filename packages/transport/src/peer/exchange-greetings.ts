/**
 * The dialing side of the handshake: sends a greeting and reads the one that answers. What the answer means is for the policy.
 *
 * Invariant: when it resolves, the connection is paused and exactly the answer has been read from it; when it rejects, the connection is
 * over. Format: docs/format/peer-handshake.md.
 */

import type { Clock } from '@kayadb/codec';

import { formatEndpoint } from '../endpoint.ts';
import type { Connection } from '../network.ts';
import { TransportError } from '../transport-error.ts';
import type { PeerStream } from './greeting-format.ts';
import { commonVersion, encodeGreeting, type Greeting } from './greeting.ts';
import type { PeerPolicy } from './peer-policy.ts';
import { readGreeting } from './read-greeting.ts';

/** What this node says when it dials `node`. */
export function greetingTo(node: number, stream: PeerStream, policy: PeerPolicy): Greeting {
  const { node: sender, ...self } = policy.self();
  const addresseeIncarnation = policy.incarnationOf(node);
  return { ...self, stream, verdict: 'accepted', sender, addressee: node, addresseeIncarnation, reason: '' };
}

/** @throws TransportError KAYA_CONNECTION_LOST, KAYA_HANDSHAKE_TIMEOUT, KAYA_PEER_MALFORMED, or what the connection was destroyed with. */
export async function exchangeGreetings(
  connection: Connection,
  greeting: Greeting,
  limit: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<Greeting> {
  const where = formatEndpoint(connection.remoteAddress);
  const timer = limit.clock.setTimer(limit.timeoutMs, () => {
    const message = `${where} did not answer the greeting within ${limit.timeoutMs} ms; is a node listening there?`;
    connection.destroy(new TransportError('KAYA_HANDSHAKE_TIMEOUT', message));
  });
  connection.send(encodeGreeting(greeting));
  const answer = await readGreeting(connection, (read) => assertAnswers(read, greeting));
  timer.cancel();
  if (answer !== undefined && connection.isOpen) return answer;
  const cause = await connection.closed;
  if (cause !== undefined && cause.code !== 'KAYA_CONNECTION_LOST') throw cause;
  const why = cause === undefined ? 'it ended the connection' : cause.message;
  // In TLS 1.3 a dialer is done before the other side has looked at its certificate.
  const perhaps = connection.tls === undefined ? 'it may speak TLS only' : "it may not trust this node's certificate";
  const message = `${where} did not answer the greeting: ${why}; ${perhaps}, or be no node`;
  throw new TransportError('KAYA_CONNECTION_LOST', message, { cause });
}

/** An answer may come from another node than was meant, but then it must not accept. */
function assertAnswers(answer: Greeting, greeting: Greeting): void {
  const isForUs = answer.addressee === undefined || answer.addressee === greeting.sender;
  const isFromThem = answer.sender === greeting.addressee;
  const isSpoken = commonVersion(answer.versions, greeting.versions) !== undefined;
  const mayAccept = isFromThem && isSpoken;
  if (answer.stream === greeting.stream && isForUs && (answer.verdict !== 'accepted' || mayAccept)) return;
  throw new TransportError('KAYA_PEER_MALFORMED', `node ${answer.sender} gave an answer to another greeting`);
}
