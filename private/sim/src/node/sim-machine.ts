/**
 * The state machine of a simulated node, on the node's own disk: as an engine does, it applies in memory and makes itself durable now and then, and a crash takes it back to
 * the last time it did, index and data together.
 *
 * Files: `state-INDEX`, the state as of an index, published whole; `in-INDEX-TERM`, one that a leader has sent.
 */

import { ByteReader, ByteWriter, concatBytes } from '@kayadb/codec';
import type { AppliedPoint, Entry, LogIndex, Snapshot, SnapshotFile, StateMachine } from '@kayadb/raft';
import type { SeededRandom } from '@kayadb/testkit';
import { type FileSystem, FileSystemError, publishFile } from '@kayadb/vfs';

import type { ProcessClock } from '../world/process-gate.ts';
import { drawFrom, type Profile } from '../world/profile.ts';
import { applyEntry, decodeState, EMPTY_STATE, encodeState, type MachineState } from './machine-state.ts';

/** Told within the turn in which it happens. */
export interface MachineObserver {
  /** `state` is that behind `entry`. */
  onApplied(entry: Entry, state: MachineState): void;
  /** Everything up to `state.index` is applied, or came with a snapshot. */
  onReached(state: MachineState): void;
}

export interface MachineWorld {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly clock: ProcessClock;
  readonly profile: Profile;
  readonly mood: { readonly isCalm: boolean };
  readonly random: SeededRandom;
  readonly observer: MachineObserver;
  /** World time before which every call waits. */
  readonly stall: { readonly untilMs: number };
  readonly nowMs: () => number;
  /** The snapshot whose files must stay. */
  readonly snapshotIndex: () => LogIndex;
}

/** A stall that ends early is noticed after so long. */
const STALL_STEP_MS = 50;
const STATE_FILE = /^state-(\d+)$/u;
const INCOMING_FILE = /^in-(\d+)-(\d+)$/u;

export class SimMachine implements StateMachine<number> {
  readonly #world: MachineWorld;
  #state: MachineState;
  #durableIndex: LogIndex;
  /** Publications, one after the other. */
  #queue: Promise<void> = Promise.resolve();
  #isPersisting = false;
  #failure: unknown;

  private constructor(world: MachineWorld, state: MachineState) {
    this.#world = world;
    this.#state = state;
    this.#durableIndex = state.index;
  }

  /** What survived is what it stands for. */
  static async open(world: MachineWorld): Promise<SimMachine> {
    const { fs, directory } = world;
    await fs.makeDirectory(directory);
    await fs.syncDirectory('/');
    // A name that is there may not be there after the next crash, unless somebody syncs it.
    await fs.syncDirectory(directory);
    const indexes = (await numbersIn(fs, directory, STATE_FILE)).map(([index]) => index!);
    const newest = Math.max(0, ...indexes);
    const state = newest === 0 ? EMPTY_STATE : decodeState(await fs.readFile(`${directory}/${stateName(newest)}`));
    return new SimMachine(world, state);
  }

  get appliedIndex(): LogIndex {
    return this.#state.index;
  }

  get durableIndex(): LogIndex {
    return this.#durableIndex;
  }

  get state(): MachineState {
    return this.#state;
  }

  async apply(entries: readonly Entry[], upTo: LogIndex): Promise<readonly number[]> {
    await this.#maybeSleep();
    if (this.#failure !== undefined) throw this.#failure;
    const results: number[] = [];
    for (const entry of entries) {
      this.#state = applyEntry(this.#state, entry);
      results.push(this.#state.count);
      this.#world.observer.onApplied(entry, this.#state);
    }
    this.#state = { ...this.#state, index: upTo };
    this.#world.observer.onReached(this.#state);
    if (upTo - this.#durableIndex >= this.#world.profile.persistEntries) this.#persist();
    return results;
  }

  async snapshot(_point: AppliedPoint): Promise<Uint8Array> {
    const state = this.#state;
    await this.#maybeSleep();
    await this.#publish(state);
    return new ByteWriter(4).u32(state.hash).finish();
  }

  async restore({ meta, data }: Snapshot): Promise<void> {
    await this.#maybeSleep();
    const { fs, directory, observer } = this.#world;
    const state = decodeState(await fs.readFile(`${directory}/${incomingName(meta)}`));
    if (state.hash !== new ByteReader(data).u32('hash')) throw new RangeError(`snapshot ${meta.index} has other files`);
    await this.#publish(state);
    this.#state = state;
    observer.onReached(state);
    await this.#tidy();
  }

  /** The state as of `index` as files of a snapshot. @throws FileSystemError when it is gone. */
  async readSnapshot(index: LogIndex): Promise<readonly Uint8Array[]> {
    const bytes = await this.#world.fs.readFile(`${this.#world.directory}/${stateName(index)}`);
    const half = bytes.length >> 1;
    return [bytes.subarray(0, half), bytes.subarray(half)];
  }

  /** Takes over the files of a snapshot that a leader sent, before the core hears of it. Durability: when it resolves. */
  async adopt({ meta }: Snapshot, from: string, files: readonly SnapshotFile[]): Promise<void> {
    const { fs } = this.#world;
    const parts: Uint8Array[] = [];
    for (const { name } of files) parts.push(await fs.readFile(`${from}/${name}`));
    await this.#enqueue(() => publishFile(fs, this.#world.directory, incomingName(meta), concatBytes(parts)));
  }

  /** Beside everything else; on a full disk it is tried again later. */
  #persist(): void {
    if (this.#isPersisting) return;
    this.#isPersisting = true;
    const done = this.#publish(this.#state).then(() => this.#tidy());
    done
      .catch((error: unknown) => {
        if (!isDiskFull(error)) this.#failure = error;
      })
      .finally(() => {
        this.#isPersisting = false;
      });
  }

  #publish(state: MachineState): Promise<void> {
    return this.#enqueue(async () => {
      const { fs, directory } = this.#world;
      if ((await fs.stat(`${directory}/${stateName(state.index)}`)) !== undefined) return;
      await publishFile(fs, directory, stateName(state.index), encodeState(state));
      this.#durableIndex = Math.max(this.#durableIndex, state.index);
    });
  }

  #tidy(): Promise<void> {
    return this.#enqueue(async () => {
      const { fs, directory, snapshotIndex } = this.#world;
      const kept = Math.min(snapshotIndex(), this.#durableIndex);
      for (const [index] of await numbersIn(fs, directory, STATE_FILE)) {
        if (index! < kept) await fs.unlink(`${directory}/${stateName(index!)}`);
      }
      for (const [index, term] of await numbersIn(fs, directory, INCOMING_FILE)) {
        if (index! <= this.#durableIndex)
          await fs.unlink(`${directory}/${incomingName({ index: index!, term: term! })}`);
      }
    });
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #maybeSleep(): Promise<void> {
    const { profile, random, clock, mood, stall, nowMs } = this.#world;
    if (!mood.isCalm && random.chance(profile.slowApply)) await clock.sleep(drawFrom(profile.applyDelay, random));
    while (nowMs() < stall.untilMs) await clock.sleep(STALL_STEP_MS);
  }
}

function stateName(index: LogIndex): string {
  return `state-${index}`;
}

function incomingName({ index, term }: Pick<Snapshot['meta'], 'index' | 'term'>): string {
  return `in-${index}-${term}`;
}

async function numbersIn(fs: FileSystem, directory: string, pattern: RegExp): Promise<readonly (readonly number[])[]> {
  const matches = (await fs.readDirectory(directory)).map(({ name }) => pattern.exec(name));
  return matches.filter((match) => match !== null).map((match) => match.slice(1).map(Number));
}

function isDiskFull(error: unknown): boolean {
  return error instanceof FileSystemError && error.code === 'KAYA_DISK_FULL' && !error.operation.startsWith('sync');
}
