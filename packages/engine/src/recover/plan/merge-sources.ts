/** Entries of many sources in one order: key ascending, newest version first. A heap, since there may be thousands of sources. */

import { compareEntries } from '../../key/internal-key.ts';
import type { EntrySource } from './entry-source.ts';

/**
 * Walks `sources` and closes them.
 *
 * @param visit - Gets the source whose entry comes next; its views are valid until the promise resolves. The same entry may come twice.
 */
export async function mergeSources(
  sources: readonly EntrySource[],
  visit: (source: EntrySource) => Promise<void> | undefined,
): Promise<void> {
  try {
    const heap: EntrySource[] = [];
    for (const source of sources) {
      await source.start();
      if (source.entry === undefined) continue;
      heap.push(source);
      rise(heap);
    }
    while (heap.length > 0) {
      const first = heap[0]!;
      const visiting = visit(first);
      if (visiting !== undefined) await visiting;
      const moving = first.next();
      if (moving !== undefined) await moving;
      if (first.entry === undefined) {
        const last = heap.pop()!;
        if (heap.length > 0) heap[0] = last;
      }
      sink(heap);
    }
  } finally {
    for (const source of sources) await source.close();
  }
}

function isBefore(a: EntrySource, b: EntrySource): boolean {
  const order = compareEntries(a.entry!, b.entry!);
  return order === 0 ? a.rank < b.rank : order < 0;
}

/** Puts the last where it belongs. */
function rise(heap: EntrySource[]): void {
  let i = heap.length - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!isBefore(heap[i]!, heap[parent]!)) return;
    [heap[i], heap[parent]] = [heap[parent]!, heap[i]!];
    i = parent;
  }
}

/** Puts the first where it belongs. */
function sink(heap: EntrySource[]): void {
  let i = 0;
  for (;;) {
    const left = 2 * i + 1;
    if (left >= heap.length) return;
    const right = left + 1;
    const child = right < heap.length && isBefore(heap[right]!, heap[left]!) ? right : left;
    if (!isBefore(heap[child]!, heap[i]!)) return;
    [heap[i], heap[child]] = [heap[child]!, heap[i]!];
    i = child;
  }
}
