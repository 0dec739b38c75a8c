/**
 * The log that is not the engine's: the embedder (Raft, say) has every write in a log of its own and repeats what tables lack.
 *
 * Invariant: nothing is ever durable through it, and it has no segments. A manifest whose oldest segment is 0 says so.
 */

import type { FileNumber } from '../key/internal-key.ts';
import { NO_SEGMENT } from './wal-replay.ts';
import type { WriteLog } from './write-log.ts';

export class ExternalLog implements WriteLog {
  readonly fileNumber: FileNumber = NO_SEGMENT;
  readonly endLsn = 0;
  /** Below every LSN, so that no write counts as durable. */
  readonly durableLsn = -1;

  append(): number {
    return this.endLsn;
  }

  async sync(): Promise<void> {}

  async prepare(): Promise<void> {}

  async rotate(): Promise<FileNumber> {
    return NO_SEGMENT;
  }

  async release(): Promise<void> {}

  async close(): Promise<void> {}
}
