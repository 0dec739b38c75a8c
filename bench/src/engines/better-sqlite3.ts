/** SQLite through better-sqlite3: one table that is its own index, prepared statements, a write-ahead log. Synchronous throughout. */

import { join } from 'node:path';

import Database from 'better-sqlite3';

import {
  type Contestant,
  type OpenStore,
  SCAN_BATCH_ROWS,
  type ScanTally,
  type StoreSettings,
  cacheBytesOf,
} from './contestant.ts';
import { packageVersion } from './package-version.ts';

export const contestant: Contestant = {
  version: packageVersion('better-sqlite3'),
  describe: (settings) => ({
    journal_mode: 'WAL',
    synchronous: settings.durability === 'strict' ? 'FULL' : 'OFF',
    cache_size: -cacheKib(settings),
    table: 'k BLOB PRIMARY KEY, v BLOB, WITHOUT ROWID',
    compression: 'none (it has none)',
    api: 'prepared statements; raw().all() over pages of 1000 rows',
    strict: 'synchronous = FULL',
  }),
  open: (directory, settings) => Promise.resolve(open(directory, settings)),
};

function open(directory: string, settings: StoreSettings): OpenStore {
  const db = new Database(join(directory, 'store.sqlite'));
  db.pragma('journal_mode = WAL');
  db.pragma(`synchronous = ${settings.durability === 'strict' ? 'FULL' : 'OFF'}`);
  db.pragma(`cache_size = ${-cacheKib(settings)}`);
  db.exec('CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID');
  const begin = db.prepare('BEGIN');
  const commit = db.prepare('COMMIT');
  const put = db.prepare<[Buffer, Buffer]>('INSERT OR REPLACE INTO kv VALUES (?, ?)');
  const get = db.prepare<[Buffer], Buffer>('SELECT v FROM kv WHERE k = ?').pluck();
  const getSync = (key: Buffer): Buffer | undefined => get.get(key);
  return {
    writeBatch: (keys, values) => {
      begin.run();
      for (let index = 0; index < keys.length; index++) put.run(keys[index] as Buffer, values[index] as Buffer);
      commit.run();
    },
    putSync: (key, value) => {
      put.run(key, value);
    },
    getSync,
    getMany: (keys) => Promise.resolve(keys.map(getSync)),
    scanBuffers: () => Promise.resolve(scanPages(db, 'k, v')),
    scanStrings: () => Promise.resolve(scanPages(db, 'CAST(k AS TEXT), CAST(v AS TEXT)')),
    close: () => Promise.resolve(db.close()),
  };
}

/** It has no write buffer of its own: the page cache holds what a transaction wrote. */
function cacheKib(settings: StoreSettings): number {
  return Math.round(cacheBytesOf(settings, 0) / 1024);
}

function scanPages(db: Database.Database, columns: string): ScanTally {
  const page = db
    .prepare<[Buffer], [Buffer | string, Buffer | string]>(
      `SELECT ${columns} FROM kv WHERE k > ? ORDER BY k LIMIT ${SCAN_BATCH_ROWS}`,
    )
    .raw();
  let rows = 0;
  let bytes = 0;
  let last = Buffer.alloc(0);
  for (;;) {
    const batch = page.all(last);
    const end = batch.at(-1);
    if (end === undefined) return { rows, bytes };
    rows += batch.length;
    for (const [key, value] of batch) bytes += key.length + value.length;
    // A string does not compare with the keys, which are blobs.
    last = Buffer.from(end[0]);
  }
}
