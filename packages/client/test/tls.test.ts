/** The client over TLS: what is asked of who answers. */

import { VirtualClock } from '@kayadb/testkit';
import { type DialTls, type Network, nodeNetwork, SecureIdentity } from '@kayadb/transport';
import { makeTestCertificate } from '@kayadb/transport/testing';
import { describe, expect, test } from 'vitest';

import { ClientError, connect } from '../src/index.ts';
import { ScriptedCluster } from './support/scripted-cluster.ts';

const NOW_MS = Date.UTC(2026, 10, 22);

const ca = makeTestCertificate({ subject: 'ca', isAuthority: true });
const otherCa = makeTestCertificate({ subject: 'other ca', isAuthority: true });
const node = makeTestCertificate({ subject: 'node', names: ['127.0.0.1'], issuer: ca });

const serving = new SecureIdentity({ certificate: node.certificate, key: node.key }, NOW_MS);

/** TCP with TLS at every listener, wherever it is asked to listen. */
class SecureNetwork implements Network {
  readonly #tcp = nodeNetwork({ clock: new VirtualClock() });
  #port = 0;

  async listen(options: Parameters<Network['listen']>[0]): ReturnType<Network['listen']> {
    const listener = await this.#tcp.listen({ ...options, port: 0, tls: { identity: serving } });
    this.#port = listener.address.port;
    return listener;
  }

  dial(options: Parameters<Network['dial']>[0]): ReturnType<Network['dial']> {
    return this.#tcp.dial({ ...options, port: this.#port });
  }
}

async function helloOver(tls: DialTls): Promise<unknown> {
  const network = new SecureNetwork();
  const cluster = await ScriptedCluster.open(network);
  const clock = new VirtualClock();
  const client = connect(cluster.addresses, { network, clock, tls, retry: { attempts: 1 } });
  try {
    return await client.hello(2);
  } catch (error) {
    return error;
  } finally {
    await client.close();
    await cluster.close();
  }
}

describe('Client over TLS', () => {
  test.each([
    ['by its CA', { identity: new SecureIdentity({ ca: ca.certificate }, NOW_MS) }],
    [
      'by its key',
      { identity: new SecureIdentity({}, NOW_MS), expected: { kind: 'pin', spkiSha256: [node.spkiSha256] } } as const,
    ],
  ])('speaks to a node that it knows %s', async (_, tls) => {
    expect(await helloOver(tls)).toBe(2);
  });

  test('does not speak to one that somebody else has signed', async () => {
    const error = await helloOver({ identity: new SecureIdentity({ ca: otherCa.certificate }, NOW_MS) });

    expect(error).toBeInstanceOf(ClientError);
    expect((error as ClientError).cause).toMatchObject({ code: 'KAYA_TLS_UNTRUSTED' });
  });
});
