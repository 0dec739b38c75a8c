/** Where the files of a snapshot come from: the state machine's side of sending one. */

import type { Snapshot } from '../core/types.ts';
import type { SnapshotFile } from '../wire/transfer-message.ts';

export interface SnapshotSource {
  /**
   * Keeps the files of `snapshot` as they are until they are unpinned.
   *
   * @throws When there is no such snapshot any more.
   */
  pin(snapshot: Snapshot): Promise<PinnedSnapshot>;
}

export interface PinnedSnapshot {
  /** Ascending by name. */
  readonly files: readonly SnapshotFile[];
  /**
   * Fills `buffer` from `offset` of a file.
   *
   * @param file - Position in `files`.
   * @returns Bytes read; fewer than `buffer.length` only at the end of the file.
   */
  read(file: number, buffer: Uint8Array, offset: number): Promise<number>;
  /** Must not throw. */
  unpin(): void;
}
