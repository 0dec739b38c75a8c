import { compareBytes, decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { seededRandom, type SeededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { randomKey } from '../../test/support/random-entries.ts';
import { type Layer, type ScanOperation, ScanWorld } from '../../test/support/scan-world.ts';
import type { KeyRange } from '../types.ts';
import type { ScanRequest } from './open-scan.ts';
import { normaliseBounds } from './range.ts';
import type { StoreScan } from './store-scan.ts';

const PLACES = [3, 2, 1, 0, 0, 0, 'memtable', 'memtable'] as const;

function randomOperation(random: SeededRandom, keys: readonly Uint8Array[], value: number): ScanOperation {
  if (random.chance(0.03)) {
    const [start, end] = [random.pick(keys), random.pick(keys)].toSorted(compareBytes);
    if (compareBytes(start!, end!) < 0) {
      return { kind: 'delete-range', start: start!, end: random.chance(0.1) ? undefined : end };
    }
  }
  if (random.chance(0.2)) return { kind: 'delete', key: random.pick(keys) };
  const filler = random.chance(0.5) ? encodeUtf8(`v${value}`) : random.bytes(random.int(30));
  return { kind: 'put', key: random.pick(keys), value: filler };
}

function randomWorld(random: SeededRandom): Promise<ScanWorld> {
  const keys = Array.from({ length: 10 + random.int(80) }, () => randomKey(random));
  let value = 0;
  const layers: Layer[] = PLACES.filter(() => random.chance(0.7)).map((place) => ({
    place,
    operations: Array.from({ length: random.int(150) }, () => randomOperation(random, keys, value++)),
  }));
  return ScanWorld.create(layers, {
    blockBytes: random.pick([1, 100, 400, 4096]),
    tableEntries: random.pick([1, 10, 60]),
    cacheBytes: random.pick([0, 100_000]),
    compression: random.chance(0.2) ? 'zstd' : 'none',
  });
}

function randomRange(random: SeededRandom): KeyRange {
  const bound = (): Uint8Array => (random.chance(0.05) ? new Uint8Array(0) : randomKey(random));
  return {
    ...(random.chance(0.4) && { [random.pick(['gt', 'gte'])]: bound() }),
    ...(random.chance(0.4) && { [random.pick(['lt', 'lte'])]: bound() }),
    ...(random.chance(0.2) && { prefix: bound().subarray(0, 1 + random.int(5)) }),
  };
}

function randomRequest(random: SeededRandom, world: ScanWorld, range: KeyRange): Partial<ScanRequest> {
  return {
    bounds: normaliseBounds(range),
    direction: random.pick(['forward', 'reverse']),
    sequence: random.chance(0.5) ? world.sequence : random.int(world.sequence + 1),
    limit: random.chance(0.3) ? random.int(20) : Infinity,
    limitBytes: random.chance(0.3) ? random.int(300) : Infinity,
    keyEncoding: random.pick(['bytes', 'utf8']),
    valueEncoding: random.pick(['bytes', 'utf8']),
    want: random.pick(['rows', 'rows', 'keys', 'values']),
  };
}

interface NaiveRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** What a scan must do, told over an array of all rows. */
class NaiveScan {
  readonly #rows: readonly NaiveRow[];
  readonly #request: Partial<ScanRequest>;
  #at = 0;
  #rowsLeft: number;
  #bytes = 0;
  #handedOut = 0;
  #hasEnded = false;

  constructor(world: ScanWorld, range: KeyRange, request: Partial<ScanRequest>) {
    const rows = world.naiveRows(request.sequence).filter(({ key }) => isInside(key, range));
    this.#rows = request.direction === 'reverse' ? rows.toReversed() : rows;
    this.#request = request;
    this.#rowsLeft = request.limit!;
  }

  seek(key: Uint8Array): void {
    const sign = this.#request.direction === 'reverse' ? -1 : 1;
    const at = this.#rows.findIndex((row) => compareBytes(row.key, key) * sign >= 0);
    this.#at = at === -1 ? this.#rows.length : at;
  }

  next(): unknown {
    const row = this.#rows[this.#at];
    const isAtLimit = this.#rowsLeft === 0 || (this.#handedOut > 0 && this.#bytes >= this.#request.limitBytes!);
    this.#hasEnded ||= row === undefined || isAtLimit;
    if (this.#hasEnded) return undefined;
    const { want, keyEncoding, valueEncoding } = this.#request;
    this.#at++;
    this.#rowsLeft--;
    this.#handedOut++;
    this.#bytes += (want === 'values' ? 0 : row!.key.length) + (want === 'keys' ? 0 : row!.value.length);
    const key = keyEncoding === 'utf8' ? decodeUtf8(row!.key) : row!.key;
    const value = valueEncoding === 'utf8' ? decodeUtf8(row!.value) : row!.value;
    return want === 'keys' ? key : want === 'values' ? value : { key, value };
  }
}

function isInside(key: Uint8Array, { gt, gte, lt, lte, prefix }: KeyRange): boolean {
  const compare = (bound: KeyRange['gt']): number => compareBytes(key, bound as Uint8Array);
  if (gt !== undefined && compare(gt) <= 0) return false;
  if (gte !== undefined && compare(gte) < 0) return false;
  if (lt !== undefined && compare(lt) >= 0) return false;
  if (lte !== undefined && compare(lte) > 0) return false;
  return prefix === undefined || compareBytes(key.subarray(0, prefix.length), prefix as Uint8Array) === 0;
}

/** @returns What was not as it should be, or `undefined`. */
async function findDisagreement(
  random: SeededRandom,
  scan: StoreScan<unknown>,
  naive: NaiveScan,
): Promise<string | undefined> {
  const batches = random.pick([[0], [1], [2], [7], [1000], [0, 1, 2, 7, 1000]]);
  for (let pull = 0; pull < 1000; pull++) {
    if (random.chance(0.1)) {
      const key = randomKey(random);
      scan.seek(key);
      naive.seek(key);
    }
    const size = random.pick(batches);
    const items = size === 0 ? itemsOf(await scan.next()) : await scan.nextBatch(size);
    if (items.length > Math.max(1, size)) return `${items.length} items where ${size} were asked for`;
    for (const item of items) {
      const expected = naive.next();
      if (!isSame(item, expected)) return `${describeItem(item)} instead of ${describeItem(expected)}`;
    }
    if (items.length === 0) {
      const expected = naive.next();
      return expected === undefined ? undefined : `an end instead of ${describeItem(expected)}`;
    }
  }
  await scan.return();
  return undefined;
}

function itemsOf(result: IteratorResult<unknown, undefined>): readonly unknown[] {
  return result.done === true ? [] : [result.value];
}

function isSame(a: unknown, b: unknown): boolean {
  return describeItem(a) === describeItem(b);
}

function describeItem(item: unknown): string {
  return (
    JSON.stringify(item, (_, part: unknown) => (part instanceof Uint8Array ? `bytes ${part.join(' ')}` : part)) ?? '-'
  );
}

describe('openScan', () => {
  test('agrees with a replay of the whole history, whatever is asked of it', async () => {
    const random = seededRandom(testSeed());
    for (let round = 0; round < 16; round++) {
      const world = await randomWorld(random);
      for (let i = 0; i < 25; i++) {
        const range = randomRange(random);
        const request = randomRequest(random, world, range);

        const scan = world.scan<unknown>(request);
        const wrong = await findDisagreement(random, scan, new NaiveScan(world, range, request));
        await scan.return();

        expect(wrong, `round ${round}, ${describeItem({ range, request })}`).toBeUndefined();
      }
    }
  }, 60_000);
});
