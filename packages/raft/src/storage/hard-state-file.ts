/**
 * Term and vote on disk, in two slots that say the same at rest.
 *
 * Invariant: the slot that counts is never written to, so that one of the two is whole at any moment; at most one write is under way.
 * Format: docs/format/raft-state.md.
 */

import { type FileHandle, type FileSystem, isDiskFull, isNotFound, publishFile } from '@kayadb/vfs';

import type { NodeId, Term } from '../core/types.ts';
import { poisoned } from './disk-outcome.ts';
import { encodeFileHeader, fileSeed, STATE_MAGIC } from './file-header.ts';
import { STATE_FILE_NAME } from './file-names.ts';
import { decodeStateFile, encodeSlot, encodeStateFile, slotOffset, type VersionedVote } from './hard-state-format.ts';
import type { RaftIdentity } from './raft-identity.ts';

/**
 * What an earlier process has left; undefined when there is no file. It may never have reached the disk.
 *
 * @throws RaftCorruptionError. @throws RaftError KAYA_RAFT_FOREIGN, KAYA_RAFT_UNSUPPORTED. @throws FileSystemError
 */
export async function readStateFile(
  fs: FileSystem,
  directory: string,
  identity: RaftIdentity,
): Promise<VersionedVote | undefined> {
  try {
    return decodeStateFile(await fs.readFile(`${directory}/${STATE_FILE_NAME}`), identity).state;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

export class HardStateFile {
  readonly #handle: FileHandle;
  readonly #seed: number;
  /** What is in force. */
  #state: VersionedVote;
  /** The slot that has it for certain; the other may have it too. */
  #slot = 0;
  /** The copy to the other slot; never rejects. */
  #copying: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  private constructor(handle: FileHandle, seed: number, state: VersionedVote) {
    this.#handle = handle;
    this.#seed = seed;
    this.#state = state;
  }

  /**
   * Replaces the file by one that says `state` in both slots, and opens that.
   *
   * Durability: when it resolves. @throws FileSystemError
   */
  static async replace(
    fs: FileSystem,
    directory: string,
    identity: RaftIdentity,
    state: VersionedVote,
  ): Promise<HardStateFile> {
    await publishFile(fs, directory, STATE_FILE_NAME, encodeStateFile(state, identity));
    const handle = await fs.open(`${directory}/${STATE_FILE_NAME}`, 'write');
    return new HardStateFile(handle, fileSeed(encodeFileHeader(STATE_MAGIC, identity)), state);
  }

  get term(): Term {
    return this.#state.term;
  }

  get vote(): NodeId {
    return this.#state.vote;
  }

  /**
   * Durability: when it resolves. Requires: no other call is under way.
   *
   * @throws FileSystemError KAYA_DISK_FULL when there was no room: what was in force before still is, unless it is asked for again.
   * @throws RaftError KAYA_RAFT_POISONED otherwise, and from then on.
   */
  async write(term: Term, vote: NodeId): Promise<void> {
    await this.#copying;
    if (this.#failure !== undefined) throw this.#failure.error;
    const state = { version: this.#state.version + 1, term, vote };
    const slot = 1 - this.#slot;
    try {
      await this.#writeSlot(slot, state);
    } catch (error) {
      throw this.#refuse(error);
    }
    this.#slot = slot;
    this.#state = state;
    this.#copying = this.#copy(1 - slot, state);
  }

  /**
   * Resolves when the copy of the last change is made, or had no room.
   *
   * @throws RaftError KAYA_RAFT_POISONED when its outcome is unknown.
   */
  async copied(): Promise<void> {
    await this.#copying;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Waits for the copy under way. Idempotent. */
  async close(): Promise<void> {
    await this.#copying;
    await this.#handle.close();
  }

  /** Makes the other slot say the same. No write waits for it. */
  async #copy(slot: number, state: VersionedVote): Promise<void> {
    try {
      await this.#writeSlot(slot, state);
    } catch (error) {
      this.#refuse(error);
    }
  }

  async #writeSlot(slot: number, state: VersionedVote): Promise<void> {
    await this.#handle.write(encodeSlot(slot, state, this.#seed), slotOffset(slot));
    await this.#handle.sync();
  }

  #refuse(error: unknown): unknown {
    if (isDiskFull(error)) return error;
    this.#failure ??= { error: poisoned(`writing ${STATE_FILE_NAME}`, error) };
    return this.#failure.error;
  }
}
