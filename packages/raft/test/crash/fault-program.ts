/** A fixed course of everything that a storage does, driven until something fails for good; what was promised is in the history. */

import { KayaError } from '@kayadb/codec';
import { type FileSystem, FileSystemError } from '@kayadb/vfs';

import type { DurableRaftStorage } from '../../src/storage/durable-storage.ts';
import { openRaftStorage } from '../../src/storage/open-raft-storage.ts';
import type { StorageBatch } from '../../src/storage/raft-storage.ts';
import { batchOf, sampleEntries, sampleEntry, sampleSnapshot, vote } from '../../src/testing/storage-samples.ts';
import { StorageHistory } from './storage-history.ts';
import { CRASH_OPTIONS, DIRECTORY } from './storage-workload.ts';

type Step =
  | { readonly kind: 'open' }
  | { readonly kind: 'close' }
  | { readonly kind: 'compact'; readonly index: number }
  | { readonly kind: 'save'; readonly index: number; readonly term: number }
  /** All in flight at once. */
  | { readonly kind: 'write'; readonly batches: readonly StorageBatch[] };

const write = (...batches: readonly Partial<StorageBatch>[]): Step => ({
  kind: 'write',
  batches: batches.map(batchOf),
});

const long = (index: number, term: number) => sampleEntry(index, term, `${term}/${index} `.padEnd(300, '.'));

const PROGRAM: readonly Step[] = [
  { kind: 'open' },
  write({ hardState: vote(1, 2), entries: sampleEntries(1, 2, 1) }),
  write({ entries: [sampleEntry(3, 1)] }, { entries: [long(4, 1)] }, { entries: sampleEntries(5, 6, 1) }),
  write({ hardState: vote(2, 1, 3), entries: [sampleEntry(4, 2)] }, { entries: [long(5, 2)] }),
  write({ hardState: vote(2, 1, 5) }),
  { kind: 'save', index: 4, term: 2 },
  { kind: 'compact', index: 4 },
  write({ entries: [long(6, 2)] }, { entries: [long(7, 2)], hardState: vote(3, 0, 5) }),
  write({ entries: [long(8, 3)] }, { entries: [long(9, 3)] }, { entries: [long(10, 3)] }),
  write({ hardState: vote(3, 0, 9) }, { entries: [long(11, 3)] }),
  { kind: 'save', index: 9, term: 3 },
  { kind: 'compact', index: 9 },
  write({ entries: [long(12, 3)] }, { entries: [long(13, 3)] }),
  { kind: 'close' },
  { kind: 'open' },
  write({ entries: [long(14, 3)] }, { entries: [long(15, 3)] }),
  write(
    { hardState: vote(5, 0, 20), snapshot: sampleSnapshot(20, 4), entries: [sampleEntry(21, 5)] },
    { entries: [long(22, 5)] },
  ),
  write({ entries: [long(23, 5)] }, { entries: [long(24, 5)], hardState: vote(6, 3, 21) }),
  { kind: 'close' },
];

/** Bound: tries of one step on a disk that says that it is full. */
const MAX_TRIES = 3;

export class FaultRun {
  readonly history = new StorageHistory();
  /** Sentences that contradict the contract. */
  readonly problems: string[] = [];
  readonly #fs: FileSystem;
  #storage: DurableRaftStorage | undefined;

  constructor(fs: FileSystem) {
    this.#fs = fs;
  }

  /** @returns Whether it came to the end. */
  async run(): Promise<boolean> {
    for (const step of PROGRAM) {
      let error = await this.#try(step);
      for (let tries = 1; isFull(error) && tries < MAX_TRIES; tries++) error = await this.#try(step);
      if (error === undefined) continue;
      if (!(error instanceof KayaError)) this.problems.push(`${step.kind} fails with ${(error as Error).message}`);
      if (step.kind === 'write' && !isFull(error)) await this.#expectPoison(error);
      await this.#storage?.close().catch(() => undefined);
      return false;
    }
    return true;
  }

  /** @returns What it failed with. */
  async #try(step: Step): Promise<unknown> {
    try {
      await this.#perform(step);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async #perform(step: Step): Promise<void> {
    if (step.kind === 'open') {
      this.#storage = undefined;
      this.#storage = await openRaftStorage(DIRECTORY, { ...CRASH_OPTIONS, segmentBytes: 700, fs: this.#fs });
      return;
    }
    const storage = this.#storage!;
    if (step.kind === 'close') await storage.close();
    else if (step.kind === 'compact') await storage.compact(step.index);
    else if (step.kind === 'save') {
      const snapshot = sampleSnapshot(step.index, step.term);
      this.history.submitSnapshot(snapshot);
      await storage.saveSnapshot(snapshot);
      this.history.settleSnapshot(step.index);
    } else await this.#write(storage, step.batches);
  }

  async #write(storage: DurableRaftStorage, batches: readonly StorageBatch[]): Promise<void> {
    const states = [this.history.last];
    const positions = batches.map((batch) => {
      const position = this.history.submit(batch);
      states.push(this.history.last);
      return position;
    });
    const outcomes = await Promise.allSettled(batches.map((batch) => storage.write(batch)));
    const failed = outcomes.findIndex(({ status }) => status === 'rejected');
    if (outcomes.some(({ status }, i) => failed !== -1 && i > failed && status === 'fulfilled')) {
      this.problems.push('a batch is durable behind one that was refused');
    }
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.status === 'rejected') {
        this.history.goBack(states[i]!);
        throw outcome.reason;
      }
      this.history.settle(positions[i]!);
      const index = batches[i]!.snapshot?.meta.index;
      if (index !== undefined) this.history.settleSnapshot(index);
    }
  }

  /** After a failure with an unknown outcome nothing is taken any more, and the cause stays the same. */
  async #expectPoison(cause: unknown): Promise<void> {
    const storage = this.#storage!;
    const { term } = this.history.last;
    const later = await storage.write(batchOf({ hardState: vote(term + 1, 1, 0) })).catch((error: unknown) => error);
    if (later !== cause) this.problems.push(`after ${(cause as Error).message}, a write ends with ${String(later)}`);
  }
}

function isFull(error: unknown): boolean {
  return error instanceof FileSystemError && error.code === 'KAYA_DISK_FULL';
}
