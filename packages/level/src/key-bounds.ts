/** The bounds of an iterator: for its scans, and for its seeks, since in Level a seek to somewhere outside of them ends the iterator. */

import type { KeyRange } from '@kayadb/engine';

import { copyKey, type LevelKey } from './level-key.ts';

export class KeyBounds {
  readonly range: KeyRange;

  /** Copies the bounds. */
  constructor(range: KeyRange) {
    const copies = Object.entries(range).map(([name, bound]: [string, LevelKey]) => [name, copyKey(bound)]);
    this.range = Object.fromEntries(copies) as KeyRange;
  }

  /** Compares bytes, whose order is another than JavaScript's own of text. */
  includes(key: LevelKey): boolean {
    const { gt, gte, lt, lte } = this.range;
    if (gt !== undefined && compareKeys(key, gt) <= 0) return false;
    if (gte !== undefined && compareKeys(key, gte) < 0) return false;
    if (lt !== undefined && compareKeys(key, lt) >= 0) return false;
    return lte === undefined || compareKeys(key, lte) <= 0;
  }
}

function compareKeys(a: LevelKey, b: LevelKey): number {
  return Buffer.compare(toBytes(a), toBytes(b));
}

function toBytes(key: LevelKey): Uint8Array {
  return typeof key === 'string' ? Buffer.from(key) : key;
}
