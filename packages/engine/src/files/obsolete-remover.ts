/**
 * Removes files that nothing needs any more, in the background.
 *
 * Invariant: a file goes only after the edit that made it unneeded is durable, and never after a disk operation has failed
 * with an unknown outcome: then the file may be the only good copy.
 */

import type { FileSystem } from '@kayadb/vfs';

import { BackgroundLoop } from '../compaction/background-loop.ts';
import type { FileNumber } from '../key/internal-key.ts';
import { parseFileName } from './file-names.ts';
import { type FilesInUse, pickObsoleteFiles } from './obsolete-files.ts';

export interface ObsoleteRemoverOptions {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly filesInUse: () => FilesInUse;
  /** Asked before every removal. */
  readonly isAllowed: () => boolean;
  /** Told before a table's file is removed, to close what is open of it. */
  readonly onRemoveTable: (fileNumber: FileNumber) => void;
  /** A file that could not be removed; the next round tries again. */
  readonly onFailure: (error: Error) => void;
}

export class ObsoleteRemover {
  readonly #options: ObsoleteRemoverOptions;
  readonly #loop: BackgroundLoop;

  constructor(options: ObsoleteRemoverOptions) {
    this.#options = options;
    this.#loop = new BackgroundLoop(() => this.#removeAll());
  }

  kick(): void {
    this.#loop.kick();
  }

  idle(): Promise<void> {
    return this.#loop.idle();
  }

  async #removeAll(): Promise<false> {
    const { fileSystem, directory, filesInUse, isAllowed, onRemoveTable, onFailure } = this.#options;
    try {
      const names = (await fileSystem.readDirectory(directory)).map(({ name }) => name);
      // Looked up after the listing, so that what is listed and still being written is known to be in use.
      const inUse = filesInUse();
      for (const name of pickObsoleteFiles(
        names.filter((listed) => !isBeingPublished(listed, inUse)),
        inUse,
      )) {
        if (!isAllowed()) break;
        const parsed = parseFileName(name);
        if (parsed.kind === 'table') onRemoveTable(parsed.fileNumber);
        // One name that cannot be removed, such as a folder of that name, does not keep the others.
        await fileSystem.unlink(`${directory}/${name}`).catch(onFailure);
      }
    } catch (error) {
      onFailure(error as Error);
    }
    return false;
  }
}

/**
 * A temporary, which the next one of that name replaces; or a manifest that CURRENT does not name yet, which the next
 * open judges.
 */
function isBeingPublished(name: string, inUse: FilesInUse): boolean {
  const parsed = parseFileName(name);
  return parsed.kind === 'temporary' || (parsed.kind === 'manifest' && parsed.fileNumber > inUse.manifestNumber);
}
