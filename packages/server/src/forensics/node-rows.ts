/**
 * The rows of a node that is not running, read without changing anything in its directory: the store is opened through a scratch file system, and entries of the log that it
 * does not have are applied to that, in memory, by the code that applies them in a node.
 *
 * Invariant: what is read is the state at `appliedIndex`, whole.
 */

import { EMPTY_BYTES, toBytes } from '@kayadb/codec';
import { CorruptionError, type Row, type ScanOptions } from '@kayadb/engine';
import { type Entry, RaftEvidence } from '@kayadb/raft';
import { DirectoryLockedError, inspectDirectoryLock, LOCK_FILE_NAME } from '@kayadb/vfs';

import { REVISION_BYTES } from '../machine/machine-format.ts';
import type { MachineState } from '../machine/machine-state.ts';
import { keyOfUser, revisionOf, USER_END, userKey, valueOf } from '../machine/rows.ts';
import { GROUP_FOLDER, RAFT_FOLDER, raftIdentityOf, readIdentity, requireStore } from './node-place.ts';
import { openScratchStore, openStartingStore, type ScratchStore, type StartingStoreOptions } from './starting-store.ts';

/**
 * Which entries of the log are applied beyond what the store holds:
 * - `none`
 * - `committed`: those that are for certain: files say so, or this node alone decides. More may be.
 * - `all`: also those that perhaps nobody was told of.
 */
export type LogShare = 'none' | 'committed' | 'all';

export interface NodeRowsOptions extends StartingStoreOptions {
  readonly log: LogShare;
}

export interface NodeRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** The index of the entry that wrote it. */
  readonly revision: number;
}

/** How far the log goes. */
export interface LogReach {
  /** The last entry that is committed for certain. */
  readonly commit: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
}

export class NodeRows {
  readonly #opened: ScratchStore;
  /** Whose state it is. */
  readonly appliedIndex: number;
  /** undefined: of a node without a log. */
  readonly reach: LogReach | undefined;

  private constructor(opened: ScratchStore, appliedIndex: number, reach: LogReach | undefined) {
    this.#opened = opened;
    this.appliedIndex = appliedIndex;
    this.reach = reach;
  }

  /**
   * Opens what the next start of the node would go on with. End with `close`.
   *
   * @throws DirectoryLockedError when a process has it open: it is asked instead.
   * @throws DirectoryError, CorruptionError, RaftError, MachineError, EngineError, FileSystemError: what the start of the node would fail with.
   */
  static async open(options: NodeRowsOptions): Promise<NodeRows> {
    const { fs, directory, log } = options;
    await refuseRunning(options);
    const identity = raftIdentityOf(await readIdentity(fs, directory));
    const evidence =
      identity === undefined || log === 'none'
        ? undefined
        : await RaftEvidence.read(`${directory}/${RAFT_FOLDER}`, { fs, identity });
    try {
      return await NodeRows.#openStore(options, evidence);
    } finally {
      await evidence?.close();
    }
  }

  /** What the machine keeps beside users' rows. */
  get state(): MachineState {
    return this.#opened.state;
  }

  async get(key: Uint8Array): Promise<NodeRow | undefined> {
    const stored = userKey(key);
    const value = await this.#opened.engine.get(stored);
    return value === undefined ? undefined : { ...nodeRow({ key: stored, value }), key };
  }

  /** Rows of users in the order of their keys. The bounds are those of users' keys. */
  async *scan(options: Omit<ScanOptions, 'snapshot'> = {}): AsyncGenerator<NodeRow, void, undefined> {
    for await (const row of this.#opened.engine.scan(boundsOf(options))) yield nodeRow(row);
  }

  /** Every row of the store as it is, the machine's own ones too. */
  raw(options: ScanOptions = {}): AsyncIterable<Row> {
    return this.#opened.engine.scan(options);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#opened.engine.close();
  }

  static async #openStore(options: NodeRowsOptions, evidence: RaftEvidence | undefined): Promise<NodeRows> {
    const found = evidence === undefined ? undefined : await openStartingStore(options, evidence);
    const { fs, directory } = options;
    const opened = found ?? (await openScratchStore(options, (await requireStore(fs, directory)).folder));
    try {
      if (evidence === undefined) return new NodeRows(opened, opened.engine.durableIndex!, undefined);
      const { lastIndex, lastTerm } = evidence;
      const commit = evidence.certainCommit(opened.engine.durableIndex);
      const upTo = options.log === 'all' ? lastIndex : commit;
      const applied = await applyLog(opened, evidence, upTo);
      return new NodeRows(opened, applied, { commit, lastIndex, lastTerm });
    } catch (error) {
      // The first failure is the one to report.
      await opened.engine.close().catch(() => undefined);
      throw error;
    }
  }
}

/** Applies entries up to `upTo`. @returns What the store stands for then. */
async function applyLog({ engine, writer }: ScratchStore, evidence: RaftEvidence, upTo: number): Promise<number> {
  let applied = engine.durableIndex!;
  while (applied < upTo) {
    const entries = evidence.entries(applied + 1, upTo + 1);
    applied += entries.length;
    await writer.apply(forMachine(entries), applied);
  }
  return applied;
}

/** @param row - Of a user, as the store has it. @throws CorruptionError when no command has written it. */
export function nodeRow({ key, value }: Row): NodeRow {
  const revision = value.length < REVISION_BYTES ? Number.NaN : revisionOf(value);
  if (Number.isSafeInteger(revision)) return { key: keyOfUser(key), value: valueOf(value), revision };
  throw new CorruptionError(GROUP_FOLDER, 0, "a user's row in the store does not begin with a revision");
}

/** Without the first entries of terms, and changes of the group: those are none of the machine's business. */
export function forMachine(entries: readonly Entry[]): readonly Entry[] {
  return entries.filter(({ kind, data }) => kind === 'normal' && data.length > 0);
}

async function refuseRunning({ fs, directory, processes }: NodeRowsOptions): Promise<void> {
  const lock = await inspectDirectoryLock(fs, directory, processes);
  if (lock.kind !== 'held' || lock.liveness !== 'alive') return;
  throw DirectoryLockedError.heldBy(`${directory}/${LOCK_FILE_NAME}`, lock.owner, lock.liveness);
}

function boundsOf({ gt, gte, lt, lte, prefix, ...rest }: Omit<ScanOptions, 'snapshot'>): ScanOptions {
  const hasStart = gt !== undefined || gte !== undefined;
  const hasEnd = lt !== undefined || lte !== undefined;
  return {
    ...rest,
    ...(gt !== undefined && { gt: userKey(toBytes(gt)) }),
    ...(gte !== undefined && { gte: userKey(toBytes(gte)) }),
    ...(lt !== undefined && { lt: userKey(toBytes(lt)) }),
    ...(lte !== undefined && { lte: userKey(toBytes(lte)) }),
    ...(prefix !== undefined && { prefix: userKey(toBytes(prefix)) }),
    ...(prefix === undefined && !hasStart && { gte: userKey(EMPTY_BYTES) }),
    ...(prefix === undefined && !hasEnd && { lt: USER_END }),
  };
}
