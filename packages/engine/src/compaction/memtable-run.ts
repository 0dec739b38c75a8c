/** The entries of a frozen memtable, in place: what a flush reads, on whatever thread. Hot: no object per entry. */

import { EMPTY_BYTES } from '@kayadb/codec';

import type { MaybePromise } from '../iterate/cursor.ts';
import type { SequenceNumber } from '../key/internal-key.ts';
import { NO_VERSION, RadixTree } from '../memtable/radix-tree.ts';
import type { SharedMemtable } from '../memtable/shared-memtable.ts';
import { TreePath } from '../memtable/tree-path.ts';
import type { EntryRun } from './entry-run.ts';

export class MemtableRun implements EntryRun {
  readonly #tree: RadixTree;
  readonly #path: TreePath;
  #version: number = NO_VERSION;

  bytes: Uint8Array = EMPTY_BYTES;
  at = 0;
  sequence: SequenceNumber = 0;
  isAtEnd = false;

  /** @param shared - Not retired before the walk is closed. */
  constructor({ chunks, words }: SharedMemtable) {
    this.#tree = new RadixTree(chunks, words);
    this.#path = new TreePath(this.#tree);
  }

  start(): MaybePromise {
    this.#path.seekToEdge(true);
    return this.#moveTo(this.#path.version);
  }

  next(): MaybePromise {
    const older = this.#tree.older(this.#version);
    if (older !== NO_VERSION) return this.#moveTo(older);
    this.#path.move(true);
    return this.#moveTo(this.#path.version);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #moveTo(version: number): MaybePromise {
    this.#version = version;
    if (version === NO_VERSION) {
      this.isAtEnd = true;
      return undefined;
    }
    const tree = this.#tree;
    this.bytes = tree.chunk(version);
    this.at = tree.offset(version);
    this.sequence = tree.sequence(version);
    return undefined;
  }
}
