/** Random stores whose whole history is known, random damage, and what a salvage of them must and must not hold. */

import { decodeUtf8 } from '@kayadb/codec';
import { seededRandom, type SeededRandom } from '@kayadb/testkit';
import { crashClone, MemoryFileSystem } from '@kayadb/vfs/testing';

import {
  type BatchOperation,
  type Engine,
  type EngineOptions,
  type Loss,
  openEngine,
  type WayOut,
} from '../../src/index.ts';
import { FoundTable } from '../../src/recover/plan/found-table.ts';
import { DIRECTORY, openTestEngine, testWorld, tinyOptions } from './open-test-engine.ts';

export const TARGET = '/saved';

/** What happened at one sequence number; `value` undefined deletes, `end` set deletes up to and without it. */
export interface PastWrite {
  readonly key: string;
  readonly value?: string;
  readonly end?: string;
}

export interface PastStore {
  readonly disk: MemoryFileSystem;
  /** The write with sequence number `i + 1` at `i`. */
  readonly history: readonly PastWrite[];
}

/** The newest write of each key that is there. */
export type Rows = ReadonlyMap<string, { readonly value: string; readonly sequence: number }>;

export function rowsAt(history: readonly PastWrite[], sequence: number): Rows {
  const rows = new Map<string, { readonly value: string; readonly sequence: number }>();
  for (const [i, { key, value, end }] of history.slice(0, sequence).entries()) {
    if (end !== undefined) {
      for (const each of rows.keys()) if (each >= key && each < end) rows.delete(each);
    } else if (value === undefined) rows.delete(key);
    else rows.set(key, { value, sequence: i + 1 });
  }
  return rows;
}

const shapes: readonly EngineOptions[] = [
  { ...tinyOptions, compression: 'none' },
  { ...tinyOptions, compression: 'zstd' },
  // No compaction: everything in level 0.
  { ...tinyOptions, compression: 'none', level0Tables: 64 },
  // A long log.
  { ...tinyOptions, compression: 'none', memtableBytes: 64 * 1024 },
];

/** Killed or closed after some hundred writes, with reopenings in between. */
export async function randomStore(seed: number): Promise<PastStore> {
  const random = seededRandom(seed);
  const options = {
    ...shapes[random.int(shapes.length)]!,
    durability: random.chance(0.7) ? 'strict' : 'relaxed',
  } as const;
  let disk = new MemoryFileSystem();
  let engine = await openTestEngine(testWorld(disk), options);
  const history: PastWrite[] = [];
  const count = 50 + random.int(400);
  const keyCount = 20 + random.int(300);
  const key = (): string => `k${String(random.int(keyCount)).padStart(4, '0')}`;
  const someWrite = (): PastWrite =>
    random.chance(0.2) ? { key: key() } : { key: key(), value: `${history.length}:${'v'.repeat(random.int(60))}` };
  while (history.length < count) {
    if (random.chance(0.02)) {
      const [start, end] = [key(), key()].toSorted();
      if (start === end) continue;
      await engine.deleteRange({ gte: start!, lt: end! });
      history.push({ key: start!, end: end! });
    } else if (random.chance(0.1)) {
      const writes = Array.from({ length: 1 + random.int(6) }, someWrite);
      await engine.batch(writes.map(toOperation));
      history.push(...writes);
    } else {
      const write = someWrite();
      if (write.value === undefined) await engine.delete(write.key);
      else await engine.put(write.key, write.value);
      history.push(write);
    }
    if (random.chance(0.01)) await engine.flush();
    if (random.chance(0.005)) await engine.compact();
    if (random.chance(0.01)) {
      if (random.chance(0.5)) await engine.close();
      else disk = killed(disk);
      engine = await openTestEngine(testWorld(disk), options);
    }
  }
  if (!random.chance(0.3)) return { disk: killed(disk), history };
  await engine.close();
  return { disk, history };
}

function toOperation({ key, value }: PastWrite): BatchOperation {
  return value === undefined ? { kind: 'delete', key } : { kind: 'put', key, value };
}

function killed(disk: MemoryFileSystem): MemoryFileSystem {
  return crashClone(disk, { kind: 'everything' }, () => 0);
}

/** Damages some files. @returns What was done, in words. */
export async function damage(disk: MemoryFileSystem, random: SeededRandom): Promise<readonly string[]> {
  const done: string[] = [];
  const count = 1 + random.int(3);
  for (let i = 0; i < count; i++) {
    const names = (await disk.readDirectory(DIRECTORY)).map(({ name }) => name).filter((name) => name !== 'LOCK');
    const name = names[random.int(names.length)]!;
    done.push(`${name}: ${await damageFile(disk, `${DIRECTORY}/${name}`, random)}`);
  }
  return done;
}

async function damageFile(disk: MemoryFileSystem, path: string, random: SeededRandom): Promise<string> {
  const bytes = (await disk.stat(path))!.bytes;
  const kind = random.int(10);
  if (kind === 0 || bytes === 0) {
    await disk.unlink(path);
    return 'removed';
  }
  const handle = await disk.open(path, 'write');
  const at = random.int(bytes);
  try {
    if (kind === 1) {
      await handle.truncate(at);
      return `cut at ${at}`;
    }
    const length = Math.min(bytes - at, kind === 2 ? 512 : kind === 3 ? 40 : 1);
    const old = new Uint8Array(length);
    await handle.read(old, at);
    const fresh = kind === 2 ? new Uint8Array(length) : old.map((byte) => byte ^ (1 + random.int(255)));
    await handle.write(fresh, at);
    return `${length} wrong bytes at ${at}`;
  } finally {
    await handle.close();
  }
}

/** The salvaged store, opened as any other. */
export async function openSalvaged(disk: MemoryFileSystem): Promise<Engine> {
  const { clock, nextProcess } = testWorld(disk);
  return openEngine(TARGET, { fileSystem: disk, clock, processes: nextProcess(), createIfMissing: false });
}

export async function readRows(engine: Engine): Promise<ReadonlyMap<string, string>> {
  const rows = new Map<string, string>();
  for await (const { key, value } of engine.scan()) rows.set(decodeUtf8(key), decodeUtf8(value));
  return rows;
}

/** Whether the way out admits that it may lose a row. */
export function admits(way: WayOut, key: string, sequence: number): boolean {
  const inHex = Buffer.from(key).toString('hex');
  return way.losses.some((loss) => covers(loss, inHex, sequence)) || way.doubtful!.some((each) => each.key === inHex);
}

function covers(loss: Loss, key: string, sequence: number): boolean {
  if (sequence < (loss.firstSequence ?? 0) || sequence > (loss.lastSequence ?? Infinity)) return false;
  if (!loss.hasKeys) return true;
  const { from, isFromExcluded, to } = loss.keys!;
  return (isFromExcluded ? from! < key : from! <= key) && key <= to!;
}

export interface PastEntry {
  readonly key: string;
  readonly sequence: number;
}

/** The entries of the block at `offset`, or of all blocks from there on; `undefined` when there is none. */
export async function entriesIn(
  disk: MemoryFileSystem,
  file: string,
  offset: number,
  which: 'one' | 'all',
): Promise<readonly PastEntry[] | undefined> {
  const handle = await disk.open(`${DIRECTORY}/${file}`, 'read');
  const fileNumber = Number.parseInt(file, 10);
  const table = await FoundTable.open({ handle, file, fileNumber, storeId: undefined });
  if (!(table instanceof FoundTable)) throw new Error(`${file} is damaged on the undamaged disk`);
  const entries: PastEntry[] = [];
  let isFound = offset === 0;
  for (let i = 0; i < table.blockCount; i++) {
    const at = table.handleOf(i).offset;
    if (at < offset || (which === 'one' && at > offset)) continue;
    isFound = true;
    const block = await table.block(i);
    if (typeof block === 'string') throw new Error(`${file} is damaged on the undamaged disk`);
    for (let entry = 0; entry < block.count; entry++) {
      const { key, sequence } = block.entry(entry);
      entries.push({ key: Buffer.from(key).toString('hex'), sequence });
    }
  }
  await handle.close();
  return isFound ? entries : undefined;
}

/** Whether the entry is within what the loss says of its place. A key that goes on from the block before is not lost there. */
export function holds(loss: Loss, { key, sequence }: PastEntry): boolean {
  const isFirst = loss.hasKeys && loss.keys!.isFromExcluded && key === loss.keys!.from;
  return isFirst || covers(loss, key, sequence);
}
