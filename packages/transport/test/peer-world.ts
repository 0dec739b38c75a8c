/** Nodes in one process that greet each other: a policy that says what it is told to, and an accepting node that writes down what comes. */

import { ByteWriter, decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { settle, VirtualClock } from '@kayadb/testkit';

import type { Listener, Network } from '../src/network.ts';
import type { PeerStream } from '../src/peer/greeting-format.ts';
import { encodeGreeting, type Greeting } from '../src/peer/greeting.ts';
import type { IncomingPeer } from '../src/peer/incoming-peer.ts';
import { PeerAcceptor, type PeerAcceptorOptions } from '../src/peer/peer-acceptor.ts';
import { PEER_LISTENER_LIMITS } from '../src/peer/peer-limits.ts';
import { PeerLink, type PeerLinkOptions } from '../src/peer/peer-link.ts';
import {
  type PeerJudgement,
  type PeerOrigin,
  type PeerPolicy,
  type PeerSelf,
  usualAdvice,
} from '../src/peer/peer-policy.ts';
import { MemoryNetwork, type MemoryNetworkOptions } from '../src/testing/memory-network.ts';

export const CLUSTER = '00112233445566778899aabbccddeeff';
export const PORT = 7481;
/** Of the accepting node. */
export const ACCEPTOR = 2;

export function selfOf(node: number): PeerSelf {
  return {
    versions: { lowest: 1, highest: 2 },
    cluster: CLUSTER,
    node,
    incarnation: 1000 + node,
    boot: 1,
    start: 7,
    lastIndex: 0,
    featureLevel: 1,
    nodeAddress: `node-${node}.example:7481`,
    clientAddress: '',
  };
}

/** Lets everybody in unless told otherwise. */
export class TestPolicy implements PeerPolicy {
  current: PeerSelf;
  judgement: PeerJudgement | Promise<PeerJudgement> = { verdict: 'accepted', reason: '' };
  readonly judged: Greeting[] = [];

  constructor(node: number) {
    this.current = selfOf(node);
  }

  self(): PeerSelf {
    return this.current;
  }

  incarnationOf(): number | undefined {
    return undefined;
  }

  judgeGreeting(greeting: Greeting, _origin: PeerOrigin): PeerJudgement | Promise<PeerJudgement> {
    this.judged.push(greeting);
    return this.judgement;
  }

  judgeAnswer({ verdict }: Greeting): ReturnType<PeerPolicy['judgeAnswer']> {
    return usualAdvice(verdict);
  }
}

export function frame(text: string): Uint8Array {
  const bytes = encodeUtf8(text);
  return new ByteWriter().u32(bytes.length).bytes(bytes).finish();
}

/** What node `sender` says when it dials the accepting node. */
export function greetingBytes(sender: number, changes: Partial<Greeting> = {}): Uint8Array {
  const { node: _, ...self } = selfOf(sender);
  const addressed = { stream: 'messages', verdict: 'accepted', sender, addressee: ACCEPTOR } as const;
  return encodeGreeting({ ...self, ...addressed, addresseeIncarnation: undefined, reason: '', ...changes });
}

export class PeerWorld implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly memory: MemoryNetwork;
  readonly policy = new TestPolicy(ACCEPTOR);
  /** What happened at the accepting node, in order. */
  readonly log: string[] = [];
  readonly peers: IncomingPeer[] = [];
  readonly links: PeerLink[] = [];
  readonly acceptor: PeerAcceptor;
  #listener: Listener | undefined;

  constructor(options: Partial<MemoryNetworkOptions> = {}, acceptor: Partial<PeerAcceptorOptions> = {}) {
    this.memory = new MemoryNetwork({ clock: this.clock, ...options });
    this.acceptor = new PeerAcceptor({
      clock: this.clock,
      policy: this.policy,
      onPeer: (peer) => {
        const name = `${peer.node}/${peer.stream}`;
        this.peers.push(peer);
        this.log.push(`${name} in`);
        return {
          handleFrame: (bytes) => void this.log.push(`${name} ${decodeUtf8(bytes)}`),
          handleClosed: (reason) => void this.log.push(`${name} out ${reason?.code}`),
        };
      },
      onTurnedAway: (error) => void this.log.push(`away ${error.code}`),
      ...acceptor,
    });
  }

  static async open(...options: ConstructorParameters<typeof PeerWorld>): Promise<PeerWorld> {
    const world = new PeerWorld(...options);
    await world.listen();
    return world;
  }

  async listen(port = PORT): Promise<void> {
    const onConnection = this.acceptor.accept.bind(this.acceptor);
    const limits = {
      ...PEER_LISTENER_LIMITS,
      firstByteMs: 0,
      maxConnections: 10_000,
      maxConnectionsPerAddress: 10_000,
    };
    this.#listener = await this.memory.listen({ host: '0.0.0.0', port, limits, onConnection });
  }

  async stopListening(): Promise<void> {
    await this.#listener?.close();
  }

  /** A link of `node` to the accepting node; its events are logged as `link ...`. */
  link(node: number, changes: Partial<PeerLinkOptions> = {}, stream: PeerStream = 'messages'): PeerLink {
    const name = `link ${node}`;
    const link = new PeerLink({
      network: this.networkOf(node),
      clock: this.clock,
      random: () => 1 - Number.EPSILON,
      policy: new TestPolicy(node),
      node: ACCEPTOR,
      stream,
      address: { host: 'node-2.example', port: PORT },
      events: {
        handleUp: ({ sender }, version) => void this.log.push(`${name} up with ${sender}, version ${version}`),
        handleDown: ({ code }) => void this.log.push(`${name} down ${code}`),
        handleFailed: ({ code }) => void this.log.push(`${name} failed ${code}`),
        handleStopped: ({ code }, { verdict }) => void this.log.push(`${name} stopped ${code} ${verdict}`),
      },
      ...changes,
    });
    this.links.push(link);
    return link;
  }

  networkOf(node: number): Network {
    return this.memory.from(`10.0.0.${node}`);
  }

  /** What was logged since the last call. */
  takeLog(): readonly string[] {
    return this.log.splice(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closing = this.links.map((link) => link.close());
    const closed = this.acceptor.close();
    await this.clock.advanceAsync(10_000);
    await Promise.all([...closing, closed]);
    await this.stopListening();
    await settle();
  }
}
