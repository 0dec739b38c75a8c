/** How far the reading of a node's directory has come: its log, its snapshot and its store together. */

import type { FileSystem } from '@kayadb/vfs';

import { snapshotsPath } from '../machine/group-folders.ts';
import { GROUP_FOLDER, RAFT_FOLDER } from './node-place.ts';

export interface NodeProgress {
  readonly bytes: number;
  /** Grows when the store is found to be read more than once. */
  readonly totalBytes: number;
}

export class ProgressCounter {
  readonly #onProgress: ((progress: NodeProgress) => void) | undefined;
  #bytes = 0;
  #totalBytes: number;
  #partBytes = 0;
  #partTotal = 0;

  private constructor(totalBytes: number, onProgress: ((progress: NodeProgress) => void) | undefined) {
    this.#totalBytes = totalBytes;
    this.#onProgress = onProgress;
  }

  /** Adds up what there is to read beside the store. */
  static async begin(
    fs: FileSystem,
    directory: string,
    onProgress?: (progress: NodeProgress) => void,
  ): Promise<ProgressCounter> {
    if (onProgress === undefined) return new ProgressCounter(0, undefined);
    const snapshots = snapshotsPath(`${directory}/${GROUP_FOLDER}`);
    const folders = [`${directory}/${RAFT_FOLDER}`, snapshots];
    if ((await fs.stat(snapshots)) !== undefined) {
      for (const { name, kind } of await fs.readDirectory(snapshots))
        if (kind === 'directory') folders.push(`${snapshots}/${name}`);
    }
    let total = 0;
    for (const folder of folders) total += await bytesIn(fs, folder);
    return new ProgressCounter(total, onProgress);
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    this.#tell();
  }

  /** The store's own counting. */
  addPart(bytes: number, totalBytes: number): void {
    this.#partBytes = bytes;
    this.#partTotal = totalBytes;
    this.#tell();
  }

  finish(): void {
    this.#totalBytes = this.#bytes;
    this.#partBytes = this.#partTotal;
    this.#tell();
  }

  #tell(): void {
    this.#onProgress?.({
      bytes: this.#bytes + this.#partBytes,
      totalBytes: Math.max(this.#bytes, this.#totalBytes) + this.#partTotal,
    });
  }
}

async function bytesIn(fs: FileSystem, folder: string): Promise<number> {
  if ((await fs.stat(folder)) === undefined) return 0;
  let total = 0;
  for (const { name, kind } of await fs.readDirectory(folder)) {
    if (kind === 'file') total += (await fs.stat(`${folder}/${name}`))?.bytes ?? 0;
  }
  return total;
}
