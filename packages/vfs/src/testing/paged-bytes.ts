/**
 * The content of one file as 4 KiB pages, copied on write.
 *
 * Copies and synced images share pages, so that cloning a file costs a pointer and thousands of crash clones are
 * cheap. Invariant: a page that is not in `#owned` may be shared and is never written; bytes past the size are zero.
 */

import { createHash } from 'node:crypto';

const PAGE_BYTES = 4096;

/** Hashes of pages that nobody writes any more. */
const pageHashes = new WeakMap<Uint8Array, string>();

export class PagedBytes {
  /** `undefined` is a page of zeros. */
  #pages: (Uint8Array | undefined)[] = [];
  #pagesShared = false;
  readonly #owned = new Set<number>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** A copy that shares every page until one of the two writes it. */
  fork(): PagedBytes {
    const copy = new PagedBytes();
    copy.#pages = this.#pages;
    copy.#bytes = this.#bytes;
    copy.#pagesShared = true;
    this.#pagesShared = true;
    this.#owned.clear();
    return copy;
  }

  /** @returns Bytes read; fewer than `buffer.length` only at the end. */
  read(buffer: Uint8Array, position: number): number {
    const end = Math.min(this.#bytes, position + buffer.length);
    for (let at = position; at < end;) {
      const offset = at % PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - offset, end - at);
      const page = this.#pages[Math.floor(at / PAGE_BYTES)];
      const target = buffer.subarray(at - position, at - position + count);
      if (page === undefined) target.fill(0);
      else target.set(page.subarray(offset, offset + count));
      at += count;
    }
    return Math.max(0, end - position);
  }

  /** Writes all of `data`, growing as needed; a gap reads as zeros. */
  write(data: Uint8Array, position: number): void {
    if (data.length === 0) return;
    const end = position + data.length;
    for (let at = position; at < end;) {
      const offset = at % PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - offset, end - at);
      const page = this.#writablePage(Math.floor(at / PAGE_BYTES));
      page.set(data.subarray(at - position, at - position + count), offset);
      at += count;
    }
    this.#bytes = Math.max(this.#bytes, end);
  }

  /** Cuts or zero-extends. */
  resize(bytes: number): void {
    if (bytes < this.#bytes) {
      const pageCount = Math.ceil(bytes / PAGE_BYTES);
      this.#unsharePages();
      for (const index of this.#owned) if (index >= pageCount) this.#owned.delete(index);
      this.#pages.length = Math.min(this.#pages.length, pageCount);
      const offset = bytes % PAGE_BYTES;
      const last = pageCount - 1;
      if (offset !== 0 && this.#pages[last] !== undefined) this.#writablePage(last).fill(0, offset);
    }
    this.#bytes = bytes;
  }

  /** Takes over the named pages of `source` by sharing them. Sizes stay as they are: `resize` comes after. */
  adoptPages(source: PagedBytes, indexes: Iterable<number>): void {
    this.#unsharePages();
    for (const index of indexes) {
      this.#pages[index] = source.#pages[index];
      this.#owned.delete(index);
      source.#owned.delete(index);
    }
  }

  /** The same text for the same bytes. Pages that were hashed for one copy need not be for another. */
  fingerprint(): string {
    // What is hashed must not be written in place any more.
    this.#owned.clear();
    let text = `${this.#bytes}`;
    for (let index = 0; index * PAGE_BYTES < this.#bytes; index++) text += ` ${hashOf(this.#pages[index])}`;
    return text;
  }

  #writablePage(index: number): Uint8Array {
    const page = this.#pages[index];
    if (page !== undefined && this.#owned.has(index)) return page;
    this.#unsharePages();
    const copy = page === undefined ? new Uint8Array(PAGE_BYTES) : page.slice();
    this.#pages[index] = copy;
    this.#owned.add(index);
    return copy;
  }

  #unsharePages(): void {
    if (!this.#pagesShared) return;
    this.#pages = this.#pages.slice();
    this.#pagesShared = false;
  }
}

/** The pages that the bytes from `start` up to `end` lie in. */
export function* pagesBetween(start: number, end: number): Generator<number> {
  const last = Math.ceil(end / PAGE_BYTES);
  for (let index = Math.floor(start / PAGE_BYTES); index < last; index++) yield index;
}

/** Where the last of these pages ends, in bytes. */
export function endOfPages(indexes: Iterable<number>): number {
  let end = 0;
  for (const index of indexes) end = Math.max(end, (index + 1) * PAGE_BYTES);
  return end;
}

function hashOf(page: Uint8Array | undefined): string {
  if (page === undefined) return '0';
  const known = pageHashes.get(page);
  if (known !== undefined) return known;
  const hash = page.every((byte) => byte === 0) ? '0' : createHash('sha1').update(page).digest('base64');
  pageHashes.set(page, hash);
  return hash;
}
