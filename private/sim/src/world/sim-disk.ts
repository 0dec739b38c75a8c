/**
 * The disk of one site: a MemoryFileSystem whose slow calls take their time, that fills up, fails and loses what is not synced.
 *
 * Invariant: a call does its work at the beginning of its time or at its end, by chance; a process that dies meanwhile never learns which.
 */

import type { SeededRandom } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import {
  crashClone,
  crashModes,
  FaultyFileSystem,
  InterceptedFileSystem,
  type Interceptor,
  MemoryFileSystem,
  type Operation,
  type OperationKind,
} from '@kayadb/vfs/testing';

import type { ProcessGate } from './process-gate.ts';
import { drawFrom, type Profile } from './profile.ts';
import type { Timeline } from './timeline.ts';

/** Calls that wait for the disk. Others find what they need in the cache of the operating system. */
const SLOW: ReadonlySet<OperationKind> = new Set<OperationKind>(['sync', 'syncDirectory', 'rename', 'write', 'unlink']);

type Ended<T> = { readonly isDone: true; readonly value: T } | { readonly isDone: false; readonly error: unknown };

export interface DiskWorld {
  readonly timeline: Timeline;
  readonly profile: Pick<Profile, 'diskDelay'>;
  readonly random: SeededRandom;
}

export class SimDisk {
  readonly #world: DiskWorld;
  #memory = new MemoryFileSystem();
  #faulty = new FaultyFileSystem(this.#memory);
  /** What is asked of the disk before waits until then. */
  #stalledUntilMs = 0;
  #backup: MemoryFileSystem | undefined;
  #onNextSync: { readonly strike: () => void; readonly isMeant: (operation: Operation) => boolean } | undefined;
  #hasFailed = false;
  #owesError = false;

  constructor(world: DiskWorld) {
    this.#world = world;
  }

  /** Whether the process that has it open may have met a failure. */
  get hasFailed(): boolean {
    return this.#hasFailed || this.#memory.capacityBytes !== undefined;
  }

  /** Whether something may be lost that the process has not been told of: to heal that would be a lie, so the process has to end first. */
  get owesError(): boolean {
    return this.#owesError;
  }

  /** The file system as a process sees it that is behind `gate`. */
  open(gate: ProcessGate): FileSystem {
    this.#hasFailed = false;
    this.#owesError = false;
    this.#onNextSync = undefined;
    this.#faulty = new FaultyFileSystem(this.#memory);
    const interceptor: Interceptor = {
      call: (operation, run) => this.#call(gate, operation, run),
      callSync: (_operation, run) => run(),
    };
    return new InterceptedFileSystem(this.#faulty, interceptor);
  }

  /** The process is gone; the power too where `isPowerLoss`. @returns What became of the unsynced. */
  crash(isPowerLoss: boolean): string {
    const random = (): number => this.#world.random.next();
    const { memory, mode } = this.#survivor(isPowerLoss, random);
    this.#memory = memory;
    this.#stalledUntilMs = 0;
    return mode;
  }

  wipe(): void {
    this.#memory = new MemoryFileSystem();
    this.#backup = undefined;
  }

  /** Somebody copies the folder, to put it back one day. */
  backUp(): void {
    this.#backup = crashClone(this.#memory, { kind: 'everything' }, () => 0);
  }

  /** @returns Whether there was a copy to be put back. */
  rollBack(): boolean {
    if (this.#backup === undefined) return false;
    this.#memory = this.#backup;
    this.#backup = undefined;
    return true;
  }

  /** Leaves room for `bytes` more. */
  async fill(bytes: number): Promise<void> {
    const { totalBytes, availableBytes } = await this.#memory.diskSpace('/');
    this.#memory.setCapacity(totalBytes - availableBytes + bytes);
  }

  empty(): void {
    // Who has met the full disk may still be at work on it.
    this.#hasFailed = this.hasFailed;
    this.#memory.setCapacity(undefined);
  }

  stall(ms: number): void {
    this.#stalledUntilMs = this.#world.timeline.nowMs + ms;
  }

  /** Calls `strike` while the next sync is under way, when there is something to lose: of files and folders, or of those that are meant. */
  duringNextSync(strike: () => void, isMeant: (operation: Operation) => boolean = () => true): void {
    this.#onNextSync = { strike, isMeant };
  }

  /** The next sync of a file fails. */
  failNextSync(pages: 'dropped' | 'clean'): void {
    this.#hasFailed = true;
    this.#faulty.inject({ at: 1, effect: { kind: 'failed-sync', pages, errno: 'EIO' } });
  }

  /** A write that is not written back: the next sync of its file tells. */
  failNextWriteBack(): void {
    this.#hasFailed = true;
    this.#owesError = true;
    this.#faulty.inject({ at: 1, kinds: ['write'], effect: { kind: 'late-error', errno: 'EIO' } });
  }

  /** Requires: nothing is owed to a process that goes on. */
  heal(): void {
    this.empty();
    this.#onNextSync = undefined;
    this.#stalledUntilMs = 0;
    this.#faulty.heal();
  }

  #survivor(isPowerLoss: boolean, random: () => number): { readonly memory: MemoryFileSystem; readonly mode: string } {
    const mode = isPowerLoss
      ? this.#world.random.pick(crashModes(this.#memory, random))
      : ({ kind: 'everything' } as const);
    return { memory: crashClone(this.#memory, mode, random), mode: mode.kind };
  }

  async #call<T>(gate: ProcessGate, operation: Operation, run: () => Promise<T>): Promise<T> {
    if (!SLOW.has(operation.kind)) return await run();
    const { random } = this.#world;
    if (random.chance(0.5)) {
      await this.#wait(gate, operation);
      return await run();
    }
    // It may fail long before anybody asks.
    const ended = run().then(
      (value): Ended<T> => ({ isDone: true, value }),
      (error: unknown): Ended<T> => ({ isDone: false, error }),
    );
    await this.#wait(gate, operation);
    const outcome = await ended;
    if (!outcome.isDone) throw outcome.error;
    return outcome.value;
  }

  #wait(gate: ProcessGate, operation: Operation): Promise<void> {
    const { timeline, profile, random } = this.#world;
    const delayMs = Math.max(drawFrom(profile.diskDelay, random), this.#stalledUntilMs - timeline.nowMs);
    const waiting = this.#onNextSync;
    if (waiting !== undefined && operation.kind.startsWith('sync') && waiting.isMeant(operation)) {
      this.#onNextSync = undefined;
      timeline.after(delayMs * random.next(), () => {
        if (!gate.isDead) waiting.strike();
      });
    }
    return new Promise((resolve) => {
      timeline.after(delayMs, () => gate.enter(resolve));
    });
  }
}
