/**
 * Drives a storage at random as a node would, over one process after the other: some close, others end because a sync has failed. Keeps the disk as it
 * was after every change, with what was owed then.
 */

import { encodeUtf8 } from '@kayadb/codec';
import type { SeededRandom } from '@kayadb/testkit';
import { FileSystemError } from '@kayadb/vfs';
import { crashClone, type FaultEffect, FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';

import { EMPTY_CONFIGURATION, type Entry, type HardState, type LogIndex, type Snapshot } from '../../src/core/types.ts';
import type { DurableRaftStorage } from '../../src/storage/durable-storage.ts';
import { openRaftStorage, type RaftStorageOptions } from '../../src/storage/open-raft-storage.ts';
import type { StorageBatch } from '../../src/storage/raft-storage.ts';
import { slowFileSystem } from './slow-file-system.ts';
import { type Owed, showStorage, StorageHistory } from './storage-history.ts';

export const DIRECTORY = '/raft';
export const IDENTITY = { clusterId: new Uint8Array(16).fill(9), nodeId: 3, incarnation: 12 };

export const CRASH_OPTIONS: Omit<RaftStorageOptions, 'fs'> = {
  identity: IDENTITY,
  segmentBytes: 1024,
  cacheBytes: 600,
};

/** The disk at one moment. */
export interface CrashPoint {
  readonly disk: MemoryFileSystem;
  readonly owed: Owed;
  readonly where: string;
}

/** What becomes of the bytes of which a sync fails: the next process finds them or not, and the next crash may take them all the same. */
const SYNC_FAILURES: readonly FaultEffect[] = [
  { kind: 'fail', errno: 'EIO' },
  { kind: 'failed-sync', pages: 'dropped', errno: 'EIO' },
  { kind: 'failed-sync', pages: 'clean', errno: 'EIO' },
];

/** How often what was driven. */
export type WorkloadTally = Record<
  | 'writes'
  | 'truncations'
  | 'votes'
  | 'snapshotsSaved'
  | 'snapshotsReceived'
  | 'compactions'
  | 'reopenings'
  | 'rotations'
  | 'recycled'
  | 'refusals'
  | 'failedSyncs'
  | 'failedOpenings',
  number
>;

export class StorageWorkload {
  readonly history = new StorageHistory();
  readonly points: CrashPoint[] = [];
  readonly tally: WorkloadTally = {
    writes: 0,
    truncations: 0,
    votes: 0,
    snapshotsSaved: 0,
    snapshotsReceived: 0,
    compactions: 0,
    reopenings: 0,
    rotations: 0,
    recycled: 0,
    refusals: 0,
    failedSyncs: 0,
    failedOpenings: 0,
  };
  readonly #disk = new MemoryFileSystem();
  readonly #random: SeededRandom;
  readonly #inFlight = new Set<Promise<unknown>>();
  readonly #faulty = new FaultyFileSystem(this.#disk);
  #storage: DurableRaftStorage | undefined;
  #hardState: HardState = { term: 0, vote: 0, commit: 0 };
  /** Whether a sync is to fail, or has failed. */
  #isBreaking = false;
  /** What ended the storage. */
  #failure: { readonly error: unknown } | undefined;
  #doing = 'open';

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  async run(operations: number): Promise<void> {
    const stop = this.#disk.afterEachMutation(({ operation, path }) => {
      if (operation === 'rename' && path.startsWith(`${DIRECTORY}/next.`)) this.tally.rotations++;
      if (operation === 'rename' && path.startsWith(`${DIRECTORY}/spare.`)) this.tally.recycled++;
      this.#keep(`${operation} ${path}`);
    });
    await this.#open();
    for (let i = 0; i < operations; i++) {
      this.#doing = `operation ${i}`;
      await this.#step();
      if (this.#random.chance(0.3)) await this.#quiet();
    }
    await this.#quiet();
    await this.#close();
    stop();
  }

  async #step(): Promise<void> {
    const choice = this.#random.int(100);
    if (choice < 42) this.#append();
    else if (choice < 56) this.#newTerm();
    else if (choice < 60) this.#commitAlone();
    else if (choice < 72) this.#saveSnapshot();
    else if (choice < 86) this.#compact();
    else if (choice < 90) this.#receive();
    else if (choice < 93) await this.#fillDisk();
    else if (choice < 96) await this.#breakSync();
    else await this.#reopen();
  }

  #append(leastBytes = 0): void {
    const first = this.#storage!.lastIndex + 1;
    const { commit } = this.#hardState;
    const hardState =
      first > commit && this.#random.chance(0.5)
        ? this.#withCommit(commit + this.#random.int(first - commit))
        : undefined;
    this.#write({ entries: this.#entries(first, leastBytes), hardState, snapshot: undefined });
  }

  /** An election: perhaps with entries of another leader in the place of some that are not committed. */
  #newTerm(): void {
    this.tally.votes++;
    const { term, commit } = this.#hardState;
    const isVote = this.#random.chance(0.3) && this.#hardState.vote === 0;
    const next = { term: isVote ? term : term + 1, vote: isVote ? 1 : this.#random.int(4), commit };
    this.#hardState = next;
    const { lastIndex, firstIndex } = this.#storage!;
    const lowest = Math.max(commit + 1, firstIndex);
    const isAppend = this.#random.chance(0.6) && lowest <= lastIndex + 1 && !isVote;
    const first = lowest + (isAppend && this.#random.chance(0.6) ? this.#random.int(lastIndex + 2 - lowest) : 0);
    if (isAppend && first <= lastIndex) this.tally.truncations++;
    this.#write({ entries: isAppend ? this.#entries(first) : [], hardState: next, snapshot: undefined });
  }

  #commitAlone(): void {
    const { lastIndex } = this.#storage!;
    this.#write({ entries: [], hardState: this.#withCommit(lastIndex), snapshot: undefined });
  }

  #saveSnapshot(): void {
    const { commit } = this.#hardState;
    const term = this.#storage!.term(commit);
    if (typeof term !== 'number') return;
    const snapshot = this.#snapshot(commit, term);
    this.tally.snapshotsSaved++;
    this.history.submitSnapshot(snapshot);
    this.#run(this.#storage!.saveSnapshot(snapshot), () => {
      this.history.settleSnapshot(commit);
      if (this.#random.chance(0.5)) this.#compact();
    });
  }

  #compact(): void {
    const { durableSnapshot } = this.history.owed;
    const { firstIndex } = this.#storage!;
    if (durableSnapshot < firstIndex) return;
    this.tally.compactions++;
    const index = this.#random.chance(0.5)
      ? durableSnapshot
      : firstIndex + this.#random.int(durableSnapshot - firstIndex + 1);
    this.#run(this.#storage!.compact(index), () => undefined);
  }

  /** From a leader whose log this node does not have. */
  #receive(): void {
    const { term, commit } = this.#hardState;
    const index = commit + 1 + this.#random.int(10);
    this.tally.snapshotsReceived++;
    const hardState = { term: term + 1, vote: 0, commit: index };
    this.#hardState = hardState;
    const entries = this.#random.chance(0.3) ? this.#entries(index + 1) : [];
    const snapshot = this.#snapshot(index, term + 1);
    this.#write({ entries, hardState, snapshot }, () => this.history.settleSnapshot(index));
  }

  /** Appends on a disk with next to no room; each is taken or refused whole. */
  async #fillDisk(): Promise<void> {
    await this.#quiet();
    const { totalBytes, availableBytes } = await this.#disk.diskSpace('/');
    this.#disk.setCapacity(totalBytes - availableBytes + this.#random.int(300));
    for (let i = 0; i < 3; i++) {
      const before = this.history.last;
      const batch = { entries: this.#entries(this.#storage!.lastIndex + 1), hardState: undefined, snapshot: undefined };
      const position = this.history.submit(batch);
      try {
        await this.#storage!.write(batch);
        this.history.settle(position);
      } catch (error) {
        if (!(error instanceof FileSystemError) || error.code !== 'KAYA_DISK_FULL') {
          this.#failed(error);
          break;
        }
        this.tally.refusals++;
        this.history.refuse(before);
      }
    }
    this.#disk.setCapacity(undefined);
    this.#keep('end of the full disk');
  }

  /**
   * A sync fails, and the process has to be started again. The power stays on, so the same files go on in use: also that of which nobody knows
   * any more what is on disk, when nothing in it is needed.
   */
  async #breakSync(): Promise<void> {
    if (this.#random.chance(0.4)) {
      this.#armFault(1 + this.#random.int(4));
      return;
    }
    await this.#compactAll();
    this.#armFault(1);
    this.#append(600);
    await this.#compactAll();
  }

  async #compactAll(): Promise<void> {
    this.#commitAlone();
    await this.#quiet();
    this.#saveSnapshot();
    await this.#quiet();
    this.#compact();
    await this.#quiet();
  }

  #armFault(at: number): void {
    this.#isBreaking = true;
    this.#faulty.inject({ at, kinds: ['sync'], effect: this.#random.pick(SYNC_FAILURES) });
  }

  async #reopen(): Promise<void> {
    await this.#quiet();
    this.tally.reopenings++;
    const before = this.#isBreaking ? undefined : this.#hardState.commit;
    await this.#close();
    if (this.#random.chance(0.6)) this.#armFault(1 + this.#random.int(2));
    await this.#open();
    const { commit } = this.#hardState;
    if (before !== undefined && commit !== before) throw new Error(`commit ${commit} after a clean close`);
  }

  async #close(): Promise<void> {
    await this.#storage!.close().catch((error: unknown) => this.#failed(error));
  }

  /** Opens what an earlier process has left, which is one of the states that it went through. */
  async #open(): Promise<void> {
    const fs = slowFileSystem(this.#faulty, this.#random);
    const options = { ...CRASH_OPTIONS, fs };
    this.#storage = await openRaftStorage(DIRECTORY, options).catch((error: unknown) => {
      this.tally.failedOpenings++;
      this.#failed(error);
      this.#faulty.heal();
      return openRaftStorage(DIRECTORY, options);
    });
    this.#faulty.heal();
    this.#isBreaking = false;
    this.#failure = undefined;
    const shown = showStorage(this.#storage);
    const problem = this.history.resume(shown);
    if (problem !== undefined) throw new Error(`${this.#doing}, opened: ${problem}`);
    this.#hardState = shown.hardState;
    this.#keep('opened');
  }

  /** @throws Error when nothing was to fail. */
  #failed(error: unknown): void {
    if (!this.#isBreaking) throw error;
    this.#failure ??= { error };
    this.#keep('a failure');
  }

  #write(batch: StorageBatch, settle: () => void = () => undefined): void {
    this.tally.writes++;
    const position = this.history.submit(batch);
    this.#run(this.#storage!.write(batch), () => {
      this.history.settle(position);
      settle();
    });
  }

  #run(promise: Promise<void>, settle: () => void): void {
    const mine = promise.then(
      () => {
        settle();
        this.#keep('answer');
        return undefined;
      },
      (error: unknown) => this.#failed(error),
    );
    this.#inFlight.add(mine);
  }

  /** Nothing is under way any more; a process that has failed is started again. */
  async #quiet(): Promise<void> {
    for (const promise of this.#inFlight) await promise;
    this.#inFlight.clear();
    if (this.#failure === undefined) return;
    this.tally.failedSyncs++;
    await this.#close();
    await this.#open();
  }

  #entries(first: LogIndex, leastBytes = 0): readonly Entry[] {
    const count = 1 + this.#random.int(3);
    const term = Math.max(this.#hardState.term, 0);
    return Array.from({ length: count }, (_, i) => {
      const padding = Math.max(i === 0 ? leastBytes : 0, this.#random.chance(0.1) ? 600 : this.#random.int(60));
      const text = `${this.#random.int(1_000_000)}`.padEnd(padding, '.');
      const kind = this.#random.chance(0.1) ? 'config' : 'normal';
      return { index: first + i, term, kind, data: encodeUtf8(text) } as const;
    });
  }

  #snapshot(index: LogIndex, term: number): Snapshot {
    const data = encodeUtf8(`state at ${index}`.padEnd(this.#random.int(700)));
    return { meta: { index, term, configuration: { ...EMPTY_CONFIGURATION, voters: [1, 2, 3] } }, data };
  }

  #withCommit(commit: LogIndex): HardState {
    this.#hardState = { ...this.#hardState, commit: Math.max(this.#hardState.commit, commit) };
    return this.#hardState;
  }

  #keep(what: string): void {
    const disk = crashClone(this.#disk, { kind: 'everything' }, () => 0);
    disk.setCapacity(undefined);
    this.points.push({ disk, owed: this.history.owed, where: `${this.#doing}, after ${what}` });
  }
}
