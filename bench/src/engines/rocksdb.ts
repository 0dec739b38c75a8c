/** RocksDB through the `rocksdb` binding, which is asynchronous and speaks callbacks: array batches, `get`, `getMany`, iterators. */

import createStore, { type Callback, type Rocks, type RocksIterator } from 'rocksdb';

import { type Contestant, type OpenStore, type ScanTally, type StoreSettings, cacheBytesOf } from './contestant.ts';
import { packageVersion } from './package-version.ts';

/** Bytes that an iterator fetches at a time: as many rows as the others take in a batch. */
const HIGH_WATER_BYTES = 128 * 1024;

export const contestant: Contestant = {
  version: packageVersion('rocksdb'),
  describe: (settings) => ({
    ...sizes(settings),
    compression: 'snappy (default)',
    api: `batch(array), put, get (no synchronous one), getMany, iterator with highWaterMark ${HIGH_WATER_BYTES}`,
    strict: 'put with sync: true',
  }),
  open,
};

async function open(directory: string, settings: StoreSettings): Promise<OpenStore> {
  const db = createStore(directory);
  await settle<void>((done) => db.open(sizes(settings), done));
  const sync = { sync: settings.durability === 'strict' };
  return {
    writeBatch: (keys, values) =>
      settle<void>((done) =>
        db.batch(
          keys.map((key, index) => ({ type: 'put', key, value: values[index] })),
          done,
        ),
      ),
    put: (key, value) => settle<void>((done) => db.put(key, value, sync, done)),
    get: (key) => get(db, key),
    getMany: (keys) => settle<readonly unknown[]>((done) => db.getMany(keys, done)),
    scanBuffers: () => scanNext<Buffer>(db.iterator({ highWaterMark: HIGH_WATER_BYTES })),
    scanStrings: () =>
      scanNext<string>(db.iterator({ highWaterMark: HIGH_WATER_BYTES, keyAsBuffer: false, valueAsBuffer: false })),
    scanForAwait: () => scanRows(db.iterator({ highWaterMark: HIGH_WATER_BYTES })),
    compact: () => settle<void>((done) => db.compactRange(Buffer.alloc(1), Buffer.alloc(1, 255), done)),
    close: () => settle<void>((done) => db.close(done)),
  };
}

/** Up to two write buffers are in memory at once. */
const WRITE_BUFFERS = 2;

function sizes(settings: StoreSettings): { cacheSize: number; writeBufferSize: number } {
  return { cacheSize: cacheBytesOf(settings, WRITE_BUFFERS), writeBufferSize: settings.writeBufferBytes };
}

function settle<Result>(start: (done: Callback<Result>) => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    start((error, result) => (error ? reject(error) : resolve(result)));
  });
}

/** An absent key is an error in this binding. */
function get(db: Rocks, key: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    db.get(key, (error, value) => {
      if (!error) resolve(value);
      else if (/NotFound/i.test(error.message)) resolve(undefined);
      else reject(error);
    });
  });
}

function scanNext<Item extends Buffer | string>(iterator: RocksIterator<Item>): Promise<ScanTally> {
  let rows = 0;
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const take = (error: Error | null | undefined, key?: Item, value?: Item): void => {
      if (error) {
        reject(error);
      } else if (key === undefined || value === undefined) {
        iterator.end((failure) => (failure ? reject(failure) : resolve({ rows, bytes })));
      } else {
        rows++;
        bytes += key.length + value.length;
        iterator.next(take);
      }
    };
    iterator.next(take);
  });
}

async function scanRows(iterator: AsyncIterable<[Buffer, Buffer]>): Promise<ScanTally> {
  let rows = 0;
  let bytes = 0;
  for await (const [key, value] of iterator) {
    rows++;
    bytes += key.length + value.length;
  }
  return { rows, bytes };
}
