/**
 * The stores that are damaged: each with everything in it that a store can have, as bytes.
 *
 * Invariant: `disk` is never written to; whoever damages it does so in a copy that shares its pages.
 */

import {
  type Engine,
  type EngineOptions,
  inspectFile,
  type ManifestInspection,
  type TableInspection,
} from '@kayadb/engine';
import { seededRandom, type SeededRandom } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import { crashClone, InterceptedFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';

import { DIRECTORY, ProofWorld } from '../workload/proof-world.ts';
import type { WorkloadWriteOp } from '../workload/workload.ts';
import { readPieces, type StoreLayout, sumUpEdits } from './store-layout.ts';
import { type Rows, StoredHistory } from './stored-history.ts';

export interface StoreRecipe {
  readonly log: 'own' | 'external';
  /** `closed`: in good order. `abandoned`: its process was killed, with memtables that wait for their flush. */
  readonly end: 'closed' | 'abandoned';
  /** How many keys, which makes the size. */
  readonly keyCount: number;
  /** Another number is another database with files of the same names. */
  readonly seed: number;
}

/** File names and contents, without the lock. */
export type StoreFiles = ReadonlyMap<string, Uint8Array>;

export interface DamagedStore {
  readonly name: string;
  readonly recipe: StoreRecipe;
  readonly options: EngineOptions;
  readonly disk: MemoryFileSystem;
  readonly files: StoreFiles;
  /** Names of the tables in force. */
  readonly tables: readonly string[];
  /** Data blocks, filters, properties and indexes of all tables, with their trailers. */
  readonly blocks: readonly { readonly file: string; readonly offset: number; readonly bytes: number }[];
  readonly layout: StoreLayout;
  readonly history: StoredHistory;
  /** What reading the undamaged store gives. */
  readonly rows: Rows;
  /** The directory as it was at earlier moments, oldest first. */
  readonly earlier: readonly StoreFiles[];
  /** Behind the last byte of each file that is not zero. */
  readonly contentEnds: ReadonlyMap<string, number>;
}

/** Tables of a few blocks, in three levels and more; zstd from the second level on. */
const options: EngineOptions = {
  memtableBytes: 2048,
  blockBytes: 512,
  tableBytes: 4096,
  level0Tables: 2,
  level1Bytes: 4096,
  blockCacheBytes: 65_536,
  zstdLevels: [0, 1],
};
/** Bound: zeros ahead of a log's end that are kept. The format allows any number; reading them over and over says nothing. */
const KEPT_ZEROS = 1024;
const EARLIER_EVERY = 25;

export async function buildDamagedStore(recipe: StoreRecipe): Promise<DamagedStore> {
  const { log, end, seed } = recipe;
  const disk = new MemoryFileSystem();
  const gate = new FlushGate(disk);
  const world = new ProofWorld(gate.fileSystem);
  const random = seededRandom(seed);
  const history = new StoredHistory();
  const earlier: StoreFiles[] = [];
  const openOptions = { ...options, log, randomBytes: (count: number) => random.bytes(count) };
  let engine = await world.open(openOptions);
  for (const [i, phase] of phases(recipe, random).entries()) {
    if (i > 0) {
      await engine.close();
      engine = await world.open(openOptions);
    }
    for (const [at, ops] of phase.entries()) {
      await history.write(engine, ops, log);
      if (at % EARLIER_EVERY === 0) earlier.push(await readFiles(crashClone(disk, { kind: 'everything' }, () => 0)));
    }
    await engine.flush();
  }
  // A range delete that the manifest has to keep, since deeper tables hold what it hides.
  await history.write(engine, [{ kind: 'delete-range', prefix: keyOf(20).slice(0, 4) }], log);
  await engine.flush();
  if (end === 'closed') await engine.close();
  else await leaveUnflushed(engine, gate, history, log, random);
  const left = crashClone(disk, { kind: 'everything' }, () => 0);
  await dropZeros(left);
  return describeStore(
    recipe,
    crashClone(left, { kind: 'anything' }, () => 0),
    history,
    earlier,
  );
}

/** Behind a gate that lets no table be created, so that memtables wait, each with its segment. */
async function leaveUnflushed(
  engine: Engine,
  gate: FlushGate,
  history: StoredHistory,
  log: StoreRecipe['log'],
  random: SeededRandom,
): Promise<void> {
  gate.close();
  // Two memtables that wait and a third that is written to: one more would stall the writers.
  const groups = log === 'own' ? 72 : 12;
  for (let i = 0; i < groups; i++) await history.write(engine, randomGroup(random, 90, i), log);
}

function phases({ keyCount }: StoreRecipe, random: SeededRandom): readonly (readonly WorkloadWriteOp[][])[] {
  return [
    Array.from({ length: keyCount }, (_, i) => [put(random, i)]),
    Array.from({ length: Math.floor(keyCount / 6) }, (_, i) => randomGroup(random, keyCount, i)),
    Array.from({ length: Math.floor(keyCount / 2) }, (_, i) => randomGroup(random, keyCount, i)),
  ];
}

/** What is written together: mostly one put, now and then a batch, a range delete, or three writers at once. */
function randomGroup(random: SeededRandom, keyCount: number, i: number): WorkloadWriteOp[] {
  const one = (): WorkloadWriteOp => put(random, random.int(keyCount));
  if (i % 13 === 5) return [{ kind: 'delete', key: keyOf(random.int(keyCount)) }];
  if (i % 29 === 11) return [{ kind: 'delete-range', prefix: keyOf(random.int(keyCount)).slice(0, 4) }];
  if (i % 11 === 7) return [one(), one(), one()];
  if (i % 17 !== 3) return [one()];
  const writes = Array.from({ length: 3 }, () => ({ key: keyOf(random.int(keyCount)), value: valueOf(random) }));
  return [{ kind: 'batch', prefix: undefined, writes }];
}

function put(random: SeededRandom, index: number): WorkloadWriteOp {
  return { kind: 'put', key: keyOf(index), value: valueOf(random) };
}

function keyOf(index: number): string {
  return `k${String(index).padStart(4, '0')}`;
}

/** All of one length, so that blocks and tables are of equal size and may stand in each other's place; zstd saves a quarter. */
function valueOf(random: SeededRandom): string {
  return `${Buffer.from(random.bytes(24)).toString('hex')}${'v'.repeat(16)}`;
}

/** Once closed, whoever creates a table waits for ever. */
class FlushGate {
  readonly fileSystem: FileSystem;
  #isClosed = false;

  constructor(inner: FileSystem) {
    this.fileSystem = new InterceptedFileSystem(inner, {
      call: ({ kind, mode, paths }, run) =>
        this.#isClosed && kind === 'open' && mode === 'create' && paths[0]!.endsWith('.sst')
          ? new Promise(() => undefined)
          : run(),
      callSync: (_operation, run) => run(),
    });
  }

  close(): void {
    this.#isClosed = true;
  }
}

async function dropZeros(disk: MemoryFileSystem): Promise<void> {
  for (const [name, bytes] of await readFiles(disk)) {
    const length = contentEnd(bytes) + KEPT_ZEROS;
    if (!name.endsWith('.wal') || length >= bytes.length) continue;
    const handle = await disk.open(`${DIRECTORY}/${name}`, 'write');
    await handle.truncate(length);
    await handle.close();
  }
}

async function describeStore(
  recipe: StoreRecipe,
  disk: MemoryFileSystem,
  history: StoredHistory,
  earlier: readonly StoreFiles[],
): Promise<DamagedStore> {
  const files = await readFiles(disk);
  const names = [...files.keys()];
  const manifest = names.find((name) => name.startsWith('MANIFEST-'))!;
  const inspected = (await inspectFile(disk, `${DIRECTORY}/${manifest}`, 'manifest')) as ManifestInspection;
  const states = sumUpEdits(inspected.edits);
  const { tables } = states.at(-1)!;
  const segments = names.filter((name) => name.endsWith('.wal'));
  const durableIndex = states.at(-1)!.durableIndex;
  return {
    name: `${recipe.log} log, ${recipe.end}`,
    recipe,
    options: { ...options, log: recipe.log },
    disk,
    files,
    tables,
    blocks: (await Promise.all(tables.map((name) => readBlocks(disk, name)))).flat(),
    layout: {
      manifest,
      edits: readPieces(manifest, files.get(manifest)!),
      states,
      records: segments.flatMap((name) => readPieces(name, files.get(name)!)),
    },
    history,
    rows: history.at(durableIndex ?? history.lastPlace)!,
    earlier,
    contentEnds: new Map([...files].map(([name, bytes]) => [name, contentEnd(bytes)])),
  };
}

async function readBlocks(disk: MemoryFileSystem, file: string): Promise<DamagedStore['blocks']> {
  const { sections } = (await inspectFile(disk, `${DIRECTORY}/${file}`, 'table')) as TableInspection;
  return sections.map(({ offset, bytes }) => ({ file, offset, bytes }));
}

export async function readFiles(disk: MemoryFileSystem): Promise<StoreFiles> {
  const names = (await disk.readDirectory(DIRECTORY)).map(({ name }) => name);
  const stored = names.filter((name) => !name.startsWith('LOCK'));
  return new Map(
    await Promise.all(stored.map(async (name) => [name, await disk.readFile(`${DIRECTORY}/${name}`)] as const)),
  );
}

function contentEnd(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}
