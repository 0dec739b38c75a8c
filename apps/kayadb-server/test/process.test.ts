/** The program as a process: what cannot be seen in memory, such as signals, modes of files and half-closed sockets. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { concatBytes, encodeRequest, encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

class ServerProcess implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'kayadb-server-'));
  readonly child: ChildProcess;
  readonly exit: Promise<{ readonly code: number | null; readonly stderr: string }>;
  #stderr = '';

  constructor(...argv: readonly string[]) {
    const node = ['--import', 'tsx', '--conditions=@kayadb/source', MAIN];
    const ports = ['--client-addr', '127.0.0.1:0', '--raft-addr', '127.0.0.1:0', '--no-metrics'];
    const own = ['--data', join(this.folder, 'data'), ...ports];
    this.child = spawn(process.execPath, [...node, ...own, ...argv], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.exit = new Promise((resolve) => {
      this.child.on('close', (code) => resolve({ code, stderr: this.#stderr }));
    });
  }

  /** Port of the listener. */
  async ready(): Promise<number> {
    for await (const line of createInterface({ input: this.child.stderr! })) {
      this.#stderr += `${line}\n`;
      const port = /"event":"node.ready","address":"127\.0\.0\.1:(?<port>\d+)"/u.exec(line)?.groups?.['port'];
      if (port !== undefined) {
        this.child.stderr!.resume();
        return Number(port);
      }
    }
    throw new Error(`the server ended before it was ready: ${this.#stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    this.child.stderr!.resume();
    await this.exit;
    rmSync(this.folder, { recursive: true });
  }
}

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

describe('kayadb-server as a process', { timeout: 30_000 }, () => {
  test('answers a client that has ended its side, and leaves on SIGTERM with 0', async () => {
    await using server = new ServerProcess();
    const port = await server.ready();

    const answers = await exchange(port, concatBytes([put, put]));
    server.child.kill('SIGTERM');
    const { code } = await server.exit;

    expect([...answers]).toEqual([...DONE, ...DONE]);
    expect(code).toBe(0);
  });

  test('gives the answer to a frame over the limit before it hangs up', async () => {
    await using server = new ServerProcess();
    const port = await server.ready();

    const answer = await exchange(port, new Uint8Array(2_000_000).fill(0xff));

    expect(Buffer.from(answer).toString('latin1')).toContain('over the limit of 67108864 bytes');
  });

  test('keeps its files to their owner', async () => {
    await using server = new ServerProcess();
    await server.ready();
    const data = join(server.folder, 'data');

    const modes = [data, ...readdirSync(data).map((name) => join(data, name))].map(
      (path) => statSync(path).mode & 0o777,
    );

    expect(new Set(modes)).toEqual(new Set([0o700, 0o600]));
  });

  test('leaves at once on the second signal', async () => {
    await using server = new ServerProcess();
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
    const { code } = await server.exit;
    socket.destroy();

    expect(code).toBe(143);
  });
});
