/**
 * The state machine of a group: commands from the log into a store of the engine, whose log is the Raft log. Format: docs/format/state-machine.md,
 * docs/format/node.md.
 *
 * Invariant: the store stands for an index of the log, whole, at any moment and after any crash; `appliedIndex` is what it stands for, `durableIndex` what it
 * would stand for after power loss.
 */

import { assert, type Row2 } from '@kayadb/codec';
import {
  type DiskState,
  type Engine,
  EngineError,
  type EngineOptions,
  type EngineStats,
  type Row,
  type Scan,
} from '@kayadb/engine';
import type {
  AppliedPoint,
  Entry,
  PinnedSnapshot,
  Snapshot,
  SnapshotFile,
  SnapshotSource,
  SnapshotTarget,
  StateMachine,
} from '@kayadb/raft';
import type { FileSystem } from '@kayadb/vfs';

import type { ManyRows, RowScan, RowScanOptions } from '../replica/replica.ts';
import type { CommandResult } from './command-result.ts';
import type { Member } from './command.ts';
import {
  ensureFolder,
  listStores,
  publishLinks,
  removeFolder,
  removeLeftovers,
  snapshotPath,
  snapshotsPath,
  storePath,
} from './group-folders.ts';
import { MachineError } from './machine-error.ts';
import { readRow, readRows, scanRows } from './machine-reads.ts';
import type { MachineTime } from './machine-writer.ts';
import { SnapshotShelf } from './snapshot-shelf.ts';
import { openStore, type StoreSlot } from './store-slot.ts';

/** One part in so many of what is left on the disk may become log that somebody needs who lags: as it grows, less is left, so that it stops at a fifth of the room. */
const ROOM_SHARE = 4;

export interface KayaMachineOptions extends MachineTime {
  readonly fs: FileSystem;
  /** Of the group, `groups/0`; it exists. */
  readonly directory: string;
  /** Of the store; its log is seen to. Has `fs` as its `fileSystem`, unless that is the real one: a store that is told of none works in threads of its own. */
  readonly engine?: EngineOptions;
  /** What the storage of the Raft log has, if anything. */
  readonly snapshot?: Snapshot | undefined;
  /** Told of what can wait, such as folders that could not be removed. */
  readonly onWarning?: (message: string) => void;
}

export class KayaMachine implements StateMachine<CommandResult>, SnapshotSource, SnapshotTarget {
  readonly #options: KayaMachineOptions;
  readonly #shelf: SnapshotShelf;
  #slot: StoreSlot;
  #appliedIndex: number;
  #closing: Promise<void> | undefined;

  private constructor(options: KayaMachineOptions, shelf: SnapshotShelf, slot: StoreSlot) {
    this.#options = options;
    this.#shelf = shelf;
    this.#slot = slot;
    this.#appliedIndex = slot.engine.durableIndex!;
  }

  /**
   * Opens the newest store of the group, or makes the first one, and removes what is of no use any more.
   *
   * @throws MachineError KAYA_FEATURE_LEVEL; CorruptionError; what `openEngine` throws.
   */
  static async open(options: KayaMachineOptions): Promise<KayaMachine> {
    const { fs, directory, onWarning = ignore } = options;
    await ensureFolder(fs, snapshotsPath(directory));
    await removeLeftovers(fs, directory);
    const stores = await listStores(fs, directory);
    const slot = await openStore(directory, stores.at(-1) ?? 0, engineOptionsOf(options), options);
    const shelf = new SnapshotShelf(fs, directory, onWarning);
    try {
      for (const index of stores.slice(0, -1)) await removeFolder(fs, storePath(directory, index));
      await shelf.open(options.snapshot);
    } catch (error) {
      await slot.engine.close().catch(ignore);
      throw error;
    }
    return new KayaMachine(options, shelf, slot);
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  get durableIndex(): number {
    return this.#slot.engine.durableIndex!;
  }

  /** The largest time of a command that was applied. Leaders stamp none below it. */
  get timeMs(): number {
    return this.#slot.state.row.timeMs;
  }

  /** The feature level of the group. */
  get level(): number {
    return this.#slot.state.row.level;
  }

  /** As `StateMachine.logWorthBytes`: as many as the newest snapshot has, and never so many that the disk is filled with them. @throws FileSystemError */
  async logWorthBytes(): Promise<number> {
    const { fs, directory } = this.#options;
    const { availableBytes } = await fs.diskSpace(directory);
    return Math.min(this.#shelf.newestBytes, Math.floor(availableBytes / ROOM_SHARE));
  }

  get sessionCount(): number {
    return this.#slot.state.sessions.count;
  }

  /** By node, ascending. */
  get members(): readonly Member[] {
    return Array.from(this.#slot.state.members.values()).toSorted((a, b) => a.node - b.node);
  }

  /** Index of the last command in memory, of which not all may be in the store yet. */
  get commandIndex(): number {
    return this.#slot.state.row.index;
  }

  /** Which index has made room for a directory of `node` that is not known yet: what was said before may have been about an earlier one. 0 when its directory is known. Cheap. */
  addedAt(node: number): number {
    const { members, added, loadedIndex } = this.#slot.state;
    const isKnown = (members.get(node)?.incarnation ?? 0) !== 0;
    return isKnown ? 0 : (added.get(node) ?? loadedIndex);
  }

  /** Whether `node` was a member with this directory, and was removed. Cheap. */
  wasRemoved(node: number, incarnation: number): boolean {
    return this.#slot.state.gone.has(node, incarnation);
  }

  /** The room on the disk, which whoever proposes writes has to look at. Cheap. */
  get diskState(): DiskState {
    return this.#slot.diskState();
  }

  stats(): EngineStats {
    return this.#slot.engine.stats();
  }

  /**
   * As `StateMachine.apply`. What a command says never makes it throw.
   *
   * @throws MachineError KAYA_UNSUPPORTED_COMMAND, KAYA_FEATURE_LEVEL: a later program's. The node has to stop.
   */
  async apply(entries: readonly Entry[], upTo: number): Promise<readonly CommandResult[]> {
    const results = await this.#slot.writer.apply(entries, upTo);
    this.#appliedIndex = upTo;
    return results;
  }

  /** As `StateMachine.snapshot`. Requires: no `apply` is under way. */
  snapshot({ index }: AppliedPoint): Promise<Uint8Array> {
    assert(index === this.#appliedIndex, `a snapshot of ${index} of a machine that is at ${this.#appliedIndex}`);
    return this.#shelf.make(this.#slot.engine, index, this.#slot.baseIndex);
  }

  /** As `SnapshotTarget.adopt`: gives the files of `snapshot` names of their own. Durability: of those, when it resolves. @throws MachineError KAYA_SNAPSHOT_REFUSED; FileSystemError. */
  adopt(snapshot: Snapshot, directory: string, files: readonly SnapshotFile[]): Promise<void> {
    return this.#shelf.adopt(snapshot, directory, files);
  }

  /** As `SnapshotTarget.abandon`. Does not fail. */
  abandon(snapshot: Snapshot): Promise<void> {
    return this.#shelf.abandon(snapshot);
  }

  /** `inUse` are the snapshots that Raft's storage needs, `snapshotsInUse`; older ones go when nobody is being sent them. To be called when there is a newer one. */
  retireSnapshots(inUse: readonly Snapshot[]): void {
    this.#shelf.retire(inUse);
  }

  /**
   * As `StateMachine.restore`. Reads that are under way get what they were asked for; scans of the old state fail with KAYA_STATE_REPLACED.
   *
   * Requires: `snapshot` is durable in Raft's storage, and was adopted before.
   * @throws MachineError KAYA_SNAPSHOT_MISSING, KAYA_FEATURE_LEVEL; CorruptionError; FileSystemError.
   */
  async restore(snapshot: Snapshot): Promise<void> {
    const { fs, directory } = this.#options;
    const { index } = snapshot.meta;
    const names = this.#shelf.find(snapshot).map(({ name }) => name);
    await publishLinks(fs, snapshotPath(directory, index), names, storePath(directory, index));
    const slot = await openStore(directory, index, engineOptionsOf(this.#options), this.#options);
    const { durableIndex } = slot.engine;
    if (durableIndex !== index) {
      await slot.engine.close().catch(ignore);
      throw new MachineError('KAYA_SNAPSHOT_MISSING', `the snapshot of ${index} holds the state of ${durableIndex}`);
    }
    const old = this.#slot;
    this.#slot = slot;
    this.#appliedIndex = index;
    this.#shelf.restored(snapshot);
    await this.#retire(old);
  }

  /** @param key - Of a user. */
  get(key: Uint8Array): Promise<Row2 | undefined> {
    return readRow(this.#slot.engine, key);
  }

  /** In the order of `keys`, all of one state; `too-large` when the values have more than `maxBytes`. Bound: `maxBytes` and a few values more. */
  async getMany(keys: readonly Uint8Array[], maxBytes: number): Promise<ManyRows> {
    for (;;) {
      const { engine } = this.#slot;
      try {
        return await readRows(engine, keys, maxBytes);
      } catch (error) {
        // A snapshot has taken its place in the middle of it.
        if (engine === this.#slot.engine || !isClosed(error)) throw error;
      }
    }
  }

  /** Rows of the state within the call. Holds it until it is closed. */
  scan(options: RowScanOptions): RowScan {
    const { engine } = this.#slot;
    return scanRows(engine, options, (error) => this.#explain(engine, error));
  }

  /** Every row, the machine's own too, of the state within the call: for whoever compares nodes. Leaving it early, `return` is due. */
  rows(): Scan<Row> {
    return this.#slot.engine.scan();
  }

  pin(snapshot: Snapshot): Promise<PinnedSnapshot> {
    return this.#shelf.pin(snapshot);
  }

  /** Idempotent. Requires: no `apply`, `snapshot` or `restore` is under way. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#slot.engine.close();
    await this.#shelf.idle();
  }

  /** Nothing of it is needed any more, so what goes wrong is told and no more. */
  async #retire({ engine, baseIndex }: StoreSlot): Promise<void> {
    const { fs, directory, onWarning = ignore } = this.#options;
    try {
      await engine.close();
    } catch (error) {
      onWarning(`the store that a snapshot has replaced was not closed in good order: ${String(error)}`);
    }
    try {
      await removeFolder(fs, storePath(directory, baseIndex));
    } catch (error) {
      onWarning(`the store that a snapshot has replaced could not be removed: ${String(error)}`);
    }
  }

  #explain(engine: Engine, error: unknown): unknown {
    if (engine === this.#slot.engine || !isClosed(error)) return error;
    return new MachineError(
      'KAYA_STATE_REPLACED',
      'the node has taken over a snapshot, and the state that the scan shows is gone; begin the scan again',
      { cause: error },
    );
  }
}

function engineOptionsOf({ engine, clock }: KayaMachineOptions): EngineOptions {
  return { clock, ...engine };
}

function isClosed(error: unknown): boolean {
  return error instanceof EngineError && error.code === 'KAYA_ENGINE_CLOSED';
}

function ignore(): void {
  // Nobody asked to be told.
}
