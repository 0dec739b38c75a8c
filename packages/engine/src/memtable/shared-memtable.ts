/** A frozen memtable as it is sent to another thread: all large parts are shared memory, so sending it costs microseconds. */

import type { SequenceNumber } from '../key/internal-key.ts';
import type { RangeDelete } from '../range-delete/range-delete.ts';

/** Survives `structuredClone` and `postMessage`. Made by `Memtable.share`, read by `Memtable.fromShared`. */
export interface SharedMemtable {
  /** The tree; shared. */
  readonly words: Int32Array;
  /** The entries' bytes; shared. */
  readonly chunks: readonly Uint8Array[];
  readonly entryCount: number;
  readonly dataBytes: number;
  readonly memoryBytes: number;
  readonly largestSequence: SequenceNumber;
  readonly appliedIndex: number | undefined;
  /** Copied. */
  readonly rangeDeletes: readonly RangeDelete[];
}
