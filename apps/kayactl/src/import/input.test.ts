import { PassThrough, Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';

import { seededRandom, testSeed } from '@kayadb/testkit';
import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { type ImportInput, openInput } from './input.ts';

async function writeFile(fileSystem: MemoryFileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const handle = await fileSystem.open(path, 'create');
  await handle.write(bytes, 0);
  await handle.close();
}

async function readAll(input: ImportInput): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of input.chunks()) chunks.push(chunk);
  await input.close();
  return Buffer.concat(chunks);
}

async function openFile(bytes: Uint8Array): Promise<ImportInput> {
  const fileSystem = new MemoryFileSystem();
  await writeFile(fileSystem, '/in', bytes);
  return openInput('/in', fileSystem, Readable.from([]), new AbortController().signal);
}

const signal = new AbortController().signal;

describe('openInput', () => {
  test('gives the bytes of a plain file and counts them', async () => {
    const content = Buffer.from('{"key":"k"}\n'.repeat(50_000));
    const input = await openFile(content);

    const read = await readAll(input);

    expect(read.equals(content)).toBe(true);
    expect([input.bytesRead, input.totalBytes]).toEqual([content.length, content.length]);
  });

  test('unpacks gzip by its first bytes, and counts the packed ones', async () => {
    const content = Buffer.from(seededRandom(testSeed()).bytes(900_000));
    const packed = gzipSync(content);
    const input = await openFile(packed);

    const read = await readAll(input);

    expect(read.equals(content)).toBe(true);
    expect([input.bytesRead, input.totalBytes]).toEqual([packed.length, packed.length]);
  });

  test('unpacks gzip files that were put one behind the other', async () => {
    const input = await openFile(Buffer.concat([gzipSync('first\n'), gzipSync('second\n')]));

    const read = await readAll(input);

    expect(read.toString()).toBe('first\nsecond\n');
  });

  test('knows gzip on standard input even when it comes byte by byte', async () => {
    const packed = gzipSync('packed\n');
    const stdin = Readable.from([...packed].map((byte) => Buffer.of(byte)));

    const input = await openInput('-', new MemoryFileSystem(), stdin, signal);
    const read = await readAll(input);

    expect(read.toString()).toBe('packed\n');
    expect(input.totalBytes).toBeUndefined();
  });

  test('gives nothing for an empty file and one byte for one byte', async () => {
    const empty = await readAll(await openFile(Buffer.of()));

    const single = await readAll(await openFile(Buffer.of(0x1f)));

    expect(empty.length).toBe(0);
    expect([...single]).toEqual([0x1f]);
  });

  test.each([
    ['cut off', (packed: Buffer) => packed.subarray(0, packed.length - 9)],
    ['changed in the middle', (packed: Buffer) => packed.fill(0xaa, 200_000, 200_020)],
  ])('says that a gzip file is damaged when it is %s', async (_what, damage) => {
    const packed = gzipSync(Buffer.from(seededRandom(testSeed()).bytes(400_000)));
    const input = await openFile(damage(packed));

    const reading = readAll(input);

    await expect(reading).rejects.toMatchObject({ code: 'KAYA_INPUT_DAMAGED', exitCode: 4 });
  });

  test('stops waiting for standard input when asked to', async () => {
    const interruption = new AbortController();
    const stdin = new PassThrough();
    stdin.write('a line\n');
    const input = await openInput('-', new MemoryFileSystem(), stdin, interruption.signal);
    const reading = readAll(input);

    interruption.abort('SIGINT');

    await expect(reading).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  });
});
