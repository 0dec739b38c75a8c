/**
 * Runs a workload on a simulated disk and keeps the disk, with what the store owes then, after every change, every sync and every
 * answer to a writer.
 */

import { assertNever } from '@kayadb/codec';
import type { Engine, Snapshot, WriteOptions, WriteResult } from '@kayadb/engine';
import type { SeededRandom } from '@kayadb/testkit';
import { FileSystemError } from '@kayadb/vfs';
import { crashClone, MemoryFileSystem } from '@kayadb/vfs/testing';

import type { Findings } from '../report.ts';
import { contentOf, ProofWorld } from '../workload/proof-world.ts';
import { isWrite, printWorkloadOp, toOperations, type WorkloadOp, type WorkloadWriteOp } from '../workload/workload.ts';
import { CrashHistory, describeContent, type Owed } from './crash-history.ts';
import type { CrashSetting } from './crash-setting.ts';
import { lateDisk, pass } from './late-disk.ts';

/** A moment at which the power goes. */
export interface CrashPoint {
  /** Nobody changes it any more; what was unsynced is. */
  readonly disk: MemoryFileSystem;
  readonly owed: Owed;
  /** For people. */
  readonly where: string;
  readonly kind: 'mutation' | 'answer';
  /** Whether the workload is at a checkpoint. */
  readonly isInCheckpoint: boolean;
}

interface HeldSnapshot {
  readonly snapshot: Snapshot;
  readonly state: number;
  readonly untilOp: number;
}

const CHECKPOINTS = '/checkpoints';
/** Bound: points that are kept at once. Until then the workload runs on, so that its background work overlaps with writes. */
const MAX_POINTS = 400;
/** How often time passes, and how much: often right after another time, so that what was written in between is all there is to sync. */
const TICK_SHARE = 0.25;
const TICK_MS = 100;
/** Bound: promise reactions between that and the next operation. */
const MAX_TURNS_BEHIND_TICK = 12;
const SNAPSHOT_OPS = 40;

export class RecordedWorkload {
  readonly history = new CrashHistory();
  readonly #ops: readonly WorkloadOp[];
  readonly #setting: CrashSetting;
  readonly #random: SeededRandom;
  readonly #findings: Findings;
  readonly #disk = new MemoryFileSystem();
  readonly #world: ProofWorld;
  readonly #inFlight = new Set<Promise<void>>();
  #engine: Engine | undefined;
  #held: HeldSnapshot | undefined;
  #points: CrashPoint[] = [];
  #opIndex = 0;
  /** The operation that runs, for people. */
  #doing = 'the first opening';
  /** The newest state answered when time passed last, while what fell due then is under way. */
  #answeredBeforeTick: number | undefined;
  /** Changes of the disk and syncs, by operation. */
  readonly mutations = new Map<string, number>();

  constructor(ops: readonly WorkloadOp[], setting: CrashSetting, random: SeededRandom, findings: Findings) {
    this.#ops = ops;
    this.#setting = setting;
    this.#random = random;
    this.#findings = findings;
    this.#world = new ProofWorld(lateDisk(this.#disk, random.fork('late')), 'recorded');
  }

  /** Runs the workload, and hands out its crash points a few hundred at a time. */
  async *points(): AsyncGenerator<readonly CrashPoint[]> {
    await this.#disk.makeDirectory(CHECKPOINTS);
    await this.#disk.syncDirectory('/');
    this.#disk.afterEachMutation(({ operation, path }) => {
      this.mutations.set(operation, (this.mutations.get(operation) ?? 0) + 1);
      this.#keep('mutation', `${operation} ${path}`);
    });
    this.#engine = await this.#world.open(this.#setting.engine);
    for (const [index, op] of this.#ops.entries()) {
      this.#opIndex = index;
      this.#doing = `operation ${index} (${printWorkloadOp(op)})`;
      await this.#run(op);
      if (this.#points.length > MAX_POINTS) yield this.#points.splice(0);
    }
    await this.#close();
    yield this.#points.splice(0);
    this.#world.die();
  }

  async #run(op: WorkloadOp): Promise<void> {
    if (!isWrite(op)) {
      await this.#quiet();
      await this.#runTask(op);
    } else if (this.#setting.roomBytes === undefined) {
      this.#inFlight.add(this.#write(op));
      // Writers that do not wait for each other share a commit group.
      if (this.#random.chance(0.7)) await this.#quiet();
    } else {
      await this.#writeInRoom(op, this.#setting.roomBytes);
    }
    await this.#maybeHoldSnapshot();
    await this.#settleTick();
    if (this.#random.chance(TICK_SHARE)) await this.#tick();
  }

  async #writeInRoom(op: WorkloadWriteOp, roomBytes: number): Promise<void> {
    const { totalBytes, availableBytes } = await this.#disk.diskSpace('/');
    this.#disk.setCapacity(totalBytes - availableBytes + roomBytes);
    try {
      await this.#write(op);
    } catch (error) {
      if (!(error instanceof FileSystemError && error.code === 'KAYA_DISK_FULL')) throw error;
      this.history.undo();
    }
    this.#disk.setCapacity(undefined);
  }

  async #write(op: WorkloadWriteOp): Promise<void> {
    const state = this.history.submit(op);
    const options = this.#writeOptions(state);
    const isStrict = (options.durability ?? this.#setting.engine.durability) === 'strict';
    const { durable } = await this.#submit(op, options);
    this.history.answer(state, durable || isStrict);
    if (isStrict && !durable)
      this.#findings.add(`${this.#setting.name}: strict write ${state} says that it is not durable`);
    this.#keep('answer', `answer to write ${state}`);
  }

  /** Each in its own way: single puts and deletes take another path than batches. */
  #submit(op: WorkloadWriteOp, options: WriteOptions): Promise<WriteResult> {
    const engine = this.#engine!;
    switch (op.kind) {
      case 'put':
        return engine.put(op.key, op.value, options);
      case 'delete':
        return engine.delete(op.key, options);
      case 'delete-range':
        return engine.deleteRange({ prefix: op.prefix }, options);
      case 'batch':
        return engine.batch(toOperations(op), options);
      default:
        return assertNever(op, 'write');
    }
  }

  #writeOptions(state: number): WriteOptions {
    const { engine, durabilityOf } = this.#setting;
    return {
      ...(engine.log === 'external' && { appliedIndex: state }),
      ...(durabilityOf !== undefined && { durability: durabilityOf(this.#random) }),
    };
  }

  async #runTask(op: Exclude<WorkloadOp, WorkloadWriteOp>): Promise<void> {
    const engine = this.#engine!;
    const { submitted } = this.history;
    switch (op.kind) {
      case 'flush':
        await engine.flush();
        break;
      case 'compact':
        await engine.compact();
        break;
      case 'checkpoint': {
        const path = `${CHECKPOINTS}/${op.name}`;
        this.history.beginCheckpoint(path);
        // Half of them while compaction replaces the tables that are linked.
        const compacting = this.#random.chance(0.5) ? engine.compact() : undefined;
        await Promise.all([engine.checkpoint(path), compacting]);
        this.history.endCheckpoint(path);
        break;
      }
      case 'reopen':
        await this.#close();
        this.#engine = await this.#world.open(this.#setting.engine);
        break;
      default:
        assertNever(op, 'task');
    }
    this.history.settle(submitted);
    this.#keep('answer', `end of ${op.kind}`);
  }

  async #close(): Promise<void> {
    await this.#quiet();
    await this.#releaseSnapshot();
    const { submitted } = this.history;
    await this.#engine!.close();
    this.history.settle(submitted);
    this.#keep('answer', 'end of close');
  }

  async #quiet(): Promise<void> {
    await Promise.all(this.#inFlight);
    this.#inFlight.clear();
  }

  /** More than the interval of mode `interval` passes. The next operation runs beside what falls due then. */
  async #tick(): Promise<void> {
    this.#answeredBeforeTick = this.history.answered;
    this.#world.clock.advance(TICK_MS + 1);
    await pass(this.#random.int(MAX_TURNS_BEHIND_TICK));
  }

  /** What fell due is done. */
  async #settleTick(): Promise<void> {
    if (this.#answeredBeforeTick === undefined) return;
    await this.#world.clock.advanceAsync(0);
    if (this.#setting.engine.durability === 'interval') this.history.settle(this.#answeredBeforeTick);
    this.#answeredBeforeTick = undefined;
  }

  /** One state is held now and then, across flushes and compactions, and has to be what it was. */
  async #maybeHoldSnapshot(): Promise<void> {
    if (this.#held !== undefined && this.#held.untilOp <= this.#opIndex) await this.#releaseSnapshot();
    if (this.#held !== undefined || !this.#random.chance(0.02)) return;
    await this.#quiet();
    this.#held = {
      snapshot: this.#engine!.snapshot(),
      state: this.history.submitted,
      untilOp: this.#opIndex + SNAPSHOT_OPS,
    };
  }

  async #releaseSnapshot(): Promise<void> {
    if (this.#held === undefined) return;
    const { snapshot, state } = this.#held;
    const found = describeContent(await contentOf(this.#engine!, { snapshot }));
    if (found !== this.history.state(state)) {
      this.#findings.add(`${this.#setting.name}: the snapshot of state ${state} changed by ${this.#doing}`);
    }
    snapshot.close();
    this.#held = undefined;
  }

  #keep(kind: CrashPoint['kind'], what: string): void {
    const disk = crashClone(this.#disk, { kind: 'everything' }, () => 0);
    // Who starts the machine again makes room first.
    disk.setCapacity(undefined);
    this.#points.push({
      disk,
      owed: this.history.owed,
      where: `${this.#doing}, after ${what}`,
      kind,
      isInCheckpoint: this.#ops[this.#opIndex]?.kind === 'checkpoint',
    });
  }
}
