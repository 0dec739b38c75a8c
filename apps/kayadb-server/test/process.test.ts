/** The program as a process: what cannot be seen in memory, such as signals, modes of files and half-closed sockets. */

import { readdirSync, statSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';

import { concatBytes, encodeRequest, encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { makeFolder, ServerProcess } from './support/server-process.ts';

/** Sends bytes and ends its side at once, as a shell script with a pipe does. */
function exchange(port: number, bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => resolve(concatBytes(chunks)));
    socket.on('error', reject);
    socket.end(bytes);
  });
}

const put = encodeRequest({ kind: 'put', key: encodeUtf8('k'), value: encodeUtf8('v') });
const DONE = [2, 0, 0, 0, 0, 0];

describe('kayadb-server as a process', { timeout: 90_000 }, () => {
  test('answers a client that has ended its side, and leaves on SIGTERM with 0', async () => {
    await using server = new ServerProcess(makeFolder());
    const port = await server.ready();

    const answers = await exchange(port, concatBytes([put, put]));
    server.child.kill('SIGTERM');
    const { code } = await server.exit;

    expect([...answers]).toEqual([...DONE, ...DONE]);
    expect(code).toBe(0);
  });

  test('gives the answer to a frame over the limit before it hangs up', async () => {
    await using server = new ServerProcess(makeFolder());
    const port = await server.ready();

    const answer = await exchange(port, new Uint8Array(2_000_000).fill(0xff));

    expect(Buffer.from(answer).toString('latin1')).toContain('over the limit of 67108864 bytes');
  });

  test('does not run without its reports, and says which flags choose addresses', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => {
      taken.listen(0, '127.0.0.1', resolve);
    });
    const { port } = taken.address() as AddressInfo;
    await using server = new ServerProcess(makeFolder(), '--metrics-addr', `127.0.0.1:${port}`);

    const { code, stderr } = await server.exit;
    taken.close();

    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^ERROR: cannot listen on 127\\.0\\.0\\.1:${port}: .+\nHINT: .+--metrics-addr.+\n$`, 'mu'),
    );
  });

  test('keeps its files to their owner', async () => {
    await using server = new ServerProcess(makeFolder());
    await server.ready();
    const data = join(server.folder, 'data');

    const names = readdirSync(data, { recursive: true, encoding: 'utf8' });
    const modes = [data, ...names.map((name) => join(data, name))].map((path) => statSync(path).mode & 0o777);

    expect(new Set(modes)).toEqual(new Set([0o700, 0o600]));
  });

  test('leaves at once on the second signal', async () => {
    await using server = new ServerProcess(makeFolder());
    const port = await server.ready();
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    await new Promise((resolve) => {
      socket.on('connect', resolve);
    });
    socket.write(put);
    await new Promise((resolve) => {
      socket.once('data', resolve);
    });
    // A client that never ends its side keeps the first stop waiting.
    server.child.kill('SIGTERM');
    await new Promise((resolve) => {
      socket.once('end', resolve);
    });

    server.child.kill('SIGTERM');
    const { signal } = await server.exit;
    socket.destroy();

    expect(signal).toBe('SIGTERM');
  });
});
