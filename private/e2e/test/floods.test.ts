/**
 * Connections that only cost: TLS handshakes that are begun and not finished, requests and greetings that come one byte at a time. With all bounds as they are by default, clients are served
 * meanwhile, and in time nothing is left of the others: the descriptors of the process are counted.
 */

import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

import { type Client, connect as connectClient } from '@kayadb/client';
import { publishFigures, realTime, timeoutFor } from '@kayadb/testkit';
import { SecureIdentity } from '@kayadb/transport';
import { describe, expect, test } from 'vitest';

import { openRunFolder } from './support/cluster/run-folder.ts';
import { SteadyLoad } from './support/cluster/steady-load.ts';
import { makeAuthority, makeNodeCertificate, TlsFiles } from './support/cluster/tls-files.ts';
import { putFrame } from './support/raw-connection.ts';
import { ServerProcess } from './support/server-process.ts';
import { freshAddress } from './support/stranger.ts';

const COUNT = 500;
/** Of one address, so that the limit for an address is not what is tested. */
const PER_ADDRESS = 50;
const HANDSHAKE_MS = 10_000;
const FRAME_MS = 30_000;
/** Bound: what a busy machine may be late. */
const SLACK_MS = 20_000;
/** Descriptors that a process may have more than before, when all strangers are gone: connections of the clients of the test, and files. */
const SLACK_DESCRIPTORS = 16;
const DRIP_MS = 400;
const RESULTS = new URL('../results/', import.meta.url);

/** The beginning of a record with a ClientHello of 512 bytes, without the rest. */
const HALF_HELLO = Buffer.from('1603010200010001fc0303', 'hex');

function descriptorsOf({ child }: ServerProcess): number {
  return readdirSync(`/proc/${child.pid}/fd`).length;
}

/** Connections from several addresses. */
class Crowd {
  readonly #sockets: readonly Socket[];
  readonly #ended: Promise<unknown>;
  #timer: NodeJS.Timeout | undefined;

  /** @param first - What each sends when it is connected. @param rest - What it then sends byte by byte, until it is let go. */
  constructor(port: number, first: Uint8Array, rest: Uint8Array = new Uint8Array(0)) {
    const addresses = Array.from({ length: COUNT / PER_ADDRESS }, freshAddress);
    this.#sockets = Array.from({ length: COUNT }, (_, at) => {
      const socket = connect({ host: '127.0.0.1', port, localAddress: addresses[at % addresses.length]! });
      socket.on('error', () => {});
      socket.on('data', () => {});
      socket.write(first);
      return socket;
    });
    this.#ended = Promise.all(
      this.#sockets.map((socket) => new Promise<void>((resolve) => void socket.on('close', () => resolve()))),
    );
    let sent = 0;
    if (rest.length > 0) {
      this.#timer = setInterval(() => {
        const byte = rest.subarray(sent, ++sent);
        for (const socket of this.#sockets) if (socket.writable) socket.write(byte);
      }, DRIP_MS);
    }
  }

  get connectedCount(): number {
    return this.#sockets.filter(({ destroyed, connecting }) => !destroyed && !connecting).length;
  }

  /** How long the other side lets the last of them stay. */
  async endedAfterMs(): Promise<number> {
    const startedMs = realTime.now();
    await this.#ended;
    clearInterval(this.#timer);
    return realTime.now() - startedMs;
  }
}

/** Lets the node count anew after its sockets have gone. @returns The descriptors when they are few, or the last count. */
async function settledDescriptors(node: ServerProcess, goal: number): Promise<number> {
  const untilMs = realTime.now() + SLACK_MS;
  while (descriptorsOf(node) > goal && realTime.now() < untilMs) {
    await new Promise<void>((resolve) => void realTime.setTimer(100, resolve));
  }
  return descriptorsOf(node);
}

/** One crowd at a port of a node, under load of a client: whether all is as it should be. */
async function isBorne(
  node: ServerProcess,
  client: Client,
  crowdOf: () => Crowd,
  name: string,
  boundMs: number,
): Promise<boolean> {
  await using load = new SteadyLoad({ clients: [client, client] });
  await load.takes(50);
  const before = descriptorsOf(node);
  const crowd = crowdOf();
  const ended = crowd.endedAfterMs();
  await load.takes(50);
  const [most, connected] = [descriptorsOf(node), crowd.connectedCount];
  const endedMs = await ended;
  const after = await settledDescriptors(node, before + SLACK_DESCRIPTORS);
  await load.takes(50);
  await load.stop();

  expect(load.failures).toEqual([]);
  // What waits is bounded: 128 handshakes, 64 greetings.
  expect(most).toBeGreaterThan(before + 50);
  expect(endedMs).toBeLessThan(boundMs + SLACK_MS);
  expect(after).toBeLessThanOrEqual(before + SLACK_DESCRIPTORS);
  const writes = load.acknowledged.size;
  const figures = { connections: COUNT, connected, 'descriptors before': before, most, after };
  publishFigures(name, { ...figures, 'gone after ms': Math.round(endedMs), writes, 'failed requests': 0 }, RESULTS);
  return true;
}

// Nearly all of their time is that until the node loses patience, so they wait together, each at a node of its own.
describe.concurrent('a crowd of connections', { timeout: timeoutFor(120_000) }, () => {
  test('that begin a TLS handshake and say no more is let go in time, and clients are served meanwhile', async ({
    onTestFinished,
  }) => {
    const folder = openRunFolder(onTestFinished);
    const files = new TlsFiles(folder);
    const ca = makeAuthority('ca');
    files.placeAuthorities(0, ca);
    files.placePair(0, makeNodeCertificate(0, ca));
    await using node = await ServerProcess.start(folder.at('data'), { flags: files.flagsOf(0) });
    const identity = new SecureIdentity({ ca: ca.certificate }, Date.now());
    await using client = connectClient(node.address, { tls: { identity } });

    const isServed = await isBorne(
      node,
      client,
      () => new Crowd(node.port, HALF_HELLO),
      'flood-handshakes',
      HANDSHAKE_MS,
    );

    expect(isServed).toBe(true);
  });

  test('that send a request byte by byte is let go in time, and clients are served meanwhile', async ({
    onTestFinished,
  }) => {
    const folder = openRunFolder(onTestFinished);
    await using node = await ServerProcess.start(folder.at('data'));
    await using client = connectClient(node.address);
    const request = putFrame(Buffer.from('drip'), Buffer.alloc(4096));

    const isServed = await isBorne(
      node,
      client,
      () => new Crowd(node.port, request.subarray(0, 5), request.subarray(5)),
      'flood-drip',
      FRAME_MS,
    );

    expect(isServed).toBe(true);
  });

  test('that greet the nodes’ port byte by byte is let go in time, and clients are served meanwhile', async ({
    onTestFinished,
  }) => {
    const folder = openRunFolder(onTestFinished);
    await using node = await ServerProcess.start(folder.at('data'));
    await using client = connectClient(node.address);
    const port = Number(String(node.event('node.ready')['peerAddress']).split(':').at(-1));
    const greeting = Buffer.concat([Buffer.from('KAYAPEER'), Buffer.of(0x57, 0), Buffer.alloc(80)]);

    const isServed = await isBorne(
      node,
      client,
      () => new Crowd(port, greeting.subarray(0, 1), greeting.subarray(1)),
      'flood-greetings',
      HANDSHAKE_MS,
    );

    expect(isServed).toBe(true);
  });
});
