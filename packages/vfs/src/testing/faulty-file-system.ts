/**
 * Fails calls to another file system by plan: the disk that is full, broken or lying at just the wrong moment.
 *
 * A failed call is not made, unless its fault says otherwise. How a failed sync treats the pages it could not write
 * needs a MemoryFileSystem underneath, for a real disk cannot be told.
 */

import { assertNever } from '@kayadb/codec';

import { FileSystemError } from '../file-system-error.ts';
import type { FileSystem } from '../file-system.ts';
import {
  innermostHandle,
  InterceptedFileSystem,
  type Interceptor,
  type Operation,
  type OperationKind,
} from './intercepted-file-system.ts';
import { MemoryFileHandle } from './memory-file-handle.ts';

/**
 * What happens instead of the call.
 *
 * - `fail`: nothing but the error. A sync that fails so leaves its bytes unsynced; a close does close.
 * - `short-write`: the first `bytes` bytes are written, then comes the error.
 * - `failed-sync`: the error, and the kernel gives up on the unsynced pages of the file: `dropped` ones read as the
 *   disk has them, `clean` ones read as written, but a crash loses them and all that is written over them. Either way the
 *   next sync succeeds.
 * - `late-error`: a write or a sync succeeds, but writing back its file's pages has failed: a crash loses them, and
 *   the next sync of the file has the error. After a write this is how kernels do it; after a sync it is a lying disk.
 */
export type FaultEffect =
  | { readonly kind: 'fail'; readonly errno: string }
  | { readonly kind: 'short-write'; readonly bytes: number; readonly errno: string }
  | { readonly kind: 'failed-sync'; readonly pages: 'dropped' | 'clean'; readonly errno: string }
  | { readonly kind: 'late-error'; readonly errno: string };

export interface Fault {
  /** Which of the calls that match, counted from 1 since the fault was added. */
  readonly at: number;
  /** The kinds that match. By default those that the effect makes sense for. */
  readonly kinds?: readonly OperationKind[];
  /** Which paths match; all by default. A call with two paths matches if one does. */
  readonly matchesPath?: (path: string) => boolean;
  /** Whether the later calls that match fail too. False by default. */
  readonly forever?: boolean;
  readonly effect: FaultEffect;
}

interface ArmedFault {
  readonly fault: Fault;
  seen: number;
}

export class FaultyFileSystem extends InterceptedFileSystem {
  readonly #plan: FaultPlan;

  constructor(inner: FileSystem, faults: readonly Fault[] = []) {
    const plan = new FaultPlan();
    super(inner, plan);
    this.#plan = plan;
    for (const fault of faults) plan.add(fault);
  }

  /** Adds a fault; it counts calls from now on. */
  inject(fault: Fault): void {
    this.#plan.add(fault);
  }

  /** Ends all faults, errors that would come late included. */
  heal(): void {
    this.#plan.clear();
  }

  /** How many calls of these kinds (of all, by default) came so far: what a test that fails each in turn counts to. */
  countOf(kinds?: readonly OperationKind[]): number {
    return this.#plan.countOf(kinds);
  }
}

class FaultPlan implements Interceptor {
  #armed: ArmedFault[] = [];
  #lateErrors = new WeakMap<object, string>();
  readonly #counts = new Map<OperationKind, number>();

  add(fault: Fault): void {
    this.#armed.push({ fault, seen: 0 });
  }

  clear(): void {
    this.#armed = [];
    this.#lateErrors = new WeakMap();
  }

  countOf(kinds: readonly OperationKind[] = [...this.#counts.keys()]): number {
    return kinds.reduce((sum, kind) => sum + (this.#counts.get(kind) ?? 0), 0);
  }

  async call<T>(operation: Operation, run: () => Promise<T>): Promise<T> {
    const effect = this.#next(operation);
    if (effect?.kind === 'fail' && operation.kind === 'close') await run();
    this.#before(operation, effect);
    // A lying sync is not made, or it would make durable what it lies about.
    const result = effect?.kind === 'late-error' && operation.kind === 'sync' ? (undefined as T) : await run();
    this.#after(operation, effect);
    return result;
  }

  callSync<T>(operation: Operation, run: () => T): T {
    const effect = this.#next(operation);
    this.#before(operation, effect);
    const result = effect?.kind === 'late-error' && operation.kind === 'sync' ? (undefined as T) : run();
    this.#after(operation, effect);
    return result;
  }

  #next(operation: Operation): FaultEffect | undefined {
    const { kind } = operation;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    let effect: FaultEffect | undefined;
    for (const armed of this.#armed) {
      const { fault } = armed;
      if (!matches(fault, operation)) continue;
      armed.seen++;
      if (armed.seen === fault.at || (fault.forever === true && armed.seen > fault.at)) effect ??= fault.effect;
    }
    return effect;
  }

  /** @throws FileSystemError when the call is not to be made. */
  #before(operation: Operation, effect: FaultEffect | undefined): void {
    if (operation.kind === 'sync') this.#reportLate(operation);
    switch (effect?.kind) {
      case undefined:
      case 'late-error':
        return;
      case 'fail':
        break;
      case 'short-write':
        operation.handle?.writeSync(
          (operation.data ?? new Uint8Array()).subarray(0, effect.bytes),
          operation.position ?? 0,
        );
        break;
      case 'failed-sync':
        memoryHandle(operation).failSync(effect.pages);
        break;
      default:
        assertNever(effect, 'fault effect');
    }
    throw new FileSystemError(effect.errno, operation.kind, operation.paths.join(' to '));
  }

  #after(operation: Operation, effect: FaultEffect | undefined): void {
    if (effect?.kind !== 'late-error') return;
    const handle = memoryHandle(operation);
    handle.failSync('clean');
    this.#lateErrors.set(handle.identity, effect.errno);
  }

  #reportLate(operation: Operation): void {
    const handle = operation.handle && innermostHandle(operation.handle);
    if (!(handle instanceof MemoryFileHandle)) return;
    const errno = this.#lateErrors.get(handle.identity);
    if (errno === undefined) return;
    this.#lateErrors.delete(handle.identity);
    handle.failSync('clean');
    throw new FileSystemError(errno, operation.kind, operation.paths.join(' to '));
  }
}

function matches({ kinds, matchesPath, effect }: Fault, operation: Operation): boolean {
  if (!canHave(effect, operation.kind)) return false;
  if (kinds !== undefined && !kinds.includes(operation.kind)) return false;
  return matchesPath === undefined || operation.paths.some(matchesPath);
}

function canHave(effect: FaultEffect, kind: OperationKind): boolean {
  switch (effect.kind) {
    case 'fail':
      return true;
    case 'short-write':
      return kind === 'write';
    case 'failed-sync':
      return kind === 'sync';
    case 'late-error':
      return kind === 'sync' || kind === 'write';
    default:
      return assertNever(effect, 'fault effect');
  }
}

function memoryHandle(operation: Operation): MemoryFileHandle {
  const handle = operation.handle && innermostHandle(operation.handle);
  if (handle instanceof MemoryFileHandle) return handle;
  throw new TypeError('this fault decides what becomes of unsynced pages, which only a MemoryFileSystem can do');
}
