/**
 * LMDB through lmdb-js: synchronous transactions for batches, the asynchronous write queue for puts, synchronous gets. Values are
 * read with `getBinary`, which copies: `getBinaryFast` is valid only until the next get.
 */

import { type Database, open as openEnvironment, type RootDatabase } from 'lmdb';

import type { Contestant, OpenStore, ScanTally, StoreSettings } from './contestant.ts';
import { packageVersion } from './package-version.ts';

/** Names the root database, which the types do not know to be possible. */
const ROOT = { name: null as unknown as string };

export const contestant: Contestant = {
  version: packageVersion('lmdb'),
  describe: ({ durability }) => ({
    encoding: 'binary',
    keyEncoding: 'binary',
    noSync: durability === 'none',
    compression: 'none (default)',
    cache: 'the page cache of the operating system, without a bound',
    api: 'transactionSync with putSync, put, getBinary, getRange',
    strict: 'put, then the promise `flushed`; synchronous: putSync',
  }),
  open,
};

async function open(directory: string, settings: StoreSettings): Promise<OpenStore> {
  const strict = settings.durability === 'strict';
  const db = openEnvironment<Buffer, Buffer>({
    path: directory,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    noSync: !strict,
  });
  return {
    writeBatch: (keys, values) => writeBatch(db, keys, values),
    put: strict ? (key, value) => putFlushed(db, key, value) : (key, value) => db.put(key, value),
    putSync: (key, value) => db.putSync(key, value),
    getSync: (key) => db.getBinary(key),
    getMany: (keys) => db.getMany(keys as Buffer[]),
    scanBuffers: () => Promise.resolve(scan(db)),
    // Keys of digits are their own encoding in the default order of keys.
    scanStrings: () =>
      Promise.resolve(scan(db.openDB<string, string>({ ...ROOT, encoding: 'string', keyEncoding: 'ordered-binary' }))),
    scanForAwait: () => scanAwaiting(db.getRange()),
    close: () => db.close(),
  };
}

function writeBatch(db: RootDatabase<Buffer, Buffer>, keys: readonly Buffer[], values: readonly Buffer[]): void {
  db.transactionSync(() => {
    for (let index = 0; index < keys.length; index++) db.putSync(keys[index] as Buffer, values[index] as Buffer);
  });
}

/** Durability: `put` resolves when the write is visible; `flushed` when it is on disk. */
async function putFlushed(db: RootDatabase<Buffer, Buffer>, key: Buffer, value: Buffer): Promise<void> {
  await db.put(key, value);
  await db.flushed;
}

interface Row {
  readonly key: Buffer;
  readonly value: Buffer;
}

function scan<Item extends Buffer | string>(db: Database<Item, Item>): ScanTally {
  let rows = 0;
  let bytes = 0;
  for (const { key, value } of db.getRange()) {
    rows++;
    bytes += key.length + value.length;
  }
  return { rows, bytes };
}

/** lmdb-js has no asynchronous iterator of its own: this is what `for await` makes of the synchronous one. */
async function scanAwaiting(rows: Iterable<Row> | AsyncIterable<Row>): Promise<ScanTally> {
  let count = 0;
  let bytes = 0;
  for await (const { key, value } of rows) {
    count++;
    bytes += key.length + value.length;
  }
  return { rows: count, bytes };
}
