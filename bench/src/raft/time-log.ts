/** Appends of the durable Raft log beside the same bytes written and synced by hand, in turns on one disk. */

import { type Entry, openRaftStorage } from '@kayadb/raft';
import { type FileSystem, nodeFileSystem } from '@kayadb/vfs';

const BATCH_ENTRIES = 64;
const PAYLOAD_BYTES = 256;
const BATCH_BYTES = BATCH_ENTRIES * PAYLOAD_BYTES;
const CLUSTER_ID = new Uint8Array(16).fill(7);

/** Batches per second, each durable before the next one begins. */
export interface LogRates {
  readonly log: number;
  /** The same payload bytes, appended to a file that grows. */
  readonly growingFile: number;
  /** The same, over zeros that are on disk already: no new size has to be made durable. */
  readonly filledFile: number;
}

/**
 * @param directory - Empty; what is left in it is for the caller to remove.
 * @param round - Another one begins with another contestant: the first finds a quieter disk than the last.
 */
export async function timeLog(directory: string, batches: number, round: number): Promise<LogRates> {
  const fs = nodeFileSystem();
  const contestants = {
    log: () => openLog(fs, `${directory}/log`),
    growingFile: () => openRaw(fs, `${directory}/growing`, 0),
    filledFile: () => openRaw(fs, `${directory}/filled`, batches * BATCH_BYTES),
  } satisfies Record<keyof LogRates, () => Promise<Contestant>>;
  const names = Object.keys(contestants) as (keyof LogRates)[];
  const rates = { log: 0, growingFile: 0, filledFile: 0 };
  for (const at of names.keys()) {
    const name = names[(at + round) % names.length]!;
    rates[name] = await timeBatches(batches, await contestants[name]());
  }
  return rates;
}

interface Contestant {
  append(batch: number): Promise<void>;
  close(): Promise<void>;
}

async function timeBatches(batches: number, contestant: Contestant): Promise<number> {
  const startMs = performance.now();
  for (let batch = 0; batch < batches; batch++) await contestant.append(batch);
  const seconds = (performance.now() - startMs) / 1000;
  await contestant.close();
  return batches / seconds;
}

async function openLog(fs: FileSystem, directory: string): Promise<Contestant> {
  const identity = { clusterId: CLUSTER_ID, nodeId: 1, incarnation: 1 };
  const storage = await openRaftStorage(directory, { fs, identity });
  await storage.write({ entries: [], hardState: { term: 1, vote: 1, commit: 0 }, snapshot: undefined });
  const data = new Uint8Array(PAYLOAD_BYTES).fill(1);
  return {
    append(batch) {
      const first = batch * BATCH_ENTRIES + 1;
      const entries = Array.from({ length: BATCH_ENTRIES }, (_, i): Entry => ({
        term: 1,
        index: first + i,
        kind: 'normal',
        data,
      }));
      return storage.write({ entries, hardState: undefined, snapshot: undefined });
    },
    close: () => storage.close(),
  };
}

async function openRaw(fs: FileSystem, path: string, filledBytes: number): Promise<Contestant> {
  const handle = await fs.open(path, 'create');
  if (filledBytes > 0) await handle.write(new Uint8Array(filledBytes), 0);
  await handle.sync();
  const bytes = new Uint8Array(BATCH_BYTES).fill(1);
  return {
    async append(batch) {
      handle.writeSync(bytes, batch * BATCH_BYTES);
      await handle.sync();
    },
    close: () => handle.close(),
  };
}
