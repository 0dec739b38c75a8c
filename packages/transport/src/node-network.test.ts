/** What only real sockets can show; everything else is in network.test.ts. */

import { connect } from 'node:net';

import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { Connection } from './network.ts';
import { nodeNetwork } from './node-network.ts';

describe('nodeNetwork', () => {
  test('answers a peer that has already finished sending', async () => {
    const network = nodeNetwork({ clock: new VirtualClock() });
    const answerAtEnd = (connection: Connection): void => {
      let question = '';
      connection.onData((chunk) => (question += decodeUtf8(chunk)));
      connection.onEnd(() => {
        connection.send(encodeUtf8(`answer to ${question}`));
        void connection.close();
      });
    };
    await using listener = await network.listen({ host: '127.0.0.1', port: 0, onConnection: answerAtEnd });

    const socket = connect({ ...listener.address, allowHalfOpen: true });
    socket.end('the question');
    let answer = '';
    for await (const chunk of socket) answer += decodeUtf8(chunk as Buffer);

    expect(answer).toBe('answer to the question');
  });

  test('reports a reset by the peer as a lost connection', async () => {
    const network = nodeNetwork({ clock: new VirtualClock() });
    let accept: (connection: Connection) => void = () => {};
    const accepted = new Promise<Connection>((resolve) => (accept = resolve));
    await using listener = await network.listen({ host: '127.0.0.1', port: 0, onConnection: accept });
    const socket = connect(listener.address);
    const connection = await accepted;
    connection.onData(() => socket.resetAndDestroy());

    socket.write('x');
    const reason = await connection.closed;

    expect(reason?.code).toBe('KAYA_CONNECTION_LOST');
    expect(reason?.message).toMatch(/^the connection with 127\.0\.0\.1:\d+ broke: /);
  });
});
