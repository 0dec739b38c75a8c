/** LevelDB through classic-level: array batches, `getSync`, and iterators read by `nextv`. */

import { ClassicLevel } from 'classic-level';

import {
  type Contestant,
  type OpenStore,
  SCAN_BATCH_ROWS,
  type ScanTally,
  type StoreSettings,
  cacheBytesOf,
} from './contestant.ts';
import { packageVersion } from './package-version.ts';

/** As ours; the default of 2 MiB makes four times as many files. */
const TABLE_BYTES = 8 * 1024 * 1024;
const BYTES = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
const STRINGS = { keyEncoding: 'utf8', valueEncoding: 'utf8' } as const;

export const contestant: Contestant = {
  version: packageVersion('classic-level'),
  describe: (settings) => ({
    ...sizes(settings),
    maxFileSize: TABLE_BYTES,
    compression: 'snappy (default)',
    api: 'batch(array), put, getSync, get, iterator().nextv(1000)',
    strict: 'put with sync: true',
  }),
  open,
};

async function open(directory: string, settings: StoreSettings): Promise<OpenStore> {
  const db = new ClassicLevel<Buffer, Buffer>(directory, {
    ...BYTES,
    ...sizes(settings),
    maxFileSize: TABLE_BYTES,
  });
  await db.open();
  const sync = { sync: settings.durability === 'strict' };
  return {
    writeBatch: (keys, values) =>
      db.batch(keys.map((key, index) => ({ type: 'put', key, value: values[index] as Buffer }))),
    put: (key, value) => db.put(key, value, sync),
    getSync: (key) => db.getSync(key),
    get: (key) => db.get(key),
    getMany: (keys) => db.getMany(keys as Buffer[]),
    scanBuffers: () => scanBatches(db.iterator(BYTES)),
    scanStrings: () => scanBatches(db.iterator<string, string>(STRINGS)),
    scanForAwait: () => scanRows(db.iterator(BYTES)),
    compact: () => db.compactRange(Buffer.alloc(1), Buffer.alloc(1, 255)),
    close: () => db.close(),
  };
}

/** Up to two write buffers are in memory at once. */
const WRITE_BUFFERS = 2;

function sizes(settings: StoreSettings): { cacheSize: number; writeBufferSize: number } {
  return { cacheSize: cacheBytesOf(settings, WRITE_BUFFERS), writeBufferSize: settings.writeBufferBytes };
}

interface Sized {
  readonly length: number;
}

interface BatchedRows {
  nextv(size: number): Promise<[Sized, Sized][]>;
  close(): Promise<void>;
}

async function scanBatches(iterator: BatchedRows): Promise<ScanTally> {
  let rows = 0;
  let bytes = 0;
  for (;;) {
    const batch = await iterator.nextv(SCAN_BATCH_ROWS);
    if (batch.length === 0) break;
    rows += batch.length;
    for (const [key, value] of batch) bytes += key.length + value.length;
  }
  await iterator.close();
  return { rows, bytes };
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
