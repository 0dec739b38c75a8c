/**
 * Stores on a real disk as a killed process leaves them, and ways to damage them. They are made by the engine on a
 * simulated disk, where the moment of the kill can be chosen, and then written out.
 */

import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

import { type Engine, type EngineOptions, openEngine } from '@kayadb/engine';
import { crashClone, MemoryFileSystem } from '@kayadb/vfs/testing';

const DIRECTORY = '/db';

/** Small tables, and no compaction, so that what the store consists of is known. */
const OPTIONS: EngineOptions = {
  memtableBytes: 4096,
  blockBytes: 256,
  tableBytes: 4096,
  level0Tables: 64,
  compression: 'none',
};

/** Bytes of a file's header. docs/format/files.md, "File header" */
export const FILE_HEADER_BYTES = 64;

/**
 * Writes a store to `directory` as it was killed while a full memtable was being flushed: tables, a closed segment of
 * the log with records that are in no table yet, and the next segment. `LOCK` is left out.
 */
export async function writeEvidence(directory: string): Promise<void> {
  const disk = new MemoryFileSystem();
  const engine = await openEngine(DIRECTORY, { ...OPTIONS, fileSystem: disk });
  for (let table = 0; table < 2; table++) {
    await putMany(engine, table * 20, table * 20 + 20);
    await engine.flush();
  }
  const killed: MemoryFileSystem[] = [];
  let isFlushing = false;
  const stop = disk.afterEachMutation(({ operation, path }) => {
    if (operation === 'create' && path.endsWith('.sst')) isFlushing = true;
    if (isFlushing && operation === 'write' && path.endsWith('.wal')) {
      killed.push(crashClone(disk, { kind: 'everything' }, () => 0));
    }
  });
  for (let i = 40; killed.length === 0; i++) await putMany(engine, i, i + 1);
  stop();
  await engine.close();
  await writeOut(killed[0]!, directory);
}

/** Names in the folder that end so, in order. */
export function namesEnding(directory: string, suffix: string): readonly string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(suffix))
    .toSorted();
}

export function manifestName(directory: string): string {
  return readdirSync(directory).find((name) => name.startsWith('MANIFEST-'))!;
}

export function sizeOf(directory: string, name: string): number {
  return statSync(join(directory, name)).size;
}

/** Flips a bit of one byte, as a failing disk does. */
export function flip(directory: string, name: string, offset: number): void {
  const handle = openSync(join(directory, name), 'r+');
  const byte = Buffer.alloc(1);
  readSync(handle, byte, 0, 1, offset);
  writeSync(handle, Buffer.of(byte[0]! ^ 0x10), 0, 1, offset);
  closeSync(handle);
}

/** Cuts a file off `bytes` before the end of its content: zeros that it ends in were never written to. */
export function tear(directory: string, name: string, bytes: number): void {
  const path = join(directory, name);
  const contentEnd = readFileSync(path).findLastIndex((byte) => byte !== 0) + 1;
  truncateSync(path, contentEnd - bytes);
}

/** Offsets of the filter and the index of a table, from its footer. docs/format/sstable.md, "Footer" */
export function tableSections(directory: string, name: string): { readonly filter: number; readonly index: number } {
  const footer = Buffer.alloc(64);
  const handle = openSync(join(directory, name), 'r');
  readSync(handle, footer, 0, footer.length, sizeOf(directory, name) - footer.length);
  closeSync(handle);
  return { filter: Number(footer.readBigUInt64LE(0)), index: Number(footer.readBigUInt64LE(32)) };
}

async function putMany(engine: Engine, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await engine.put(`key-${String(i).padStart(4, '0')}`, `${i}:${'v'.repeat(60)}`);
}

async function writeOut(disk: MemoryFileSystem, directory: string): Promise<void> {
  mkdirSync(directory, { mode: 0o700 });
  for (const { name } of await disk.readDirectory(DIRECTORY)) {
    if (!name.startsWith('LOCK')) writeFileSync(join(directory, name), await disk.readFile(`${DIRECTORY}/${name}`));
  }
}
