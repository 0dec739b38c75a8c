/**
 * Opens what a crash has left and compares it with what is owed: it opens, what was promised is there, and what it shows is a state that the storage
 * went through. Then the machine crashes again: during recovery, after it, and after further use.
 *
 * Invariant: no two disks alike are opened for the same state of affairs; what the first showed is compared again.
 */

import { encodeUtf8 } from '@kayadb/codec';
import type { SeededRandom } from '@kayadb/testkit';
import { crashClone, type CrashMode, crashModes, diskFingerprint, type MemoryFileSystem } from '@kayadb/vfs/testing';

import type { DurableRaftStorage } from '../../src/storage/durable-storage.ts';
import { openRaftStorage } from '../../src/storage/open-raft-storage.ts';
import { type Owed, type Shown, showStorage, type StorageHistory } from './storage-history.ts';
import { CRASH_OPTIONS, type CrashPoint, DIRECTORY } from './storage-workload.ts';

export interface CrashTally {
  opened: number;
  openedAtDepth: number[];
  alike: number;
  crashedAfterOpening: number;
  usedFurther: number;
  readonly modes: Set<CrashMode['kind']>;
  readonly failures: string[];
}

/** How often, 0 to 1. */
export interface CrashSampling {
  /** For each change of the disk that a recovery makes: the machine crashes again. */
  readonly duringRecovery: number;
  /** For each opened storage: the machine crashes at once, and what was shown must still be there. */
  readonly afterOpening: number;
  /** For each opened storage: it is written to, and the machine crashes. */
  readonly furtherUse: number;
}

const MAX_DEPTH = 2;
const MAX_FAILURES = 10;

export class StorageCrashCheck {
  readonly #history: StorageHistory;
  readonly #random: SeededRandom;
  readonly #sampling: CrashSampling;
  readonly #tally: CrashTally;
  readonly #shown = new Map<string, Shown>();

  constructor(history: StorageHistory, random: SeededRandom, sampling: CrashSampling, tally: CrashTally) {
    this.#history = history;
    this.#random = random;
    this.#sampling = sampling;
    this.#tally = tally;
  }

  async check(point: CrashPoint, mode: CrashMode, depth = 0): Promise<void> {
    const disk = crashClone(point.disk, mode, () => this.#random.next());
    const where = `${point.where}, crash ${JSON.stringify(mode)}`;
    const key = `${diskFingerprint(disk)}${mode.kind === 'everything' ? ' at risk' : ''}`;
    const known = this.#shown.get(key);
    if (known !== undefined) {
      this.#tally.alike++;
      this.#judge(known, point.owed, where);
      return;
    }
    this.#tally.opened++;
    this.#tally.openedAtDepth[depth] = (this.#tally.openedAtDepth[depth] ?? 0) + 1;
    this.#tally.modes.add(mode.kind);
    const again: CrashPoint[] = [];
    const stop = disk.afterEachMutation(({ operation, path }) => {
      if (depth === MAX_DEPTH || !this.#random.chance(this.#sampling.duringRecovery)) return;
      const copy = crashClone(disk, { kind: 'everything' }, () => 0);
      again.push({ disk: copy, owed: point.owed, where: `${where}, recovery after ${operation} ${path}` });
    });
    const opened = await this.#open(disk, where);
    stop();
    if (opened === undefined) return;
    this.#shown.set(key, opened.shown);
    this.#judge(opened.shown, point.owed, where);
    await this.#crashAfterwards(disk, opened.shown, where);
    await this.#useFurther(disk, opened.storage, where);
    await opened.storage.close();
    for (const next of again) {
      const [picked] = this.#random.shuffle(crashModes(next.disk, () => this.#random.next()));
      await this.check(next, picked!, depth + 1);
    }
  }

  async #open(
    disk: MemoryFileSystem,
    where: string,
  ): Promise<{ readonly storage: DurableRaftStorage; readonly shown: Shown } | undefined> {
    try {
      const storage = await openRaftStorage(DIRECTORY, { ...CRASH_OPTIONS, fs: disk });
      return { storage, shown: showStorage(storage) };
    } catch (error) {
      this.#fail(`${where}: does not open: ${String(error)}`);
      return undefined;
    }
  }

  #judge(shown: Shown, owed: Owed, where: string): void {
    const verdict = this.#history.judge(shown, owed);
    if (typeof verdict === 'string') this.#fail(`${where}: ${verdict}`);
  }

  /** What could be read once is durable. */
  async #crashAfterwards(disk: MemoryFileSystem, shown: Shown, where: string): Promise<void> {
    if (!this.#random.chance(this.#sampling.afterOpening)) return;
    this.#tally.crashedAfterOpening++;
    const [mode] = this.#random.shuffle(crashModes(disk, () => this.#random.next()));
    const again = await this.#open(
      crashClone(disk, mode!, () => this.#random.next()),
      `${where}, opened, crash`,
    );
    if (again === undefined) return;
    if (textOf(again.shown) !== textOf(shown)) {
      this.#fail(`${where}: shows ${textOf(shown)}, and after a crash ${textOf(again.shown)}`);
    }
    await again.storage.close();
  }

  /** An opened storage is as good as any: it takes batches, and keeps them. */
  async #useFurther(disk: MemoryFileSystem, storage: DurableRaftStorage, where: string): Promise<void> {
    if (!this.#random.chance(this.#sampling.furtherUse)) return;
    this.#tally.usedFurther++;
    const term = storage.initialState().hardState.term + 1;
    const first = storage.lastIndex + 1;
    const batches = Array.from({ length: 12 }, (_, i) => ({
      entries: [{ index: first + i, term, kind: 'normal', data: encodeUtf8('again'.repeat(30)) } as const],
      hardState: { term, vote: 2, commit: first + i },
      snapshot: undefined,
    }));
    try {
      await Promise.all(batches.map((batch) => storage.write(batch)));
      const before = { ...showStorage(storage), hardState: batches.at(-1)!.hardState };
      const [mode] = this.#random.shuffle(crashModes(disk, () => this.#random.next()));
      const next = await this.#open(
        crashClone(disk, mode!, () => this.#random.next()),
        `${where}, further use`,
      );
      if (next === undefined) return;
      if (textOf(next.shown) !== textOf(before)) {
        this.#fail(`${where}: further use shows ${textOf(before)}, and after a crash ${textOf(next.shown)}`);
      }
      await next.storage.close();
    } catch (error) {
      this.#fail(`${where}: further use fails: ${String(error)}`);
    }
  }

  #fail(sentence: string): void {
    if (this.#tally.failures.length < MAX_FAILURES) this.#tally.failures.push(sentence);
  }
}

/** Commit indexes may be older than they were. Where the log begins is known from the snapshot on. */
function textOf({ hardState: { term, vote }, firstIndex, entries, snapshot }: Shown): string {
  return JSON.stringify([term, vote, firstIndex, entries, snapshot?.meta]);
}
