/** Walks a memtable, one way. Never waits; may see entries inserted ahead of it, which snapshots filter by sequence. */

import { assert } from '@kayadb/codec';

import type { Cursor, Direction, MaybePromise } from '../iterate/cursor.ts';
import type { Entry } from '../key/internal-key.ts';
import { NO_VERSION, type RadixTree } from './radix-tree.ts';
import { TreePath } from './tree-path.ts';

const INITIAL_VERSIONS = 8;

/** What has the tree's memory. */
interface Holdable {
  retain(): this;
  release(): void;
}

export class MemtableCursor implements Cursor {
  readonly #tree: RadixTree;
  readonly #path: TreePath;
  readonly #forward: boolean;
  #version: number = NO_VERSION;
  /** In reverse: the versions of this key that are newer than the present one, the newest first. Chains lead to older ones only. */
  #newer = new Int32Array(INITIAL_VERSIONS);
  #newerCount = 0;
  #entry: Entry | undefined;
  #owner: Holdable | undefined;

  /** @param owner - Held until the cursor is closed. */
  constructor(tree: RadixTree, direction: Direction, owner: Holdable) {
    this.#owner = owner.retain();
    this.#tree = tree;
    this.#path = new TreePath(tree);
    this.#forward = direction === 'forward';
  }

  /** Made when it is asked for, so that passing over entries makes no garbage. */
  get entry(): Entry | undefined {
    if (this.#entry === undefined && this.#version !== NO_VERSION) this.#entry = this.#tree.entry(this.#version);
    return this.#entry;
  }

  seekToStart(): MaybePromise {
    this.#assertOpen();
    this.#path.seekToEdge(this.#forward);
    return this.#enterKey();
  }

  seek(key: Uint8Array): MaybePromise {
    this.#assertOpen();
    this.#path.seek(key, this.#forward);
    return this.#enterKey();
  }

  next(): MaybePromise {
    assert(this.#version !== NO_VERSION, 'next() at the end of a cursor');
    const next = this.#forward ? this.#tree.older(this.#version) : this.#popNewer();
    if (next !== NO_VERSION) return this.#moveTo(next);
    this.#path.move(this.#forward);
    return this.#enterKey();
  }

  close(): void {
    void this.#moveTo(NO_VERSION);
    this.#owner?.release();
    this.#owner = undefined;
  }

  #assertOpen(): void {
    assert(this.#owner !== undefined, 'a closed cursor is used');
  }

  /** To the key's first version in this direction: the newest one forward, the oldest one in reverse. */
  #enterKey(): MaybePromise {
    let version = this.#path.version;
    this.#newerCount = 0;
    if (!this.#forward && version !== NO_VERSION) {
      for (let older = this.#tree.older(version); older !== NO_VERSION; older = this.#tree.older(version)) {
        this.#pushNewer(version);
        version = older;
      }
    }
    return this.#moveTo(version);
  }

  #moveTo(version: number): MaybePromise {
    this.#version = version;
    this.#entry = undefined;
    return undefined;
  }

  #pushNewer(version: number): void {
    if (this.#newerCount === this.#newer.length) {
      const grown = new Int32Array(this.#newer.length * 2);
      grown.set(this.#newer);
      this.#newer = grown;
    }
    this.#newer[this.#newerCount++] = version;
  }

  #popNewer(): number {
    return this.#newerCount === 0 ? NO_VERSION : this.#newer[--this.#newerCount]!;
  }
}
