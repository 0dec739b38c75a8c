/**
 * What the engine asks of the disk: a file system around the faulty one that remembers each failure, and from where each sync was asked for.
 * A call site is the place in the sources that makes the call, which stands first on the stack.
 */

import type { FileSystem } from '@kayadb/vfs';
import { InterceptedFileSystem, type Interceptor, type Operation, type OperationKind } from '@kayadb/vfs/testing';

/** What a sync is for, which decides what its failure does. */
export type SyncPurpose =
  /** Before the store is open: it is not opened. */
  | 'opening'
  /** The store's own files: the outcome is unknown from then on. */
  | 'running'
  /** A checkpoint, a backup or a restored store: only it fails. */
  | 'copy'
  /** The directory lock. */
  | 'lock'
  /** The file that keeps room: without it the store has less to give. */
  | 'reserve';

export interface DiskFailure {
  /** Which call it was, counted from 1. */
  readonly at: number;
  readonly kind: OperationKind;
  readonly path: string;
  readonly errno: string;
}

/** Of our own sources, a frame of a stack: `at async LogWriter.sync (/.../packages/engine/src/log/log-writer.ts:157:28)`. */
const FRAME =
  /at (?:async )?(?:new )?(?<name>[\w.#<>[\] ]+?) \(?(?:file:\/\/)?.*?packages\/(?<file>(?:engine|vfs)\/src\/(?!testing\/)[\w/-]+\.ts)/u;

export class DiskCalls extends InterceptedFileSystem {
  readonly #log: CallLog;

  constructor(inner: FileSystem) {
    const log = new CallLog();
    super(inner, log);
    this.#log = log;
  }

  get count(): number {
    return this.#log.kinds.length;
  }

  /** Of each call, in order. */
  get kinds(): readonly OperationKind[] {
    return this.#log.kinds;
  }

  get failures(): readonly DiskFailure[] {
    return this.#log.failures;
  }

  /** Paths that were to be unlinked, in order. */
  get unlinked(): readonly string[] {
    return this.#log.unlinked;
  }

  /** Paths of files of which a sync has succeeded: nothing else is ever named by an edit. */
  get synced(): ReadonlySet<string> {
    return this.#log.synced;
  }

  /**
   * From where each sync was called and what for, as `engine/src/log/log-writer.ts#LogWriter.sync, running`, by the number of the call.
   * Only while `tracesSyncs`.
   */
  get syncSites(): ReadonlyMap<number, string> {
    return this.#log.syncSites;
  }

  /** Stacks cost more than the calls. */
  set tracesSyncs(traces: boolean) {
    this.#log.tracesSyncs = traces;
  }

  /** Whether the store is open: syncs of its own files are `running` then. */
  set isStoreOpen(isOpen: boolean) {
    this.#log.isStoreOpen = isOpen;
  }
}

class CallLog implements Interceptor {
  isStoreOpen = false;
  tracesSyncs = false;
  readonly kinds: OperationKind[] = [];
  readonly failures: DiskFailure[] = [];
  readonly unlinked: string[] = [];
  readonly synced = new Set<string>();
  readonly syncSites = new Map<number, string>();

  call<T>(operation: Operation, run: () => Promise<T>): Promise<T> {
    const at = this.#enter(operation);
    const result = run();
    result.then(
      () => this.#succeed(operation),
      (error: unknown) => this.#fail(at, operation, error),
    );
    return result;
  }

  callSync<T>(operation: Operation, run: () => T): T {
    const at = this.#enter(operation);
    try {
      const result = run();
      this.#succeed(operation);
      return result;
    } catch (error) {
      this.#fail(at, operation, error);
      throw error;
    }
  }

  /** Requires: called within the turn of the call, whose caller is on the stack then. */
  #enter(operation: Operation): number {
    const { kind, paths } = operation;
    const at = this.kinds.push(kind);
    if (kind === 'unlink') this.unlinked.push(paths[0]!);
    const isSync = kind === 'sync' || kind === 'syncDirectory';
    if (isSync && this.tracesSyncs) this.syncSites.set(at, `${callSite()}, ${this.#purposeOf(paths[0]!)}`);
    return at;
  }

  #succeed({ kind, paths }: Operation): void {
    if (kind === 'sync') this.synced.add(paths[0]!);
  }

  #fail(at: number, { kind, paths }: Operation, error: unknown): void {
    const { errno } = error as { readonly errno?: unknown };
    // What is absent or there already is an answer, not a failure.
    if (errno === 'ENOENT' || errno === 'EEXIST') return;
    this.failures.push({ at, kind, path: paths.join(' to '), errno: String(errno) });
  }

  #purposeOf(path: string): SyncPurpose {
    if (path.startsWith('/copies')) return 'copy';
    if (path.includes('/LOCK')) return 'lock';
    if (path.includes('/RESERVE')) return 'reserve';
    return this.isStoreOpen ? 'running' : 'opening';
  }
}

/** The first frame that is neither the simulated disk nor this file. */
function callSite(): string {
  for (const line of (new Error().stack ?? '').split('\n')) {
    const { name, file } = FRAME.exec(line)?.groups ?? {};
    if (name !== undefined && file !== undefined)
      return `${file}#${name.replace(/^async /u, '').replace('Function.', '')}`;
  }
  return 'unknown';
}
