/** Walks a memtable, one way. Never waits; sees entries inserted ahead of it, which snapshots filter by sequence. */

import { assert } from '@kayadb/codec';

import type { Cursor, Direction, MaybePromise } from '../iterate/cursor.ts';
import type { Entry } from '../key/internal-key.ts';
import { NIL, type SkipList } from './skip-list.ts';

export class MemtableCursor implements Cursor {
  readonly #list: SkipList;
  readonly #forward: boolean;
  #node = NIL;
  #entry: Entry | undefined;

  constructor(list: SkipList, direction: Direction) {
    this.#list = list;
    this.#forward = direction === 'forward';
  }

  get entry(): Entry | undefined {
    return this.#entry;
  }

  seekToStart(): MaybePromise {
    return this.#moveTo(this.#forward ? this.#list.first : this.#list.last);
  }

  seek(key: Uint8Array): MaybePromise {
    const list = this.#list;
    // In reverse, the oldest version of `key` comes last of that key: just before the first entry of a later key.
    // Sequence numbers are never negative, so (key, -1) is the position behind every version of `key`.
    if (this.#forward) return this.#moveTo(list.seek(key, Number.MAX_SAFE_INTEGER));
    const after = list.seek(key, -1);
    return this.#moveTo(after === NIL ? list.last : list.previous(after));
  }

  next(): MaybePromise {
    assert(this.#node !== NIL, 'next() at the end of a cursor');
    return this.#moveTo(this.#forward ? this.#list.next(this.#node) : this.#list.previous(this.#node));
  }

  close(): void {
    this.#node = NIL;
    this.#entry = undefined;
  }

  #moveTo(node: number): MaybePromise {
    this.#node = node;
    this.#entry = node === NIL ? undefined : this.#list.entry(node);
    return undefined;
  }
}
