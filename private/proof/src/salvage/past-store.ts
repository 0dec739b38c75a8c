/**
 * Random stores of which every write is known by its sequence number, with crashes in between that take unsynced writes back, so that
 * numbers are used again and stale records lie behind the ends of segments.
 */

import type { BatchOperation, Engine, EngineOptions } from '@kayadb/engine';
import { breathe, type SeededRandom, seededRandom } from '@kayadb/testkit';
import { crashClone, type CrashMode, MemoryFileSystem } from '@kayadb/vfs/testing';

import { DIRECTORY, ProofWorld, tinyOptions } from '../workload/proof-world.ts';

/** What happened at one sequence number; `value` undefined deletes, `end` set deletes up to and without it. */
export interface PastWrite {
  readonly key: string;
  readonly value?: string;
  readonly end?: string;
}

/** Names and contents, without the lock. */
export type StoreFiles = ReadonlyMap<string, Uint8Array>;

export interface PastStore {
  readonly disk: MemoryFileSystem;
  /** The write with sequence number `i + 1` at `i`. Those behind `lastSequence` never counted. */
  readonly history: readonly PastWrite[];
  /** What opening recovers. */
  readonly lastSequence: number;
  /** Every `key=value` that was ever written, also what a crash took. */
  readonly written: ReadonlySet<string>;
  /** Sequence numbers at which a batch ends. */
  readonly ends: ReadonlySet<number>;
  /** The directory at earlier moments, oldest first. */
  readonly earlier: readonly StoreFiles[];
}

/** The newest write of each key that is there. */
export type PastRows = ReadonlyMap<string, { readonly value: string; readonly sequence: number }>;

const shapes: readonly EngineOptions[] = [
  { ...tinyOptions, compression: 'none' },
  { ...tinyOptions, compression: 'zstd' },
  // No compaction: everything in level 0.
  { ...tinyOptions, compression: 'none', level0Tables: 64 },
  // The log is somebody else's, and nothing is left of what was not flushed.
  { ...tinyOptions, compression: 'none', log: 'external' },
  // A long log.
  { ...tinyOptions, compression: 'none', memtableBytes: 64 * 1024 },
];
const CRASHES: readonly CrashMode['kind'][] = ['everything', 'random-sectors', 'nothing-unsynced', 'anything'];
const EARLIER_EVERY = 40;

export function rowsAt(history: readonly PastWrite[], sequence: number): PastRows {
  const rows = new Map<string, { readonly value: string; readonly sequence: number }>();
  for (const [i, { key, value, end }] of history.slice(0, sequence).entries()) {
    if (end !== undefined) {
      for (const each of rows.keys()) if (each >= key && each < end) rows.delete(each);
    } else if (value === undefined) rows.delete(key);
    else rows.set(key, { value, sequence: i + 1 });
  }
  return rows;
}

/** Crashed or closed after some hundred writes, with crashes and closes in between. */
export async function buildPastStore(seed: number): Promise<PastStore> {
  return new PastStoreBuilder(seed).build();
}

export async function readFiles(disk: MemoryFileSystem): Promise<StoreFiles> {
  const files = new Map<string, Uint8Array>();
  for (const { name } of await disk.readDirectory(DIRECTORY)) {
    if (!name.startsWith('LOCK')) files.set(name, await disk.readFile(`${DIRECTORY}/${name}`));
  }
  return files;
}

class PastStoreBuilder {
  readonly #random: SeededRandom;
  readonly #options: EngineOptions;
  readonly #keyCount: number;
  readonly #rangeShare: number;
  readonly #history: PastWrite[] = [];
  readonly #written = new Set<string>();
  readonly #ends = new Set<number>([0]);
  readonly #earlier: StoreFiles[] = [];
  #disk = new MemoryFileSystem();

  constructor(seed: number) {
    const random = seededRandom(seed);
    this.#random = random;
    const shape = random.pick(shapes);
    const durability = shape.log !== 'external' && random.chance(0.6) ? 'strict' : 'relaxed';
    this.#options = { ...shape, durability, randomBytes: (count) => random.bytes(count) };
    this.#keyCount = 10 + random.int(200);
    this.#rangeShare = random.pick([0.01, 0.03, 0.15]);
  }

  async build(): Promise<PastStore> {
    const random = this.#random;
    const count = 50 + random.int(350);
    let engine = await this.#open();
    for (let step = 0; step < count; step++) {
      await this.#write(engine);
      if (step % EARLIER_EVERY === 0) this.#earlier.push(await readFiles(copyOf(this.#disk)));
      if (random.chance(0.01)) await engine.flush();
      if (random.chance(0.005)) await engine.compact();
      if (random.chance(0.015)) {
        if (random.chance(0.3)) await engine.close();
        else this.#crash();
        engine = await this.#open();
        this.#forget(engine.stats().lastSequence);
      }
      await breathe();
    }
    if (random.chance(0.3)) await engine.close();
    else this.#crash();
    return {
      disk: this.#disk,
      history: this.#history,
      written: this.#written,
      lastSequence: await this.#recovered(),
      ends: this.#ends,
      earlier: this.#earlier,
    };
  }

  #open(): Promise<Engine> {
    return new ProofWorld(this.#disk).open(this.#options);
  }

  #crash(): void {
    const kind = this.#random.pick(CRASHES) as 'everything';
    this.#disk = crashClone(this.#disk, { kind }, () => this.#random.next());
  }

  /** What the crash took was never there. */
  #forget(lastSequence: number): void {
    // Files from before a crash may hold another history than the one that went on.
    if (lastSequence < this.#history.length) this.#earlier.length = 0;
    this.#history.length = lastSequence;
    for (const end of this.#ends) if (end > lastSequence) this.#ends.delete(end);
  }

  async #recovered(): Promise<number> {
    const engine = await new ProofWorld(copyOf(this.#disk)).open(this.#options);
    const { lastSequence } = engine.stats();
    await engine.close();
    return lastSequence;
  }

  async #write(engine: Engine): Promise<void> {
    const random = this.#random;
    const count = random.chance(0.15) ? 2 + random.int(6) : 1;
    const writes = Array.from({ length: count }, () => this.#someWrite());
    const appliedIndex = this.#history.length + writes.length;
    await engine.batch(writes.map(toOperation), this.#options.log === 'external' ? { appliedIndex } : {});
    this.#history.push(...writes);
    for (const { key, value } of writes) if (value !== undefined) this.#written.add(`${key}=${value}`);
    this.#ends.add(this.#history.length);
  }

  #someWrite(): PastWrite {
    const random = this.#random;
    const key = this.#key();
    if (random.chance(this.#rangeShare)) {
      const [start, end] = [key, this.#key()].toSorted();
      if (start !== end) return { key: start!, end: end! };
    }
    return random.chance(0.2) ? { key } : { key, value: `${this.#written.size}:${'v'.repeat(random.int(60))}` };
  }

  #key(): string {
    return `k${String(this.#random.int(this.#keyCount)).padStart(4, '0')}`;
  }
}

function copyOf(disk: MemoryFileSystem): MemoryFileSystem {
  return crashClone(disk, { kind: 'everything' }, () => 0);
}

function toOperation({ key, value, end }: PastWrite): BatchOperation {
  if (end !== undefined) return { kind: 'delete-range', range: { gte: key, lt: end } };
  return value === undefined ? { kind: 'delete', key } : { kind: 'put', key, value };
}
