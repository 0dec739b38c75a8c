/** The program as a process with TLS: real sockets, real files, a real hangup. */

import { execFileSync } from 'node:child_process';
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { connect, type PeerCertificate } from 'node:tls';

import { makeTestCertificate, type TestCertificate } from '@kayadb/transport/testing';
import { describe, expect, test } from 'vitest';

import { makeFolder, ServerProcess } from './support/server-process.ts';

const ca = makeTestCertificate({ subject: 'ca', isAuthority: true });
const first = makeTestCertificate({ subject: 'first', names: ['127.0.0.1'], issuer: ca });
const second = makeTestCertificate({ subject: 'second', names: ['127.0.0.1'], issuer: ca });
const client = makeTestCertificate({ subject: 'client', issuer: ca });

/** As an operator puts files into place: whole ones, by their names. */
function place(folder: string, name: string, bytes: Uint8Array): void {
  writeFileSync(join(folder, `${name}.new`), bytes, { mode: 0o600 });
  renameSync(join(folder, `${name}.new`), join(folder, name));
}

function placePair(folder: string, { certificate, key }: TestCertificate): void {
  place(folder, 'node.crt', certificate);
  place(folder, 'node.key', key);
}

function tlsFolder(): string {
  const folder = makeFolder();
  place(folder, 'ca.crt', ca.certificate);
  placePair(folder, first);
  return folder;
}

function startIn(folder: string, ...argv: readonly string[]): ServerProcess {
  const files = ['--tls-cert', join(folder, 'node.crt'), '--tls-key', join(folder, 'node.key')];
  return new ServerProcess(folder, ...files, '--tls-ca', join(folder, 'ca.crt'), ...argv);
}

/** Whose certificate a port shows. */
function subjectAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca: Buffer.from(ca.certificate) });
    socket.on('secureConnect', () => {
      const certificate: PeerCertificate = socket.getPeerCertificate();
      resolve(String(certificate.subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

function fetchSecurely(url: string, identity?: TestCertificate): Promise<{ status: number; body: string }> {
  const shown =
    identity === undefined ? {} : { cert: Buffer.from(identity.certificate), key: Buffer.from(identity.key) };
  return new Promise((resolve, reject) => {
    get(url, { ca: Buffer.from(ca.certificate), agent: false, ...shown }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    }).on('error', reject);
  });
}

describe('kayadb-server with TLS', { timeout: 90_000 }, () => {
  test('speaks it on all three ports, and takes a new certificate at a hangup on all of them', async () => {
    const folder = tlsFolder();
    await using server = startIn(folder);
    await server.ready();
    const listening = await server.logged('node.listening');
    const { reportsUrl } = listening;
    const ports = [listening['address'], listening['peerAddress'], new URL(String(reportsUrl)).host].map((text) =>
      Number(String(text).split(':').at(-1)),
    );

    const before = await Promise.all(ports.map(subjectAt));
    placePair(folder, second);
    server.child.kill('SIGHUP');
    await server.logged('tls.replaced');
    const after = await Promise.all(ports.map(subjectAt));
    const { status, body } = await fetchSecurely(String(reportsUrl).replace('/v1/status', '/readyz?verbose'));
    server.child.kill('SIGTERM');

    expect(before).toEqual(['first', 'first', 'first']);
    expect(after).toEqual(['second', 'second', 'second']);
    expect([status, body]).toEqual([200, expect.stringContaining('[+]tls ok')]);
    expect((await server.exit).code).toBe(0);
  });

  test('takes new files by itself, and those of nobody never', async () => {
    const folder = tlsFolder();
    await using server = startIn(folder);
    const port = await server.ready();

    place(folder, 'node.crt', second.certificate);
    const { msg, key } = await server.logged('tls.refused');
    const between = await subjectAt(port);
    place(folder, 'node.key', second.key);
    await server.logged('tls.replaced');
    const after = await subjectAt(port);

    expect(msg).toContain('the TLS key is not that of the certificate of CN=second');
    expect(key).toBe(join(folder, 'node.key'));
    expect([between, after]).toEqual(['first', 'second']);
  });

  test('asks for certificates of clients over HTTP too when it is told to', async () => {
    const folder = tlsFolder();
    await using server = startIn(folder, '--tls-require-client-cert');
    await server.ready();
    const { reportsUrl } = await server.logged('node.listening');
    const url = String(reportsUrl).replace('/v1/status', '/livez');

    const shown = await fetchSecurely(url, client);
    const bare = fetchSecurely(url);

    expect(shown).toMatchObject({ status: 200, body: expect.stringContaining('ok') });
    await expect(bare).rejects.toThrow(/certificate required|ECONNRESET|hang up/u);
  });

  test('warns of a key that others can read, and of a certificate that nobody will take', async () => {
    const folder = tlsFolder();
    placePair(folder, client);
    chmodSync(join(folder, 'node.key'), 0o644);
    await using server = startIn(folder);

    await server.logged('node.listening');

    const message = `others than its owner can get at the TLS key ${join(folder, 'node.key')} (mode 644); run chmod 600 on it`;
    const names =
      /^the TLS certificate of CN=client is for nobody by name, and others are told to find this node at 127\.0\.0\.1: /u;
    expect(server.log).toContainEqual(expect.objectContaining({ level: 'warn', msg: message }));
    expect(server.log).toContainEqual(expect.objectContaining({ level: 'warn', msg: expect.stringMatching(names) }));
  });

  test('is killed by itself when it is stopped while a file does not let itself be read, and says so', async () => {
    const folder = tlsFolder();
    await using server = startIn(folder);
    await server.ready();
    // Whoever opens a pipe that nobody writes to waits, as on a network drive that is gone.
    rmSync(join(folder, 'node.key'));
    execFileSync('mkfifo', [join(folder, 'node.key')]);
    server.child.kill('SIGHUP');

    server.child.kill('SIGTERM');
    const { signal } = await server.exit;

    expect(signal).toBe('SIGKILL');
    expect(server.log.slice(-2)).toMatchObject([
      { event: 'node.stopped' },
      { event: 'process.killed', level: 'fatal' },
    ]);
  });

  test('does not start with the key of another, and says so in one sentence', async () => {
    const folder = tlsFolder();
    place(folder, 'node.key', second.key);
    await using server = startIn(folder);

    const { code, stderr } = await server.exit;

    expect(code).toBe(4);
    expect(stderr).toMatch(
      /^ERROR: the TLS key is not that of the certificate of CN=first; .+\nHINT: look at --tls-cert .+\n$/mu,
    );
  });
});
