import { VirtualClock } from '@kayadb/testkit';
import { makeTestCertificate } from '@kayadb/transport/testing';
import type { FileStat } from '@kayadb/vfs';
import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { warnOfOpenKey } from './tls-files.ts';
import { TlsWatch } from './tls-watch.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const FILES = { certificate: '/node.crt', key: '/node.key', ca: '/ca.crt' };
const ca = makeTestCertificate({ subject: 'ca', isAuthority: true });
const first = makeTestCertificate({ subject: 'first', issuer: ca });
const second = makeTestCertificate({ subject: 'second', issuer: ca });
const LOOK_MS = 5_000;

async function write(disk: MemoryFileSystem, path: string, bytes: Uint8Array): Promise<void> {
  if ((await disk.stat(path)) !== undefined) await disk.unlink(path);
  const file = await disk.open(path, 'create');
  await file.write(bytes, 0);
  await file.close();
}

async function openWatch() {
  const disk = new MemoryFileSystem();
  await write(disk, FILES.certificate, first.certificate);
  await write(disk, FILES.key, first.key);
  await write(disk, FILES.ca, ca.certificate);
  const clock = new VirtualClock();
  const lines: string[] = [];
  const line = ({ event }: Readonly<Record<string, unknown>>, message: string): void =>
    void lines.push(`${String(event)}: ${message}`);
  const logger = { debug: line, info: line, warn: line, error: line };
  const options = { files: FILES, fileSystem: disk, clock, wallClock: () => NOW_MS, logger };
  const watch = await TlsWatch.open(options);
  return { disk, clock, lines, watch, options };
}

const TAKEN = 'tls.replaced: new connections use the TLS files as they are now';

describe('TlsWatch', () => {
  test('takes files that have changed within a look, and reads none that have not', async () => {
    const { disk, clock, lines, watch } = await openWatch();

    await clock.advanceAsync(10 * LOOK_MS);
    await write(disk, FILES.certificate, second.certificate);
    await write(disk, FILES.key, second.key);
    await clock.advanceAsync(10 * LOOK_MS);

    expect(watch.identity.own?.subject).toBe('CN=second');
    expect(lines).toEqual([TAKEN]);
  });

  test('keeps what it has while a certificate stands beside the key of another, tells so once, and takes them when they fit', async () => {
    const { disk, clock, lines, watch } = await openWatch();

    await write(disk, FILES.certificate, second.certificate);
    await clock.advanceAsync(3 * LOOK_MS);
    const between = watch.identity.own?.subject;
    await write(disk, FILES.key, second.key);
    await clock.advanceAsync(LOOK_MS);

    expect(between).toBe('CN=first');
    expect(watch.identity.own?.subject).toBe('CN=second');
    expect(lines).toEqual([
      'tls.refused: the TLS files have changed and are not taken, those before stay in force: the TLS key is not that of the certificate of CN=second; give the key that belongs to it',
      TAKEN,
    ]);
  });

  test('keeps what it has while a file is missing', async () => {
    const { disk, clock, lines, watch } = await openWatch();

    await disk.unlink(FILES.key);
    await clock.advanceAsync(2 * LOOK_MS);

    expect(watch.identity.own?.subject).toBe('CN=first');
    expect(lines).toEqual([expect.stringMatching(/^tls\.refused: .+ open of \/node\.key failed/u)]);
  });

  test('reads them at once when it is asked to, and says each time what came of it', async () => {
    const { disk, lines, watch } = await openWatch();

    await watch.reload();
    await write(disk, FILES.ca, first.certificate);
    await watch.reload();
    await watch.reload();

    const refused = expect.stringMatching(/^tls\.refused: .+which is no CA/u) as string;
    expect(lines).toEqual([TAKEN, refused, refused]);
  });

  test('tells at the start, and as time goes by, of a certificate that expires', async () => {
    const { disk, clock, lines, watch, options } = await openWatch();
    watch.close();
    const notAfterMs = NOW_MS + 7 * 86_400_000 + 2 * LOOK_MS;
    const short = makeTestCertificate({ subject: 'short', issuer: ca, notAfterMs });
    await write(disk, FILES.certificate, short.certificate);
    await write(disk, FILES.key, short.key);

    await TlsWatch.open({ ...options, wallClock: () => NOW_MS + clock.now() });
    const atFirst = [...lines];
    await clock.advanceAsync(4 * LOOK_MS);

    expect(atFirst).toEqual(['tls.expiry: the TLS certificate of CN=short expires in 8 days; replace it']);
    expect(lines).toEqual([...atFirst, 'tls.expiry: the TLS certificate of CN=short expires in 7 days; replace it']);
  });

  test('leaves no timer behind', async () => {
    const { clock, watch } = await openWatch();

    watch.close();
    await clock.advanceAsync(LOOK_MS);

    expect(clock.pendingTimers).toBe(0);
  });

  test('waits for a disk that does not answer with one look, and not when it is closed', async () => {
    const { disk, clock, lines, watch, options } = await openWatch();
    watch.close();
    let letGo = (): void => {};
    let reads = 0;
    const fileSystem = {
      readFile: (path: string): Promise<Uint8Array> => disk.readFile(path),
      stat: async (path: string): Promise<FileStat | undefined> => {
        const stat = await disk.stat(path);
        if (clock.now() > 0 && path === FILES.key) {
          reads++;
          await new Promise<void>((resolve) => {
            letGo = resolve;
          });
        }
        return stat;
      },
    };
    const stuck = await TlsWatch.open({ ...options, fileSystem });

    await clock.advanceAsync(10 * LOOK_MS);
    const readsBefore = reads;
    await write(disk, FILES.certificate, second.certificate);
    await write(disk, FILES.key, second.key);
    stuck.close();
    letGo();
    await clock.advanceAsync(LOOK_MS);

    expect(readsBefore).toBe(1);
    expect(stuck.identity.own?.subject).toBe('CN=first');
    expect(lines).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  test.each([
    ['a file that is not there', FILES.ca, undefined, /^open of \/ca\.crt failed/u],
    ['the key of another', FILES.key, second.key, /^the TLS key is not that of the certificate of CN=first/u],
  ])('refuses to begin with %s, and names the files', async (_case, path, bytes, message) => {
    const { disk, options } = await openWatch();
    if (bytes === undefined) await disk.unlink(path);
    else await write(disk, path, bytes);

    const opening = TlsWatch.open(options);

    await expect(opening).rejects.toMatchObject({
      code: 'KAYA_USAGE',
      message: expect.stringMatching(message),
      hint: expect.stringContaining('--tls-cert /node.crt, --tls-key /node.key and --tls-ca /ca.crt'),
    });
  });
});

describe('warnOfOpenKey', () => {
  const withMode = (mode: number) => ({
    readFile: async () => new Uint8Array(0),
    stat: async (): Promise<FileStat> => ({ kind: 'file', bytes: 1, modifiedMs: 0, mode }),
  });

  test.each([0o640, 0o604, 0o620])('warns of mode %o', async (mode) => {
    expect(await warnOfOpenKey(withMode(mode), FILES)).toEqual([
      `others than its owner can get at the TLS key /node.key (mode ${mode.toString(8)}); run chmod 600 on it`,
    ]);
  });

  test('has nothing to say about a key of its owner alone', async () => {
    expect(await warnOfOpenKey(withMode(0o600), FILES)).toEqual([]);
  });
});
