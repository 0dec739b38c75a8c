/**
 * The current version and the one way to change it: an edit, appended to the manifest and synced, then installed.
 *
 * Invariant: memory never runs ahead of the manifest. A version is installed only after its edit is durable, and a
 * file is given up only when no version, current or retained, names it.
 */

import { AssertionError } from '@kayadb/codec';

import { isUndone } from '../files/disk-outcome.ts';
import type { FileNumber, SequenceNumber } from '../key/internal-key.ts';
import type { RangeDelete } from '../range-delete/range-delete.ts';
import { pickSpent } from '../range-delete/spent.ts';
import type { ManifestWriter } from './manifest.ts';
import { type StoreState, tryEditRangeDeletes } from './store-state.ts';
import type { VersionEdit } from './version-edit.ts';
import { applyEdit, type Levels, Version } from './version.ts';

export interface VersionSetHooks {
  /** Starts a new manifest holding `state` and makes it the current one. */
  readonly startManifest: (fileNumber: FileNumber, state: StoreState) => Promise<ManifestWriter>;
  /** Called when tables or segments may have become unneeded. */
  readonly onObsolete: () => void;
}

/** A manifest is replaced by a fresh one when it has grown past this, and to twice what it began with. */
const MIN_REPLACED_BYTES = 4 * 1024 * 1024;

export class VersionSet {
  readonly #hooks: VersionSetHooks;
  #manifest: ManifestWriter;
  #state: StoreState;
  #current: Version;
  #nextFileNumber: FileNumber;
  /** Size at which the manifest is replaced. */
  #replaceAtBytes: number;
  readonly #inUse = new Set<Version>();
  /** Tables being written, which no version names yet. */
  readonly #reserved = new Set<FileNumber>();
  /** Edits are applied one after another. */
  #tail: Promise<unknown> = Promise.resolve();

  /** @param manifest - The manifest in force; its edits add up to `state`. */
  constructor(state: StoreState, manifest: ManifestWriter, hooks: VersionSetHooks) {
    this.#hooks = hooks;
    this.#manifest = manifest;
    this.#state = state;
    this.#nextFileNumber = state.nextFileNumber;
    this.#replaceAtBytes = replaceAtBytes(manifest);
    this.#current = this.#install(state.levels);
  }

  get current(): Version {
    return this.#current;
  }

  get oldestSegment(): FileNumber {
    return this.#state.oldestSegment;
  }

  get flushedSequence(): SequenceNumber {
    return this.#state.flushedSequence;
  }

  /** Those that tables may still need; see `StoreState`. */
  get rangeDeletes(): readonly RangeDelete[] {
    return this.#state.rangeDeletes;
  }

  get durableIndex(): number | undefined {
    return this.#state.durableIndex;
  }

  get manifestNumber(): FileNumber {
    return this.#manifest.fileNumber;
  }

  /** Greater than every number drawn so far. */
  get nextFileNumber(): FileNumber {
    return this.#nextFileNumber;
  }

  /** Draws a number that no file has had. It becomes durable with the next edit. */
  newFileNumber(): FileNumber {
    return this.#nextFileNumber++;
  }

  /** Draws the number of a table that is about to be written, and keeps the file until an edit names it or it is released. */
  reserveTable(): FileNumber {
    const fileNumber = this.newFileNumber();
    this.#reserved.add(fileNumber);
    return fileNumber;
  }

  /** Gives up a reserved table that no edit has named. */
  releaseTable(fileNumber: FileNumber): void {
    this.#reserved.delete(fileNumber);
    this.#hooks.onObsolete();
  }

  /**
   * Makes `edit` part of the store.
   *
   * Durability: complete once this resolves. A rejection leaves the outcome unknown unless it is a disk-full error
   * that the manifest writer has undone; then the tables that it adds are given up.
   */
  apply(edit: VersionEdit): Promise<void> {
    const result = this.#tail.then(() => this.#apply(edit));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /**
   * Runs `task` between two edits: none is appended, and no manifest replaced, until it is done.
   *
   * @param task - Gets the state that the manifest in force adds up to. Must not wait for an edit.
   */
  runBetweenEdits<T>(task: (state: StoreState) => Promise<T>): Promise<T> {
    const result = this.#tail.then(() => task(this.#state));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /**
   * Starts a fresh manifest in the place of the one in force, from memory.
   *
   * Durability: as `apply`. @returns Whether there was room for one. @throws As `apply`.
   */
  replaceManifest(): Promise<boolean> {
    const result = this.#tail.then(async () => {
      const old = this.#manifest;
      await this.#maybeReplaceManifest();
      this.#hooks.onObsolete();
      return this.#manifest !== old;
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** File numbers of every table that the current or a retained version names, or that is being written. */
  liveTables(): ReadonlySet<FileNumber> {
    const live = new Set<FileNumber>(this.#reserved);
    for (const version of this.#inUse) {
      for (const tables of version.levels) for (const table of tables) live.add(table.fileNumber);
    }
    return live;
  }

  async close(): Promise<void> {
    await this.#tail;
    await this.#manifest.close();
  }

  async #apply(asked: VersionEdit): Promise<void> {
    const levels = applyEdit(this.#state.levels, asked);
    const edit = this.#withSpentRangeDeletes(asked, levels);
    const rangeDeletes = tryEditRangeDeletes(this.#state.rangeDeletes, edit);
    if (typeof rangeDeletes === 'string') throw new AssertionError(`wrong version edit: ${rangeDeletes}`);
    const state: StoreState = {
      nextFileNumber: this.#nextFileNumber,
      oldestSegment: edit.oldestSegment ?? this.#state.oldestSegment,
      flushedSequence: edit.flushedSequence ?? this.#state.flushedSequence,
      levels,
      rangeDeletes,
      durableIndex: edit.durableIndex ?? this.#state.durableIndex,
    };
    await this.#append({ ...edit, nextFileNumber: this.#nextFileNumber });
    this.#state = state;
    const previous = this.#current;
    this.#current = this.#install(levels);
    previous.release();
    for (const { table } of edit.addedTables ?? []) this.#reserved.delete(table.fileNumber);
    // A clean close must be the last word of the manifest in force, and a state does not hold it.
    const mayReplace = edit.cleanClose === undefined;
    if (mayReplace && this.#manifest.bytes > this.#replaceAtBytes) await this.#maybeReplaceManifest();
    this.#hooks.onObsolete();
  }

  /** Range deletes that hide nothing in the new levels go with the same edit, or are not even added. */
  #withSpentRangeDeletes(edit: VersionEdit, levels: Levels): VersionEdit {
    const { addedRangeDeletes = [], removedRangeDeletes = [] } = edit;
    const present = this.#state.rangeDeletes.filter(({ sequence }) => !removedRangeDeletes.includes(sequence));
    if (present.length + addedRangeDeletes.length === 0) return edit;
    const spent = new Set(pickSpent([...present, ...addedRangeDeletes], levels));
    return {
      ...edit,
      addedRangeDeletes: addedRangeDeletes.filter(({ sequence }) => !spent.has(sequence)),
      removedRangeDeletes: [
        ...removedRangeDeletes,
        ...present.filter(({ sequence }) => spent.has(sequence)).map(({ sequence }) => sequence),
      ],
    };
  }

  /** An edit that was undone names nothing, so its new tables may go; after any other failure they may be all there is. */
  async #append(edit: VersionEdit): Promise<void> {
    try {
      await this.#manifest.append(edit);
    } catch (error) {
      if (isUndone(error)) for (const { table } of edit.addedTables ?? []) this.releaseTable(table.fileNumber);
      throw error;
    }
  }

  /** The edit at hand is durable, so a disk without room for a fresh manifest is no failure: the present one goes on. */
  async #maybeReplaceManifest(): Promise<void> {
    const old = this.#manifest;
    const fileNumber = this.newFileNumber();
    try {
      this.#manifest = await this.#hooks.startManifest(fileNumber, {
        ...this.#state,
        nextFileNumber: this.#nextFileNumber,
      });
    } catch (error) {
      if (!isUndone(error)) throw error;
    }
    this.#replaceAtBytes = replaceAtBytes(this.#manifest);
    // All of it was synced and superseded, so its close has nothing to say; and the edit at hand, which is in effect, must not be taken for undone.
    if (this.#manifest !== old) await old.close().catch(() => undefined);
  }

  #install(levels: Levels): Version {
    const version = new Version(levels, (unused) => {
      this.#inUse.delete(unused);
      this.#hooks.onObsolete();
    });
    this.#inUse.add(version);
    return version.retain();
  }
}

function replaceAtBytes(manifest: ManifestWriter): number {
  return Math.max(MIN_REPLACED_BYTES, 2 * manifest.bytes);
}
