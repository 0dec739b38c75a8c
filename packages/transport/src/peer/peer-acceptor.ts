/**
 * The accepting side of links between nodes: greetings, verdicts, and then whole frames for each node and stream.
 *
 * Invariant: at most one connection per node and stream is in force, the one accepted last; of a connection that was not accepted nothing
 * is read behind its greeting. Bound: `maxGreetings` connections without a verdict, each for `greetingMs` and the bytes of one greeting.
 * Format: docs/format/peer-handshake.md.
 */

import type { Clock } from '@kayadb/codec';

import { formatEndpoint } from '../endpoint.ts';
import type { Connection } from '../network.ts';
import { TransportError } from '../transport-error.ts';
import { type ExpelReason, WaitingRoom } from '../waiting-room.ts';
import type { PeerVerdict } from './greeting-format.ts';
import { commonVersion, encodeGreeting, type Greeting } from './greeting.ts';
import { IncomingPeer, type PeerReceiver } from './incoming-peer.ts';
import { DEFAULT_PEER_ACCEPTOR_LIMITS, type PeerAcceptorLimits } from './peer-limits.ts';
import type { PeerJudgement, PeerOrigin, PeerPolicy } from './peer-policy.ts';
import { readGreeting } from './read-greeting.ts';

export interface PeerAcceptorOptions {
  readonly clock: Clock;
  readonly policy: PeerPolicy;
  readonly limits?: Partial<PeerAcceptorLimits>;
  /**
   * A node was let in. The one before of the same node and stream has been told that it is over.
   *
   * @returns Who takes its frames. Nothing comes before this has returned.
   */
  readonly onPeer: (peer: IncomingPeer) => PeerReceiver;
  /** A connection came to nothing. `greeting` is there when it was read, `verdict` when it was judged. For logs and counters. */
  readonly onTurnedAway?: (
    error: TransportError,
    origin: PeerOrigin,
    greeting: Greeting | undefined,
    verdict: PeerVerdict | undefined,
  ) => void;
}

/** Verdicts about those who may be anybody. What lets a member show that it is one is not told to them. */
const TO_STRANGERS: ReadonlySet<PeerVerdict> = new Set<PeerVerdict>(['other-cluster', 'no-member', 'other-node']);
const HIDDEN = { cluster: undefined, incarnation: 1, boot: 1, start: 0, lastIndex: 0 } as const;

export class PeerAcceptor {
  readonly #options: PeerAcceptorOptions;
  readonly #limits: PeerAcceptorLimits;
  readonly #room: WaitingRoom;
  readonly #peers = new Map<string, IncomingPeer>();
  readonly #pending = new Set<Connection>();
  #isClosed = false;

  constructor(options: PeerAcceptorOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_PEER_ACCEPTOR_LIMITS, ...options.limits };
    const { maxGreetings, greetingMs } = this.#limits;
    this.#room = new WaitingRoom({ clock: options.clock, maxCount: maxGreetings, timeoutMs: greetingMs });
  }

  get counts(): { readonly greeting: number; readonly open: number } {
    return { greeting: this.#room.count, open: this.#peers.size };
  }

  /** Takes a connection over: what a listener for nodes has as its `onConnection`. */
  accept(connection: Connection): void {
    if (this.#isClosed) connection.destroy();
    else void this.#receive(connection);
  }

  /** Ends every connection, in order where the other side lets it. Idempotent. Bound: the listener's `closeMs`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#pending) connection.destroy();
    await Promise.all([...this.#peers.values()].map((peer) => peer.close()));
  }

  async #receive(connection: Connection): Promise<void> {
    const where = formatEndpoint(connection.remoteAddress);
    const leave = this.#room.enter((reason) => connection.destroy(this.#expelled(reason, where)));
    this.#pending.add(connection);
    const end = new DialerEnd(connection);
    const greeting = await readGreeting(connection, (read) => {
      assertGreets(read);
      end.hold();
    });
    const judgement = greeting === undefined ? undefined : await this.#judge(connection, greeting);
    this.#pending.delete(connection);
    leave();
    if (greeting !== undefined && judgement !== undefined && connection.isOpen) {
      const isIn = judgement.verdict === 'accepted' && !end.hasCome;
      if (isIn || judgement.verdict !== 'accepted') this.#answer(connection, greeting, judgement);
      end.release();
      if (isIn) return;
    }
    const reason = await connection.closed;
    const error = reason ?? turnedAway(where, greeting, judgement);
    this.#options.onTurnedAway?.(error, connection, greeting, judgement?.verdict);
  }

  /** What needs no policy: whether this node was meant, and whether the two can talk at all. */
  async #judge(connection: Connection, greeting: Greeting): Promise<PeerJudgement> {
    const { policy } = this.#options;
    const { node, versions } = policy.self();
    if (greeting.addressee !== node || greeting.sender === node) {
      return { verdict: 'other-node', reason: `this is node ${node}` };
    }
    if (commonVersion(versions, greeting.versions) === undefined) {
      const reason = `this node speaks versions ${versions.lowest} to ${versions.highest}`;
      return { verdict: 'no-common-version', reason };
    }
    return policy.judgeGreeting(greeting, connection);
  }

  #answer(connection: Connection, greeting: Greeting, { verdict, reason }: PeerJudgement): void {
    const { policy } = this.#options;
    const { node, ...self } = policy.self();
    const { stream, sender } = greeting;
    const addresseeIncarnation = verdict === 'accepted' ? policy.incarnationOf(sender) : undefined;
    const shown = TO_STRANGERS.has(verdict) ? { ...self, ...HIDDEN } : self;
    const answer = { ...shown, stream, verdict, sender: node, addressee: sender, addresseeIncarnation, reason };
    connection.send(encodeGreeting(answer));
    if (verdict === 'accepted') this.#admit(connection, greeting);
    else void connection.close();
  }

  #admit(connection: Connection, greeting: Greeting): void {
    const key = `${greeting.sender}/${greeting.stream}`;
    const before = this.#peers.get(key);
    const version = commonVersion(this.#options.policy.self().versions, greeting.versions) ?? 0;
    const { maxFrameBytes } = this.#limits;
    const peer = new IncomingPeer(connection, greeting, version, maxFrameBytes);
    this.#peers.set(key, peer);
    const where = formatEndpoint(connection.remoteAddress);
    before?.destroy(new TransportError('KAYA_PEER_REPLACED', `node ${greeting.sender} connected anew from ${where}`));
    peer.start(this.#options.onPeer(peer), () => {
      if (this.#peers.get(key) === peer) this.#peers.delete(key);
    });
  }

  #expelled(reason: ExpelReason, where: string): TransportError {
    const { greetingMs, maxGreetings } = this.#limits;
    return reason === 'late'
      ? new TransportError('KAYA_HANDSHAKE_TIMEOUT', `${where} did not finish its greeting within ${greetingMs} ms`)
      : new TransportError(
          'KAYA_CROWDED_OUT',
          `${where} gave way to newer connections, beyond maxGreetings of ${maxGreetings}`,
        );
  }
}

/** The end of what a dialer sends. Whoever has greeted and says no more is told why it is refused, though a verdict may take a while. */
class DialerEnd {
  readonly #connection: Connection;
  #isHeld = false;
  #hasCome = false;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.onEnd(() => {
      this.#hasCome = true;
      if (!this.#isHeld) void connection.close();
    });
  }

  get hasCome(): boolean {
    return this.#hasCome;
  }

  /** Until `release` the connection stays open behind it. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    if (this.#hasCome) void this.#connection.close();
  }
}

function turnedAway(
  where: string,
  greeting: Greeting | undefined,
  judgement: PeerJudgement | undefined,
): TransportError {
  const who = greeting === undefined ? where : `node ${greeting.sender} at ${where}`;
  const why =
    judgement === undefined ? 'left before it was let in' : `was refused: ${judgement.verdict}, ${judgement.reason}`;
  return new TransportError('KAYA_PEER_REFUSED', `${who} ${why}`);
}

/** A dialer's greeting means somebody, and gives no verdict. */
function assertGreets({ addressee, verdict }: Greeting): void {
  if (addressee !== undefined && verdict === 'accepted') return;
  throw new TransportError('KAYA_PEER_MALFORMED', 'an answer came where a greeting was expected');
}
