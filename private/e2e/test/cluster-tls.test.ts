/**
 * Three nodes that speak TLS: who is let in at which port, what becomes of a node with the certificate of another, and certificates and CAs that are replaced while clients write and read.
 */

import { connect as connectSecurely } from 'node:tls';

import { type Client, type ClientOptions, connect } from '@kayadb/client';
import { encodeRequest } from '@kayadb/codec';
import { linksOf, publishFigures, realTime, sized, timeoutFor } from '@kayadb/testkit';
import { SecureIdentity } from '@kayadb/transport';
import { makeTestCertificate, type TestCertificate } from '@kayadb/transport/testing';
import { describe, expect, test } from 'vitest';

import { ClusterProcesses } from './support/cluster/cluster-processes.ts';
import { encodeGreeting, type GreetingFields, verdictOf } from './support/cluster/greeting.ts';
import { openRunFolder } from './support/cluster/run-folder.ts';
import { readSettled } from './support/cluster/settled-contents.ts';
import { SteadyLoad } from './support/cluster/steady-load.ts';
import { bundleOf, makeAuthority, makeNodeCertificate, nodeName, TlsFiles } from './support/cluster/tls-files.ts';
import type { LogLine } from './support/server-process.ts';
import { say } from './support/stranger.ts';

const TIMEOUT_MS = 300_000;
const PLACES = [0, 1, 2] as const;
const WRITES = sized({ ci: 50, long: 5000 });
const RESULTS = new URL('../results/', import.meta.url);

const ca = makeAuthority('ca 1');
const otherCa = makeAuthority('another ca');
const user = makeTestCertificate({ subject: 'user', issuer: ca });

/** What a client shows and trusts. */
function identityOf(shown: TestCertificate, ...trusted: readonly TestCertificate[]): SecureIdentity {
  const { certificate, key } = shown;
  return new SecureIdentity({ certificate, key, ca: bundleOf(...trusted) }, Date.now());
}

interface World extends AsyncDisposable {
  readonly cluster: ClusterProcesses;
  readonly files: TlsFiles;
}

/** @param identityFlags - What node `place` is told about who `other` is. */
async function start(
  identityFlags: (other: number) => string = (other) => `${other + 1}=${nodeName(other)}`,
  pairs: readonly TestCertificate[] = PLACES.map((place) => makeNodeCertificate(place, ca)),
): Promise<World> {
  const files = new TlsFiles(openRunFolder());
  for (const place of PLACES) {
    files.placeAuthorities(place, ca);
    files.placePair(place, pairs[place]!);
  }
  const cluster = await ClusterProcesses.start({
    nodeCount: 3,
    flags: ['--tls-require-client-cert'],
    flagsOf: (place) => [
      ...files.flagsOf(place),
      ...PLACES.filter((other) => other !== place).flatMap((other) => ['--peer-identity', identityFlags(other)]),
    ],
    client: { tls: { identity: identityOf(user, ca) } },
  });
  return { cluster, files, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

function portOf(address: string): number {
  return Number(address.split(':').at(-1));
}

/** What a port says to these bytes over TLS, with that certificate shown; nothing when it does not take it. */
function saySecurely(port: number, bytes: Uint8Array, shown?: TestCertificate): Promise<Buffer> {
  const identity = shown === undefined ? {} : { cert: Buffer.from(shown.certificate), key: Buffer.from(shown.key) };
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connectSecurely({ host: '127.0.0.1', port, ca: Buffer.from(ca.certificate), ...identity });
    socket.on('secureConnect', () => socket.end(bytes));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    // In TLS 1.3 a certificate is refused behind the handshake of its owner: an alert, or an end.
    socket.on('error', () => {});
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

/** The rows of a table, one behind the other. */
async function runRows(
  rows: readonly (readonly [name: string, ask: () => Promise<unknown>, expected: unknown])[],
): Promise<{ readonly said: readonly unknown[]; readonly expected: readonly unknown[] }> {
  const said: unknown[] = [];
  for (const [name, ask] of rows) said.push([name, await ask()]);
  return { said, expected: rows.map(([name, , expected]) => [name, expected]) };
}

describe('the ports of a cluster with TLS', { timeout: timeoutFor(TIMEOUT_MS) }, () => {
  test('answer those who show a certificate of the CA that is in its time, and to nodes only who they are', async () => {
    await using world = await start();
    const { cluster } = world;
    await using client = connect(cluster.addresses[0]!, { tls: { identity: identityOf(user, ca) } });
    const { cluster: clusterId, term } = await client.status();
    const expired = makeNodeCertificate(1, ca, { notAfterMs: Date.UTC(2021, 0, 1) });
    const early = makeNodeCertificate(1, ca, { notBeforeMs: Date.UTC(2048, 0, 1) });
    const foreign = makeNodeCertificate(1, otherCa);
    const second = makeNodeCertificate(1, ca);
    const clients = portOf(cluster.addresses[0]!);
    const nodes = portOf(cluster.raftAddresses[0]!);
    const health = encodeRequest({ kind: 'health' });
    const isAnswered = async (shown?: TestCertificate): Promise<boolean> =>
      (await saySecurely(clients, health, shown)).length > 0;
    const sound: GreetingFields = { cluster: String(clusterId), sender: 2, addressee: 1, incarnation: 4242 };
    const greet = async (changes: Partial<GreetingFields>, shown?: TestCertificate): Promise<string> =>
      verdictOf(await saySecurely(nodes, encodeGreeting({ ...sound, ...changes }), shown));

    const { said, expected } = await runRows([
      ['clients: in clear', async () => (await say(clients, health)).includes('leader'), false],
      ['clients: no certificate', () => isAnswered(), false],
      ['clients: another CA', () => isAnswered(foreign), false],
      ['clients: expired', () => isAnswered(expired), false],
      ['clients: not valid yet', () => isAnswered(early), false],
      ['clients: sound', () => isAnswered(user), true],
      ['nodes: in clear', async () => verdictOf(await say(nodes, encodeGreeting(sound))), 'no answer'],
      ['nodes: no certificate', () => greet({}), 'no answer'],
      ['nodes: another CA', () => greet({}, foreign), 'no answer'],
      ['nodes: expired', () => greet({}, expired), 'no answer'],
      ['nodes: not valid yet', () => greet({}, early), 'no answer'],
      ['nodes: a client', () => greet({}, user), 'no-member'],
      ['nodes: the certificate of node 3', () => greet({}, makeNodeCertificate(2, ca)), 'no-member'],
      ['nodes: another cluster', () => greet({ cluster: 'ab'.repeat(16) }, second), 'other-cluster'],
      ['nodes: nobody', () => greet({ sender: 9 }, makeNodeCertificate(8, ca)), 'no-member'],
      ['nodes: another addressee', () => greet({ addressee: 3 }, second), 'other-node'],
      ['nodes: an unknown version', () => greet({ versions: [7, 9] }, second), 'no-common-version'],
      ['nodes: another directory', () => greet({}, second), 'other-directory'],
    ]);
    const after = await client.status();

    expect(said).toEqual(expected);
    expect({ term: after['term'], deaths: cluster.deaths }).toEqual({ term, deaths: [] });
  });
});

describe('a node with a wrong certificate', { timeout: timeoutFor(TIMEOUT_MS) }, () => {
  const right = makeNodeCertificate(2, ca);
  const pinOf = ({ spkiSha256 }: TestCertificate): string =>
    `sha256/${Buffer.from(spkiSha256, 'hex').toString('base64')}`;

  test.each([
    ['of another node', (other: number) => `${other + 1}=${nodeName(other)}`, makeNodeCertificate(1, ca)],
    [
      'of another key than the pinned one',
      (other: number) => (other === 2 ? `3=${pinOf(right)}` : `${other + 1}=${nodeName(other)}`),
      makeNodeCertificate(2, ca),
    ],
  ] as const)('%s is not dealt with by the others, until it has the right one', async (_, identityFlags, wrong) => {
    await using world = await start(identityFlags, [makeNodeCertificate(0, ca), makeNodeCertificate(1, ca), right]);
    const { cluster, files } = world;
    await using client = connect(cluster.addresses, { tls: { identity: identityOf(user, ca) } });
    const isAboutNode3 = ({ peer, code }: LogLine): boolean => peer === 3 && code === 'KAYA_TLS_UNTRUSTED';

    await cluster.stop(2);
    files.placePair(2, wrong);
    const toldBy = Promise.all([0, 1].map((place) => cluster.process(place).next(isAboutNode3)));
    await cluster.start(2);
    const told = await toldBy;
    await client.put('k', 'v');
    const whileWrong = cluster.process(2).log.some(({ event }) => event === 'node.ready');
    files.placePair(2, right);
    cluster.process(2).child.kill('SIGHUP');
    await cluster.ready();

    expect(told.map(({ event }) => event)).toEqual(['peer.untrusted', 'peer.untrusted']);
    expect(whileWrong).toBe(false);
    expect(cluster.deaths).toEqual([]);
  });
});

describe('certificates and the CA of a cluster in use', { timeout: timeoutFor(TIMEOUT_MS) }, () => {
  test('are replaced on a hangup or when their files change, and no request fails', async () => {
    const startedMs = realTime.now();
    const newCa = makeAuthority('ca 2');
    await using world = await start();
    const { cluster, files } = world;
    const identity = identityOf(user, ca);
    const options: ClientOptions = { tls: { identity } };
    const clients: readonly Client[] = PLACES.map(() => connect(cluster.addresses, options));
    await using load = new SteadyLoad({ clients });
    let connections = 0;
    /** Has each node take what was placed, by itself or on a hangup, and then every connection made anew. */
    const step = async (place: (at: number) => void, hungUp: readonly number[] = PLACES): Promise<void> => {
      const replaced = PLACES.map((at) => cluster.process(at).next(({ event }) => event === 'tls.replaced'));
      for (const at of PLACES) place(at);
      for (const at of hungUp) cluster.process(at).child.kill('SIGHUP');
      await Promise.all(replaced);
      for (const [from, to] of linksOf(3)) cluster.cutLink(from, to);
      await load.takes(WRITES);
      for (const at of PLACES) {
        await using fresh = connect(cluster.addresses[at]!, options);
        await fresh.get('load/0/0');
        connections++;
      }
    };

    await load.takes(WRITES);
    await step((at) => files.placePair(at, makeNodeCertificate(at, ca)), [0, 1]);
    identity.replace({ ...materialOf(user), ca: bundleOf(ca, newCa) }, Date.now());
    await step((at) => files.placeAuthorities(at, ca, newCa), [0, 1]);
    const newUser = makeTestCertificate({ subject: 'user', issuer: newCa });
    identity.replace({ ...materialOf(newUser), ca: bundleOf(ca, newCa) }, Date.now());
    await step((at) => files.placePair(at, makeNodeCertificate(at, newCa)));
    identity.replace({ ...materialOf(newUser), ca: bundleOf(newCa) }, Date.now());
    await step((at) => files.placeAuthorities(at, newCa));
    // With their old connections gone, all are on the new certificates.
    for (const at of PLACES) {
      await cluster.stop(at);
      await cluster.start(at);
      await cluster.ready();
      await load.takes(WRITES);
    }
    await load.stop();
    await Promise.all(clients.map((client) => client.close()));
    const oldShown = connect(cluster.addresses[0]!, {
      tls: { identity: identityOf(user, newCa) },
      retry: { attempts: 1 },
      deadlineMs: 3000,
    });
    const refusal: unknown = await oldShown.get('load/0/0').catch((error: unknown) => error);
    await oldShown.close();
    const nodes = await readSettled(cluster.addresses, () => {}, options);

    expect(load.failures).toEqual([]);
    expect(cluster.deaths).toEqual([]);
    expect(new Set(nodes.map(({ hash }) => hash)).size).toBe(1);
    expect(nodes[0]!.rowCount).toBe(load.acknowledged.size);
    expect(refusal).toBeInstanceOf(Error);
    const seconds = Math.round((realTime.now() - startedMs) / 1000);
    const figures = { writes: load.acknowledged.size, 'new connections': connections, 'failed requests': 0, seconds };
    publishFigures('tls-rotation', figures, RESULTS);
  });
});

function materialOf({ certificate, key }: TestCertificate): Pick<TestCertificate, 'certificate' | 'key'> {
  return { certificate, key };
}
