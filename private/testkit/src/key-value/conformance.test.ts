import { describe, expect, test } from 'vitest';

import { seededRandom } from '../seeded-random.ts';
import { checkOps } from '../shrink.ts';
import { compareWithModel } from './compare-with-model.ts';
import { describeKeyValueConformance } from './conformance.ts';
import { printOp, randomOps } from './key-value-ops.ts';
import type { KeyValueEntry, KeyValueScanOptions } from './key-value-store.ts';
import { SortedMapStore } from './sorted-map-store.ts';

describeKeyValueConformance('SortedMapStore', async () => new SortedMapStore());

describeKeyValueConformance('SortedMapStore with prefix scans only', async () => new SortedMapStore(), {
  ranges: false,
  atomicBatch: false,
  snapshots: false,
  rangeDeletes: false,
  stableScans: false,
});

/** A canary: forgets that `lte` includes its bound. */
class ExclusiveUpperBoundStore extends SortedMapStore {
  override scan({ lte, ...options }: KeyValueScanOptions): AsyncIterable<KeyValueEntry> {
    return super.scan(lte === undefined ? options : { ...options, lt: lte });
  }
}

/** A canary: a deleted key comes back with its old value when the store is reopened. */
class ForgetfulStore extends SortedMapStore {
  readonly #graveyard: { readonly key: Uint8Array; readonly value: Uint8Array }[] = [];

  override async delete(key: Uint8Array): Promise<void> {
    const value = await this.get(key);
    if (value !== undefined) this.#graveyard.push({ key: key.slice(), value });
    await super.delete(key);
  }

  async reopen(): Promise<void> {
    for (const { key, value } of this.#graveyard) await this.put(key, value);
  }
}

/** A canary: a range takes its end along. */
class InclusiveRangeDeleteStore extends SortedMapStore {
  override async deleteRange(from: Uint8Array, to: Uint8Array): Promise<void> {
    await super.deleteRange(from, Uint8Array.of(...to, 0));
  }
}

describe('compareWithModel', () => {
  test.each([
    ['a range that takes its end along', () => new InclusiveRangeDeleteStore(), ['put a 1', 'delete-range a a']],
    ['a bound that is off by one', () => new ExclusiveUpperBoundStore(), ['put a 1', 'scan lte=a']],
    ['a deleted key that comes back', () => new ForgetfulStore(), ['put a 1', 'delete a', 'reopen']],
  ])('catches %s, and shrinks the run to what shows it', async (_, open, kinds) => {
    const ops = randomOps(seededRandom(6), 400, { ranges: true, flush: true, reopen: true, deleteRange: true });

    const failure: unknown = await checkOps({
      ops,
      seed: 6,
      print: printOp,
      run: (part) => compareWithModel(open(), part, true),
    }).catch((error: unknown) => error);

    const lines = String(failure).split('\n');
    const names = lines.filter((line) => line.startsWith('  ')).map((line) => line.trim().split(' ')[0]);
    expect(lines[0]).toMatch(/^Error: seed 6: \d of 400 operations still fail:$/);
    expect(names.length).toBeLessThanOrEqual(kinds.length);
    expect(lines.at(-1)).toMatch(/answered \[.*\], expected \[.*\]/);
  });
});
