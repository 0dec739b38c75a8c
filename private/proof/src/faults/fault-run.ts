/**
 * Runs a program once on a disk that fails, beside a model, and collects what contradicts the promise: an error without a type, a call that
 * never comes back, an answer that is wrong, a write that is acknowledged by a poisoned store, a descriptor that stays open.
 */

import { assertNever } from '@kayadb/codec';
import {
  DirectoryLockedError,
  type Engine,
  type EngineEvent,
  type EngineOptions,
  openEngine,
  restoreBackup,
  verifyBackup,
} from '@kayadb/engine';
import { fakeProcessWorld, type Fault, FaultyFileSystem, type MemoryFileSystem } from '@kayadb/vfs/testing';

import { DIRECTORY, ProofWorld } from '../workload/proof-world.ts';
import type { Content } from '../workload/workload.ts';
import { contentOf, describeContent } from './content-of.ts';
import { DiskCalls, type DiskFailure } from './disk-calls.ts';
import { emptyRanges, type FaultOp } from './fault-program.ts';
import { FaultReads } from './fault-reads.ts';
import { HangError, settled } from './settled.ts';
import type { StoreModel } from './store-model.ts';
import { errorCodes, hasUnknownOutcome, untyped } from './typed-errors.ts';

export const COPIES = '/copies';
/** Bound: times that opening is tried on a disk that goes on failing. */
const MAX_FAILED_OPENS = 3;

export interface FaultRunOptions {
  readonly disk: MemoryFileSystem;
  readonly model: StoreModel;
  readonly program: readonly FaultOp[];
  readonly options: EngineOptions;
  readonly faults: readonly Fault[];
  /** Does again at once what failed: on a disk that is well again, all but a poisoned store do it. */
  readonly retries?: boolean;
  readonly tracesSyncs?: boolean;
  /** Called once, when the first caller is told of a failure. */
  readonly onFailure?: (run: FaultRun) => void;
}

export class FaultRun {
  readonly disk: MemoryFileSystem;
  readonly calls: DiskCalls;
  readonly options: FaultRunOptions;
  /** What contradicts the promise. */
  readonly findings: string[] = [];
  /** How often each code was the answer. */
  readonly errors = new Map<string, number>();
  /** Copies that were acknowledged, with what they hold. */
  readonly copies = new Map<string, Content>();
  /** The same of all that were begun: where a crash leaves one, it is whole. */
  readonly begunCopies = new Map<string, Content>();
  leakedHandles = 0;
  poisonings = 0;
  warnings = 0;
  /** Whether anybody was told of a failure: a caller by an error, or a listener by an event. */
  isTold = false;
  readonly #world: ProofWorld;
  readonly #faulty: FaultyFileSystem;
  #engine: Engine | undefined;
  readonly #reads: FaultReads;
  #poison: { readonly cause: Error; readonly unlinked: number } | undefined;
  #failedOpens = 0;
  /** Whether the model knows what the open store holds. */
  #isAdopted = false;
  /** Of the step at hand. */
  #lastError: Error | undefined;
  #at = '';

  constructor(options: FaultRunOptions) {
    this.options = options;
    this.disk = options.disk;
    this.#faulty = new FaultyFileSystem(options.disk, options.faults);
    this.calls = new DiskCalls(this.#faulty);
    this.calls.tracesSyncs = options.tracesSyncs ?? false;
    this.#world = new ProofWorld(this.calls);
    this.#reads = new FaultReads({
      attempt: (work) => this.#attempt(work),
      find: (what) => this.findings.push(`${this.#at}: ${what}`),
    });
  }

  get model(): StoreModel {
    return this.options.model;
  }

  async run(): Promise<void> {
    for (const [index, op] of this.options.program.entries()) {
      this.#at = `${index} ${op.kind}`;
      if (this.#engine === undefined && !(await this.#open())) {
        if (this.#failedOpens >= MAX_FAILED_OPENS) break;
        continue;
      }
      this.#lastError = undefined;
      await this.#step(op, this.#engine!);
      if (this.options.retries === true && this.#lastError !== undefined) await this.#retry(op);
    }
    this.#at = 'the end';
    await this.#close();
    if (!this.isTold && this.calls.failures.some(isFailedSync)) {
      this.findings.push('a failed sync was told to nobody');
    }
  }

  async #retry(op: FaultOp): Promise<void> {
    const failures = this.calls.failures.length;
    this.#at = `${this.#at} again`;
    this.#lastError = undefined;
    if (this.#engine === undefined) return;
    await this.#step(op, this.#engine);
    const isExpected = this.#poison !== undefined || this.calls.failures.length > failures;
    if (this.#lastError !== undefined && !isExpected) {
      this.findings.push(`${this.#at}: fails on a disk that is well again: ${String(this.#lastError)}`);
    }
  }

  /** @returns What `work` gives, or `undefined` when it fails as it may. */
  async #attempt<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await settled(work(), this.#world.clock, () => this.calls.count);
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #fail(error: unknown): void {
    this.#lastError = error instanceof Error ? error : new Error(String(error));
    const complaint = error instanceof HangError ? error.message : untyped(error);
    if (complaint !== undefined) this.findings.push(`${this.#at}: ${complaint}`);
    for (const code of errorCodes(error)) this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
    if (this.calls.failures.length === 0 && complaint === undefined) {
      this.findings.push(`${this.#at}: fails on a sound disk: ${String(error)}`);
    }
    if (this.#engine !== undefined && hasUnknownOutcome(error)) {
      this.findings.push(`${this.#at}: an unknown outcome does not poison the store: ${String(error)}`);
    }
    const isFirst = !this.isTold;
    this.isTold = true;
    if (isFirst) this.options.onFailure?.(this);
  }

  async #open(): Promise<boolean> {
    const options: EngineOptions = { ...this.options.options, onEvent: (event) => this.#onEvent(event) };
    this.#poison = undefined;
    const engine = await this.#attempt(() => this.#world.open(options));
    if (engine === undefined) {
      this.#failedOpens++;
      this.#expectNoHandles('a failed opening');
      return false;
    }
    const found = await this.#attempt(() => contentOf(engine));
    this.#engine = engine;
    this.#isAdopted = found !== undefined;
    if (found === undefined) {
      await this.#close();
      this.#failedOpens++;
      return false;
    }
    if (!this.model.allows(engine, found, this.dropsPages)) {
      this.findings.push(`${this.#at}: opening finds what was never there, or not what was: ${describeContent(found)}`);
    }
    this.model.adopt(engine, found);
    return true;
  }

  /** Whether the disk loses unsynced pages even without power loss. */
  get dropsPages(): boolean {
    return this.options.faults.some(({ effect }) => effect.kind === 'failed-sync' && effect.pages === 'dropped');
  }

  #onEvent(event: EngineEvent): void {
    if (event.kind === 'opened') this.calls.isStoreOpen = true;
    if (event.kind === 'warning') {
      this.warnings++;
      this.isTold = true;
    }
    if (event.kind !== 'poisoned') return;
    this.isTold = true;
    this.poisonings++;
    if (this.#poison !== undefined) this.findings.push(`${this.#at}: the store is poisoned twice`);
    this.#poison = { cause: event.cause, unlinked: this.calls.unlinked.length };
  }

  async #close(): Promise<void> {
    const engine = this.#engine;
    if (engine === undefined) return;
    const isClean = (await this.#attempt(async () => engine.close().then(() => true))) === true;
    if (isClean && this.#poison !== undefined)
      this.findings.push(`${this.#at}: a poisoned store closes as if nothing were wrong`);
    if (isClean && this.#isAdopted) this.model.noteDurable();
    this.#expectNothingRemoved();
    this.#engine = undefined;
    this.#reads.forget();
    this.calls.isStoreOpen = false;
    this.#expectNoHandles('closing');
  }

  #expectNoHandles(what: string): void {
    const { openHandles } = this.disk;
    if (openHandles === this.leakedHandles) return;
    this.findings.push(`${this.#at}: ${what} leaves ${openHandles - this.leakedHandles} files open`);
    this.leakedHandles = openHandles;
  }

  #expectNothingRemoved(): void {
    if (this.#poison === undefined) return;
    const removed = this.calls.unlinked
      .slice(this.#poison.unlinked)
      .filter((path) => path.startsWith(`${DIRECTORY}/`) && this.#mayBeNeeded(path));
    if (removed.length > 0) this.findings.push(`${this.#at}: a poisoned store removes ${removed.join(', ')}`);
  }

  /** Not so: files that were never synced, tables that could not be finished, which no edit has named, and the reserve. */
  #mayBeNeeded(path: string): boolean {
    if (path.includes('/RESERVE')) return false;
    const isUnfinished = path.endsWith('.sst') && this.calls.failures.some((failure) => failure.path === path);
    return this.calls.synced.has(path) && !isUnfinished;
  }

  async #step(op: FaultOp, engine: Engine): Promise<unknown> {
    switch (op.kind) {
      case 'put':
      case 'delete':
      case 'delete-range':
      case 'batch':
        return this.#write(() => this.model.write(engine, { op, isConditional: false }));
      case 'compare':
        if (op.isMet) return this.#write(() => this.model.write(engine, { op: op.write, isConditional: true }));
        if ((await this.#attempt(() => this.model.writeUnmet(engine, op.write))) === false) {
          this.findings.push(`${this.#at}: a condition that does not hold was taken for one that does`);
        }
        return undefined;
      case 'empty-ranges':
        return this.#write(() => engine.batch(emptyRanges(op.count)));
      case 'flush':
        return this.#change(() => engine.flush());
      case 'compact':
        return this.#change(() => engine.compact());
      case 'checkpoint':
        return this.#copy(op.name, (path) => engine.checkpoint(path));
      case 'backup':
        return this.#copy(op.name, (path) => engine.backup(path));
      case 'restore':
        return this.#restore(op.from, op.name);
      case 'reopen':
        await this.#close();
        await this.#open();
        return undefined;
      case 'pause':
        return this.#pause(op.ms);
      case 'second-open':
        return this.#openTwice();
      case 'snapshot':
      case 'cursor':
      case 'verify':
      case 'scan':
      case 'reverse-scan':
      case 'gets':
      case 'size':
        return this.#reads.read(op.kind, engine, this.model.visible);
      default:
        return assertNever(op, 'operation');
    }
  }

  /** What a poisoned store refuses. @returns Whether it is done. */
  async #write(write: () => Promise<unknown>): Promise<boolean> {
    const poison = this.#poison;
    const isDone = (await this.#attempt(() => write().then(() => true))) === true;
    if (poison === undefined) return isDone;
    const { code, cause } = (this.#lastError ?? {}) as { readonly code?: unknown; readonly cause?: unknown };
    if (isDone) this.findings.push(`${this.#at}: a poisoned store does it`);
    else if (code !== 'KAYA_ENGINE_POISONED' || cause !== poison.cause) {
      this.findings.push(`${this.#at}: a poisoned store gives another reason: ${String(this.#lastError)}`);
    }
    return isDone;
  }

  /** As `#write`, of what makes everything before it durable. */
  async #change(change: () => Promise<unknown>): Promise<boolean> {
    const isDone = await this.#write(change);
    if (isDone) this.model.noteDurable();
    return isDone;
  }

  async #copy(name: string, copy: (path: string) => Promise<unknown>): Promise<void> {
    const path = `${COPIES}/${name}`;
    const content = this.model.visible;
    const isTaken = this.copies.has(path);
    if (!isTaken) this.begunCopies.set(path, content);
    if (await this.#change(() => copy(path))) this.copies.set(path, content);
    else if (!isTaken) await this.#expectNoName(path);
  }

  /** Of a copy that failed, unless the disk did not even let it be taken back. */
  async #expectNoName(path: string): Promise<void> {
    if ((await this.disk.stat(path)) === undefined) return;
    const couldNotRename = this.calls.failures.some(
      ({ kind, path: paths }) => kind === 'rename' && paths.startsWith(`${path} to`),
    );
    if (!couldNotRename) this.findings.push(`${this.#at}: failed, and leaves ${path}`);
  }

  async #restore(from: string, name: string): Promise<void> {
    const source = `${COPIES}/${from}`;
    const target = `${COPIES}/${name}`;
    const content = this.copies.get(source);
    if (content === undefined) return;
    this.begunCopies.set(target, content);
    const offline = { fileSystem: this.calls };
    const isRestored = await this.#attempt(async () => {
      await verifyBackup(source, offline);
      await restoreBackup(source, target, offline);
      return true;
    });
    if (isRestored !== true) return this.#expectNoName(target);
    this.copies.set(target, content);
  }

  /** From another machine, as it were: who holds the lock cannot be seen from there. */
  async #openTwice(): Promise<void> {
    const processes = fakeProcessWorld().start({ host: 'elsewhere' });
    const { fileSystem, clock } = this.#world;
    const second = await this.#attempt(async () => {
      try {
        return await openEngine(DIRECTORY, { ...this.options.options, fileSystem, clock, processes });
      } catch (error) {
        if (error instanceof DirectoryLockedError) return undefined;
        throw error;
      }
    });
    if (second === undefined) return;
    this.findings.push(`${this.#at}: the store is open twice`);
    await this.#attempt(() => second.close());
  }

  async #pause(ms: number): Promise<void> {
    await this.#world.clock.advanceAsync(ms);
    const { durability, intervalMs = 100 } = this.options.options;
    if (durability === 'interval' && ms >= intervalMs && this.#poison === undefined) this.model.noteDurable();
  }
}

/** Of anything but the reserve, which holds no data: where a full disk refuses it, it is made later. */
function isFailedSync({ kind, path }: DiskFailure): boolean {
  return (kind === 'sync' || kind === 'syncDirectory') && !path.includes('/RESERVE');
}
