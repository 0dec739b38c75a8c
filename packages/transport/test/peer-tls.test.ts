/** Links between nodes over real sockets and TLS: a node must be the one its certificate says. */

import { decodeUtf8 } from '@kayadb/codec';
import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { Listener } from '../src/network.ts';
import { nodeNetwork } from '../src/node-network.ts';
import type { Greeting } from '../src/peer/greeting.ts';
import { PeerAcceptor } from '../src/peer/peer-acceptor.ts';
import { PEER_LISTENER_LIMITS } from '../src/peer/peer-limits.ts';
import { PeerLink } from '../src/peer/peer-link.ts';
import type { PeerJudgement, PeerOrigin } from '../src/peer/peer-policy.ts';
import { makeTestCertificate, type TestCertificate } from '../src/testing/test-certificates.ts';
import { matchesIdentity } from '../src/tls/peer-identity.ts';
import { SecureIdentity } from '../src/tls/secure-identity.ts';
import { ACCEPTOR, frame, TestPolicy } from './peer-world.ts';

const NOW_MS = Date.UTC(2026, 0);
const ca = makeTestCertificate({ subject: 'ca', isAuthority: true });
const certificates = [1, 2, 3].map((node) =>
  makeTestCertificate({ subject: `node-${node}`, names: [`node-${node}.example`], issuer: ca }),
);

function identityOf({ certificate, key }: TestCertificate): SecureIdentity {
  return new SecureIdentity({ certificate, key, ca: ca.certificate }, NOW_MS);
}

/** Lets in who has the certificate of the node that it says it is. */
class NamePolicy extends TestPolicy {
  override judgeGreeting({ sender }: Greeting, { tls }: PeerOrigin): PeerJudgement {
    const expected = { kind: 'name', name: `node-${sender}.example` } as const;
    const isMatch = tls?.peer !== undefined && matchesIdentity(tls.peer, expected);
    return isMatch
      ? { verdict: 'accepted', reason: '' }
      : { verdict: 'no-member', reason: 'the certificate is of another node' };
  }
}

/** Node 2, and what happens at it and at those who dial it. */
class TlsWorld implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly network = nodeNetwork({ clock: this.clock });
  readonly log: string[] = [];
  readonly #links: PeerLink[] = [];
  readonly #acceptor: PeerAcceptor;
  #listener: Listener | undefined;
  #wake: () => void = () => {};

  constructor() {
    this.#acceptor = new PeerAcceptor({
      clock: this.clock,
      policy: new NamePolicy(ACCEPTOR),
      onPeer: ({ node }) => ({
        handleFrame: (bytes) => this.#note(`${node}: ${decodeUtf8(bytes)}`),
        handleClosed: () => this.#note(`${node} out`),
      }),
    });
  }

  async listen(identity: SecureIdentity): Promise<void> {
    this.#listener = await this.network.listen({
      host: '127.0.0.1',
      port: 0,
      limits: PEER_LISTENER_LIMITS,
      tls: { identity, requiresPeerCertificate: true },
      onConnection: (connection) => this.#acceptor.accept(connection),
    });
  }

  link(node: number, identity: SecureIdentity): PeerLink {
    const link = new PeerLink({
      network: this.network,
      clock: this.clock,
      random: () => 0.5,
      policy: new TestPolicy(node),
      node: ACCEPTOR,
      stream: 'messages',
      address: this.#listener!.address,
      tls: { identity, expected: { kind: 'name', name: 'node-2.example' } },
      events: {
        handleUp: ({ sender }) => this.#note(`link up with ${sender}`),
        handleDown: ({ code }) => this.#note(`link down ${code}`),
        handleFailed: ({ code }, answer) => this.#note(`link failed ${code} ${answer?.verdict}`),
      },
    });
    this.#links.push(link);
    return link;
  }

  async until(line: string): Promise<void> {
    while (!this.log.includes(line)) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  #note(line: string): void {
    this.log.push(line);
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#links.map(async (link) => link.close()));
    await this.#acceptor.close();
    await this.#listener?.close();
  }
}

describe('a link over TLS', () => {
  test('comes up between nodes whose certificates are their own, and tells when one goes', async () => {
    await using world = new TlsWorld();
    await world.listen(identityOf(certificates[1]!));

    const link = world.link(1, identityOf(certificates[0]!));
    await world.until('link up with 2');
    link.send(frame('hello'), 'normal');
    await world.until('1: hello');
    await link.close();
    await world.until('1 out');

    expect(world.log).toEqual(['link up with 2', '1: hello', '1 out']);
  });

  test('is refused when the certificate is that of another node of the same CA', async () => {
    await using world = new TlsWorld();
    await world.listen(identityOf(certificates[1]!));

    world.link(1, identityOf(certificates[2]!));
    await world.until('link failed KAYA_PEER_REFUSED no-member');

    expect(world.log).toHaveLength(1);
  });

  test('does not say who it is to a node with the certificate of another', async () => {
    await using world = new TlsWorld();
    await world.listen(identityOf(certificates[2]!));

    world.link(1, identityOf(certificates[0]!));
    await world.until('link failed KAYA_TLS_UNTRUSTED undefined');

    expect(world.log).toHaveLength(1);
  });
});
