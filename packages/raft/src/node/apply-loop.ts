/**
 * The apply thread: committed entries into the state machine, in order, one call at a time; changes of the group at their place among them; snapshots that
 * came from a leader in the place of it all.
 *
 * Invariant: what is applied next is `point.index + 1`, or a snapshot beyond it.
 */

import { assert, type Clock } from '@kayadb/codec';

import type { ConfigChange } from '../core/config-change.ts';
import { changeMembership } from '../core/membership.ts';
import type { StorageApply } from '../core/message.ts';
import type { Configuration, Entry, LogIndex, Snapshot } from '../core/types.ts';
import { committedChangeOf } from './committed-change.ts';
import { Fifo } from './fifo.ts';
import { entriesBytes } from './message-bytes.ts';
import type { EntryOutcome } from './proposals.ts';
import type { AppliedPoint, StateMachine } from './state-machine.ts';

export interface ApplyLoopHost<Result> {
  /** Tells the core of a change at its place. Not called for one that does not fit the configuration. */
  applyConfigChange(entry: Entry, change: ConfigChange, configuration: Configuration): void;
  onEntryApplied(entry: Entry, outcome: EntryOutcome<Result>): void;
  /** `point` has moved. `bytes` is what was applied since it last did. */
  onPointMoved(point: AppliedPoint, bytes: number): void;
  /** All of `work` is applied. */
  onApplied(work: StorageApply): void;
  /** Resolves when nobody else is at work on the state machine. */
  readyToRestore(): Promise<void>;
  onRestored(snapshot: Snapshot): void;
  /** Nothing is left to be applied: `point` stands until `apply` or `restore` is called. */
  onIdle(): void;
  onFailed(cause: unknown): void;
}

export interface ApplyLoopTime {
  readonly clock: Clock;
  readonly yieldTurn: () => Promise<void>;
}

export interface ApplyStart {
  /** What the state machine stands for. */
  readonly point: AppliedPoint;
  /** The index of which `point.configuration` is: not below that of `point`. */
  readonly configurationIndex: LogIndex;
}

type Job =
  | { readonly kind: 'apply'; readonly work: StorageApply }
  | { readonly kind: 'restore'; readonly snapshot: Snapshot; readonly done: () => void };

/** Time for which the loop keeps others from having a turn, at the most a run longer. */
const TURN_MS = 2;
/** Bound: entries in one call of the state machine. */
const MAX_RUN_ENTRIES = 1024;

export class ApplyLoop<Result> {
  readonly #stateMachine: StateMachine<Result>;
  readonly #host: ApplyLoopHost<Result>;
  readonly #time: ApplyLoopTime;
  readonly #jobs = new Fifo<Job>();
  /** Changes of the group up to here are in force since the start. */
  readonly #configurationIndex: LogIndex;
  #point: AppliedPoint;
  #running: Promise<void> | undefined;
  /** When others last had a turn. */
  #sinceMs = 0;
  #isStopped = false;

  constructor(stateMachine: StateMachine<Result>, start: ApplyStart, host: ApplyLoopHost<Result>, time: ApplyLoopTime) {
    this.#stateMachine = stateMachine;
    this.#point = start.point;
    this.#configurationIndex = start.configurationIndex;
    this.#host = host;
    this.#time = time;
  }

  get point(): AppliedPoint {
    return this.#point;
  }

  get isIdle(): boolean {
    return this.#running === undefined;
  }

  apply(work: StorageApply): void {
    this.#push({ kind: 'apply', work });
  }

  /** Calls `done` when the state machine has the snapshot; never when the loop was stopped. */
  restore(snapshot: Snapshot, done: () => void): void {
    this.#push({ kind: 'restore', snapshot, done });
  }

  /** Nothing is begun any more, and nothing is told. Resolves when the call under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#jobs.takeAll();
    await this.#running;
  }

  #push(job: Job): void {
    if (this.#isStopped) return;
    this.#jobs.push(job);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    try {
      await Promise.resolve();
      this.#sinceMs = this.#time.clock.now();
      for (let job = this.#jobs.take(); job !== undefined; job = this.#jobs.take()) {
        await (job.kind === 'apply' ? this.#apply(job.work) : this.#restore(job.snapshot, job.done));
      }
      this.#running = undefined;
      if (!this.#isStopped) this.#host.onIdle();
    } catch (error) {
      this.#running = undefined;
      const wasStopped = this.#isStopped;
      this.#isStopped = true;
      if (!wasStopped) this.#host.onFailed(error);
    }
  }

  async #apply(work: StorageApply): Promise<void> {
    let run: Entry[] = [];
    for (const entry of work.entries) {
      const before = run.at(-1)?.index ?? this.#point.index;
      assert(entry.index === before + 1, `entry ${entry.index} is to be applied behind ${before}`);
      run.push(entry);
      if (entry.kind === 'normal' && run.length < MAX_RUN_ENTRIES) continue;
      await this.#applyRun(run);
      run = [];
      if (this.#isStopped) return;
    }
    if (run.length > 0) await this.#applyRun(run);
    if (!this.#isStopped) this.#host.onApplied(work);
  }

  /** Lets others have a turn where the state machine never waits. */
  async #maybeYield(): Promise<void> {
    if (this.#time.clock.now() - this.#sinceMs < TURN_MS) return;
    await this.#time.yieldTurn();
    this.#sinceMs = this.#time.clock.now();
  }

  /** Consecutive entries, of which the last one alone may be a change of the group. */
  async #applyRun(run: readonly Entry[]): Promise<void> {
    const last = run.at(-1)!;
    const forStateMachine = run.filter(({ kind, data }) => kind === 'normal' && data.byteLength > 0);
    const results = await this.#stateMachine.apply(forStateMachine, last.index, last.term);
    assert(results.length === forStateMachine.length, 'the state machine answered a different number of entries');
    if (this.#isStopped) return;
    const outcomes = this.#outcomesOf(run, results);
    this.#host.onPointMoved(this.#point, entriesBytes(run));
    for (const [at, outcome] of outcomes.entries()) this.#host.onEntryApplied(run[at]!, outcome);
    await this.#maybeYield();
  }

  #outcomesOf(run: readonly Entry[], results: readonly Result[]): readonly EntryOutcome<Result>[] {
    let next = 0;
    let { configuration } = this.#point;
    const outcomes: EntryOutcome<Result>[] = [];
    for (const entry of run) {
      if (entry.kind !== 'normal') {
        const changed = this.#configurationAfter(entry, configuration);
        configuration = changed ?? configuration;
        outcomes.push(changed === undefined ? { kind: 'nothing' } : { kind: 'configuration', configuration });
      } else if (entry.data.byteLength > 0) outcomes.push({ kind: 'result', result: results[next++]! });
      else outcomes.push({ kind: 'nothing' });
    }
    const { index, term } = run.at(-1)!;
    this.#point = { index, term, configuration };
    return outcomes;
  }

  /** `undefined` when the change does not fit: every node finds the same, and it changes nothing anywhere. */
  #configurationAfter(entry: Entry, before: Configuration): Configuration | undefined {
    if (entry.index <= this.#configurationIndex) return before;
    const change = committedChangeOf(entry);
    const membership = changeMembership(before, change);
    if (membership.kind === 'refused') return undefined;
    this.#host.applyConfigChange(entry, change, membership.configuration);
    return membership.configuration;
  }

  async #restore(snapshot: Snapshot, done: () => void): Promise<void> {
    const { index, term, configuration } = snapshot.meta;
    assert(index > this.#point.index, `a snapshot of ${index} would undo ${this.#point.index}`);
    await this.#host.readyToRestore();
    if (this.#isStopped) return;
    await this.#stateMachine.restore(snapshot);
    if (this.#isStopped) return;
    this.#point = { index, term, configuration };
    this.#host.onRestored(snapshot);
    this.#host.onPointMoved(this.#point, 0);
    done();
  }
}
