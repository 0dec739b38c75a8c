/** What the manifest knows of one table. Format: docs/format/manifest.md, "Edit". */

import type { FileNumber, SequenceNumber } from '../key/internal-key.ts';

export interface TableMeta {
  readonly fileNumber: FileNumber;
  readonly fileBytes: number;
  readonly entryCount: number;
  readonly deleteCount: number;
  readonly smallestSequence: SequenceNumber;
  readonly largestSequence: SequenceNumber;
  /** Smallest and largest user key, both inclusive. Never changed after construction. */
  readonly smallestKey: Uint8Array;
  readonly largestKey: Uint8Array;
  /** The table holds nothing that a range delete up to this sequence number hides. Absent: nobody has looked. */
  readonly rangeDeletesApplied?: SequenceNumber;
}

export const LEVEL_COUNT = 7;
