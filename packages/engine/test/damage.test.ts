/** Bytes that come back wrong: a store with one of them flipped, cut or swapped answers rightly or refuses, naming file and offset. */

import { decodeUtf8 } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { crashClone, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { CorruptionError, type Engine } from '../src/index.ts';
import { DIRECTORY, openTestEngine, testWorld, tinyOptions } from './support/open-test-engine.ts';

type Content = readonly string[];

async function contentOf(engine: Engine): Promise<Content> {
  const rows: string[] = [];
  for await (const { key, value } of engine.scan()) rows.push(`${decodeUtf8(key)}=${decodeUtf8(value)}`);
  return rows;
}

/** A small store with tables in two levels. @returns The disk, and the content after each acknowledged write. */
async function smallStore(
  close: boolean,
): Promise<{ readonly disk: MemoryFileSystem; readonly history: readonly Content[] }> {
  const disk = new MemoryFileSystem();
  const engine = await openTestEngine(testWorld(disk), tinyOptions);
  const history: Content[] = [];
  for (let i = 0; i < 45; i++) {
    if (i % 9 === 8) await engine.delete(`k${i % 20}`);
    else await engine.put(`k${i % 20}`, `${i}:${'v'.repeat(80)}`);
    history.push(await contentOf(engine));
    if (i === 20) await engine.flush();
  }
  if (!close) return { disk: crashClone(disk, { kind: 'everything' }, () => 0), history };
  await engine.close();
  return { disk, history };
}

async function filesOf(disk: MemoryFileSystem): Promise<readonly { readonly name: string; readonly bytes: number }[]> {
  const names = (await disk.readDirectory(DIRECTORY))
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('LOCK'));
  return Promise.all(names.map(async (name) => ({ name, bytes: (await disk.stat(`${DIRECTORY}/${name}`))!.bytes })));
}

function copy(disk: MemoryFileSystem): MemoryFileSystem {
  return crashClone(disk, { kind: 'everything' }, () => 0);
}

async function flip(disk: MemoryFileSystem, name: string, offset: number, mask: number): Promise<void> {
  const handle = await disk.open(`${DIRECTORY}/${name}`, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, offset);
  await handle.write(Uint8Array.of(byte[0]! ^ mask), offset);
  await handle.close();
}

/** Opens and reads everything. @returns The content, or what was named as damaged. */
async function look(disk: MemoryFileSystem): Promise<Content | CorruptionError> {
  try {
    const engine = await openTestEngine(testWorld(disk), tinyOptions);
    try {
      return await contentOf(engine);
    } finally {
      await engine.close();
    }
  } catch (error) {
    if (error instanceof CorruptionError) return error;
    throw error;
  }
}

/** Behind the last byte that is not zero. */
async function contentEndOf(disk: MemoryFileSystem, name: string): Promise<number> {
  const bytes = await disk.readFile(`${DIRECTORY}/${name}`);
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}

describe('a damaged store', () => {
  test.each([
    ['closed in good order', true],
    ['abandoned', false],
  ])('%s, answers rightly or names the file: one byte flipped', { timeout: 120_000 }, async (_name, closed) => {
    const { disk, history } = await smallStore(closed);
    const random = seededRandom(testSeed());
    const allowed = closed ? history.slice(-1) : history;
    const wrong: string[] = [];
    let refused = 0;
    let harmless = 0;
    for (const { name, bytes } of await filesOf(disk)) {
      const contentEnd = await contentEndOf(disk, name);
      // The zeros that a synced log ends in are a thousand times as many as the bytes that mean something: a sample of them does.
      const step = (offset: number): number => (offset < contentEnd ? 1 + random.int(12) : 2000 + random.int(2000));
      for (let offset = random.int(4); offset < bytes; offset += step(offset)) {
        const damaged = copy(disk);
        const mask = 1 << random.int(7);
        await flip(damaged, name, offset, mask);

        const seen = await look(damaged);

        const isRefused = seen instanceof CorruptionError;
        if (isRefused) refused++;
        else if (offset < contentEnd) harmless++;
        const isRight = isRefused
          ? seen.file === name && seen.offset <= offset
          : allowed.some((content) => String(content) === String(seen));
        if (!isRight) wrong.push(`${name} at ${offset} xor ${mask}: ${isRefused ? seen.message : seen.join(' ')}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(refused).toBeGreaterThan(300);
    // What is no longer needed may be damaged: the log of a closed store, and a torn tail that nothing vouches for.
    expect(harmless).toBeLessThan(refused);
  });

  test('is never read past a file that was cut short', { timeout: 120_000 }, async () => {
    const { disk, history } = await smallStore(true);
    const random = seededRandom(testSeed());
    const wrong: string[] = [];
    for (const { name, bytes } of await filesOf(disk)) {
      const contentEnd = await contentEndOf(disk, name);
      for (
        let length = 0;
        length < bytes;
        length += length < contentEnd ? 1 + random.int(40) : 2000 + random.int(2000)
      ) {
        const damaged = copy(disk);
        const handle = await damaged.open(`${DIRECTORY}/${name}`, 'write');
        await handle.truncate(length);
        await handle.close();

        const seen = await look(damaged);

        if (seen instanceof CorruptionError || String(seen) === String(history.at(-1))) continue;
        wrong.push(`${name} cut to ${length}: ${seen.join(' ')}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('is refused when a table of another store, or another table of this one, stands in its place', async () => {
    const { disk } = await smallStore(true);
    const tables = (await filesOf(disk)).filter(({ name }) => name.endsWith('.sst'));
    const [first, second] = tables;
    const swapped = copy(disk);
    await swapped.rename(`${DIRECTORY}/${first!.name}`, `${DIRECTORY}/x.tmp`);
    await swapped.rename(`${DIRECTORY}/${second!.name}`, `${DIRECTORY}/${first!.name}`);
    await swapped.rename(`${DIRECTORY}/x.tmp`, `${DIRECTORY}/${second!.name}`);

    const seen = await look(swapped);

    expect(seen).toBeInstanceOf(CorruptionError);
    expect(tables.map(({ name }) => name)).toContain((seen as CorruptionError).file);
  });
});
