/** A text file that grows line by line: the lists of bad lines and of acknowledged keys. */

import { encodeUtf8 } from '@kayadb/codec';
import type { FileHandle, FileSystem } from '@kayadb/vfs';

export class AppendFile {
  readonly #handle: FileHandle;
  #position: number;

  private constructor(handle: FileHandle, position: number) {
    this.#handle = handle;
    this.#position = position;
  }

  /** Opens or creates the file; its old content stays when `keep` is set. @throws FileSystemError */
  static async open(fileSystem: FileSystem, path: string, keep: boolean): Promise<AppendFile> {
    const exists = (await fileSystem.stat(path)) !== undefined;
    const handle = await fileSystem.open(path, exists ? 'write' : 'create');
    if (!keep) await handle.truncate(0);
    return new AppendFile(handle, await handle.size());
  }

  /** Durability: the line survives the death of this process as soon as this returns. @throws FileSystemError */
  append(value: unknown): void {
    const bytes = encodeUtf8(`${JSON.stringify(value)}\n`);
    this.#handle.writeSync(bytes, this.#position);
    this.#position += bytes.length;
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#handle.close();
  }
}
