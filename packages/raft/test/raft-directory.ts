/** A Raft directory on a simulated disk, to be harmed and opened: what comes of it as one line of text. */

import { KayaError } from '@kayadb/codec';
import { MemoryFileSystem } from '@kayadb/vfs/testing';

import { RaftCorruptionError } from '../src/errors.ts';
import type { DurableRaftStorage } from '../src/storage/durable-storage.ts';
import { openRaftStorage, type RaftStorageOptions } from '../src/storage/open-raft-storage.ts';
import type { StorageBatch } from '../src/storage/raft-storage.ts';
import { batchOf, describeLog, sampleEntry, vote } from '../src/testing/storage-samples.ts';

export const IDENTITY = { clusterId: new Uint8Array(16).fill(9), nodeId: 3, incarnation: 12 };
const DIRECTORY = '/raft';

export class RaftDirectory {
  readonly fs = new MemoryFileSystem();
  readonly #options: Omit<RaftStorageOptions, 'fs'>;

  constructor(options: Partial<RaftStorageOptions> = {}) {
    this.#options = { identity: IDENTITY, ...options };
  }

  open(options: Partial<RaftStorageOptions> = {}): Promise<DurableRaftStorage> {
    return openRaftStorage(DIRECTORY, { fs: this.fs, ...this.#options, ...options });
  }

  /** Batches, each written when the one before is durable. The process is killed then, or closes in good order. */
  async build(
    batches: readonly Partial<StorageBatch>[],
    end: 'killed' | 'closed' = 'killed',
  ): Promise<DurableRaftStorage> {
    const storage = await this.open();
    for (const batch of batches) await storage.write(batchOf(batch));
    if (end === 'closed') await storage.close();
    return storage;
  }

  /** Opens it, and tells the log, term and vote; or the error's code, and file and offset where it has them. */
  async outcome(options: Partial<RaftStorageOptions> = {}): Promise<string> {
    try {
      const storage = await this.open(options);
      const { term, vote: votedFor } = storage.initialState().hardState;
      const text = `${describeLog(storage)}, term ${term}, vote ${votedFor}`;
      await storage.close();
      return text;
    } catch (error) {
      if (error instanceof RaftCorruptionError) return `${error.code} ${error.file}:${error.offset}`;
      if (error instanceof KayaError) return error.code;
      throw error;
    }
  }

  async names(): Promise<readonly string[]> {
    return (await this.fs.readDirectory(DIRECTORY)).map(({ name }) => name);
  }

  read(name: string): Promise<Uint8Array> {
    return this.fs.readFile(`${DIRECTORY}/${name}`);
  }

  /** Replaces the file, or makes it. */
  async replace(name: string, bytes: Uint8Array): Promise<void> {
    const path = `${DIRECTORY}/${name}`;
    const mode = (await this.fs.stat(path)) === undefined ? 'create' : 'write';
    const handle = await this.fs.open(path, mode);
    await handle.truncate(0);
    await handle.write(bytes, 0);
    await handle.close();
  }

  async change(name: string, change: (bytes: Uint8Array) => Uint8Array | undefined): Promise<void> {
    const bytes = await this.read(name);
    await this.replace(name, change(bytes) ?? bytes);
  }

  async flip(name: string, offset: number): Promise<void> {
    await this.change(name, (bytes) => {
      bytes[offset] = bytes[offset]! ^ 0x10;
      return bytes;
    });
  }

  async cut(name: string, bytes: number): Promise<void> {
    await this.change(name, (whole) => whole.subarray(0, bytes));
  }

  async remove(name: string): Promise<void> {
    await this.fs.unlink(`${DIRECTORY}/${name}`);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.fs.rename(`${DIRECTORY}/${from}`, `${DIRECTORY}/${to}`);
  }
}

/** Of the records of `threeRecords` in the first segment, and where the last ends. */
export const RECORD_OFFSETS = [96, 176, 256, 336] as const;

/** Three entries of term 1, a record of 80 bytes for each. */
export const threeRecords: readonly Partial<StorageBatch>[] = [
  { hardState: vote(1, 2), entries: [sampleEntry(1, 1)] },
  { entries: [sampleEntry(2, 1)] },
  { entries: [sampleEntry(3, 1)] },
];
