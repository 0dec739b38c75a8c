/**
 * The write-ahead log through random histories of appends, syncs, rotations, crashes and openings that crash too.
 * What must hold after any of them: what replay gives is a prefix, it holds all that was durable, and nothing is refused.
 */

import { seededRandom, type SeededRandom, testSeed } from '@kayadb/testkit';
import { crashClone, type CrashMode, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { parseFileName, walFileName } from '../src/files/file-names.ts';
import { decodeOperations, WriteBatch } from '../src/key/write-batch.ts';
import { inspectWal, type WalOutcome, type WalReplayOptions } from '../src/wal/wal-replay.ts';
import { WalWriter } from '../src/wal/wal-writer.ts';
import { describeVerdict, STORE_ID } from './support/log-disk.ts';

const HISTORIES = 60;
const STEPS = 30;
const OPENINGS = 4;
const CRASH_MODES: readonly CrashMode['kind'][] = [
  'everything',
  'nothing-unsynced',
  'random-sectors',
  'size-without-data',
  'names-lost',
  'anything',
];

/** What the manifest would hold, which is taken to be durable at once. */
type Published = Pick<WalReplayOptions, 'oldestSegment' | 'flushedSequence'>;

class History {
  readonly #random: SeededRandom;
  #disk = new MemoryFileSystem();
  #published: Published = { oldestSegment: 1, flushedSequence: 0 };
  #wal: WalWriter | undefined;
  /** Value of each sequence number, from 1. */
  #values: string[] = [];
  #durableCount = 0;
  /** Crashes that met zeros ahead of the log's end. */
  crashesInZeros = 0;
  /** LSNs behind the groups of the running writer, and how many values there were then. */
  #ends: { readonly lsn: number; readonly count: number }[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  async run(): Promise<void> {
    await this.#open(0);
    for (let opening = 0; opening < OPENINGS; opening++) {
      const steps = this.#random.int(STEPS);
      for (let step = 0; step < steps; step++) await this.#step();
      await this.#crash();
      await this.#recover();
    }
  }

  async #step(): Promise<void> {
    const wal = this.#wal!;
    const dice = this.#random.int(10);
    if (dice < 6) this.#append(wal);
    else if (dice < 8) await wal.sync();
    else if (dice < 9) await wal.prepare();
    else await wal.rotate();
  }

  #append(wal: WalWriter): void {
    const batch = new WriteBatch();
    const firstSequence = this.#values.length + 1;
    for (let i = this.#random.int(3); i >= 0; i--) {
      const value = `${this.#values.length + 1}:${'x'.repeat(this.#random.chance(0.2) ? this.#random.int(3000) : 5)}`;
      batch.put('key', value);
      this.#values.push(value);
    }
    const lsn = wal.append({ firstSequence, count: batch.count, payloads: [batch.bytes] });
    this.#ends.push({ lsn, count: this.#values.length });
  }

  /** Power goes, perhaps within a sync or a rotation. */
  async #crash(): Promise<void> {
    const wal = this.#wal!;
    if (await this.#hasZerosAhead(wal)) this.crashesInZeros++;
    const unfinished: Promise<unknown>[] = [];
    if (this.#random.chance(0.3)) unfinished.push(wal.sync());
    if (this.#random.chance(0.3)) unfinished.push(wal.rotate());
    const { durableLsn } = wal;
    for (const { lsn, count } of this.#ends)
      if (lsn <= durableLsn) this.#durableCount = Math.max(this.#durableCount, count);
    const disk = this.#crashedDisk();
    await Promise.all(unfinished);
    await wal.close();
    this.#disk = disk;
  }

  async #hasZerosAhead(wal: WalWriter): Promise<boolean> {
    const bytes = await this.#disk.readFile(`/${walFileName(wal.fileNumber)}`);
    return bytes.length > 1000 && bytes.subarray(-1000).every((byte) => byte === 0);
  }

  /** Opens as an engine does: fresh segment first, then the manifest; some openings crash in between. */
  async #recover(): Promise<void> {
    for (;;) {
      const { recovered, endLsn } = await this.#replay();
      await this.#open(endLsn);
      if (this.#random.chance(0.5)) {
        this.#values = [...recovered];
        this.#durableCount = recovered.length;
        this.#published = { oldestSegment: this.#wal!.fileNumber, flushedSequence: recovered.length };
        return;
      }
      const disk = this.#crashedDisk();
      await this.#wal!.close();
      this.#disk = disk;
    }
  }

  async #replay(): Promise<{ readonly recovered: readonly string[]; readonly endLsn: number }> {
    const recovered = this.#values.slice(0, this.#published.flushedSequence);
    const outcome: WalOutcome = await inspectWal(
      { fs: this.#disk, directory: '', storeId: STORE_ID, segments: await this.#segments(), ...this.#published },
      ({ payload, firstSequence }) => {
        decodeOperations(payload, firstSequence, ({ value }) => recovered.push(Buffer.from(value).toString()));
      },
    );
    const { verdict } = outcome;
    if (verdict.kind === 'refused') throw new Error(describeVerdict(outcome));
    expect(recovered).toEqual(this.#values.slice(0, recovered.length));
    expect(recovered.length).toBeGreaterThanOrEqual(this.#durableCount);
    expect(outcome.lastSequence).toBe(recovered.length);
    return { recovered, endLsn: verdict.lsn };
  }

  async #open(startLsn: number): Promise<void> {
    let fileNumber = Math.max(0, ...(await this.#segments()));
    const allocateFileNumber = (): number => ++fileNumber;
    this.#ends = [];
    this.#wal = await WalWriter.create({
      fs: this.#disk,
      directory: '',
      storeId: STORE_ID,
      startLsn,
      allocateFileNumber,
    });
  }

  async #segments(): Promise<readonly number[]> {
    const entries = await this.#disk.readDirectory('/');
    return entries.flatMap(({ name }) => {
      const parsed = parseFileName(name);
      return parsed.kind === 'wal' ? [parsed.fileNumber] : [];
    });
  }

  #crashedDisk(): MemoryFileSystem {
    const mode = { kind: this.#random.pick(CRASH_MODES) } as CrashMode;
    return crashClone(this.#disk, mode, () => this.#random.next());
  }
}

describe('the write-ahead log', () => {
  test('keeps what was durable, and a prefix of the rest, through any history of crashes', async () => {
    const random = seededRandom(testSeed());

    let crashesInZeros = 0;
    for (let i = 0; i < HISTORIES; i++) {
      const history = new History(random.fork(`history ${i}`));
      await history.run();
      crashesInZeros += history.crashesInZeros;
    }

    expect(crashesInZeros).toBeGreaterThan(HISTORIES);
  }, 30_000);
});
