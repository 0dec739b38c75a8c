/** One attempt to reach a node: connect, greet, and hear what the policy makes of the answer. */

import { type Clock } from '@kayadb/codec';

import { formatEndpoint } from '../endpoint.ts';
import type { ConnectionLimits } from '../limits.ts';
import type { Connection, DialTls, Endpoint, Network } from '../network.ts';
import { TransportError } from '../transport-error.ts';
import { exchangeGreetings, greetingTo } from './exchange-greetings.ts';
import type { PeerStream } from './greeting-format.ts';
import { commonVersion, type Greeting } from './greeting.ts';
import type { PeerLinkLimits } from './peer-limits.ts';
import type { AnswerAdvice, PeerPolicy } from './peer-policy.ts';

export interface PeerDialOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly policy: PeerPolicy;
  /** Whom to reach, and for what. */
  readonly node: number;
  readonly stream: PeerStream;
  /** Who must answer, unless `expected` says otherwise, is the host that is dialed. */
  readonly tls?: DialTls | undefined;
}

/** A connection that is ready for frames, or why there is none and what to do then. */
export type PeerDialOutcome =
  | { readonly kind: 'up'; readonly connection: Connection; readonly answer: Greeting; readonly version: number }
  | {
      readonly kind: 'refused';
      readonly answer: Greeting;
      readonly advice: AnswerAdvice;
      readonly error: TransportError;
    }
  | { readonly kind: 'failed'; readonly error: TransportError };

/** Never rejects, except for faults of this program. What it does not hand out is over. */
export async function dialPeer(
  options: PeerDialOptions,
  address: Endpoint,
  limits: PeerLinkLimits,
  signal: AbortSignal,
): Promise<PeerDialOutcome> {
  const { network, clock, policy, node, stream, tls } = options;
  try {
    const connection = await network.dial({
      ...address,
      timeoutMs: limits.dialMs,
      signal,
      tls,
      limits: connectionLimits(limits),
    });
    const abort = (): void => connection.destroy();
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    const greeting = greetingTo(node, stream, policy);
    const answer = await exchangeGreetings(connection, greeting, { clock, timeoutMs: limits.greetingMs }).finally(() =>
      signal.removeEventListener('abort', abort),
    );
    const advice = policy.judgeAnswer(answer, node, connection);
    const version = commonVersion(greeting.versions, answer.versions);
    if (advice === 'proceed' && answer.verdict === 'accepted' && version !== undefined) {
      return { kind: 'up', connection, answer, version };
    }
    const error = refusal(answer, node, address);
    connection.destroy(error);
    return { kind: 'refused', answer, advice, error };
  } catch (error) {
    if (error instanceof TransportError) return { kind: 'failed', error };
    throw error;
  }
}

/** Little is handed to the connection at a time, so that urgent frames overtake what waits in front of it. */
function connectionLimits({ windowBytes }: PeerLinkLimits): Partial<ConnectionLimits> {
  return { resumeSendBytes: Math.floor(windowBytes / 2) };
}

function refusal({ sender, verdict, reason }: Greeting, node: number, address: Endpoint): TransportError {
  const who = `node ${node} at ${formatEndpoint(address)}`;
  const instead = sender === node ? '' : `; node ${sender} answered`;
  const why = reason === '' ? '' : `, ${reason}`;
  const what = verdict === 'accepted' ? 'is not whom this node may talk to' : `refused this node: ${verdict}${why}`;
  return new TransportError('KAYA_PEER_REFUSED', `${who} ${what}${instead}`);
}
