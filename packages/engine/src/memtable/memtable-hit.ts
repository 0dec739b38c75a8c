/** What a lookup found in a memtable. Made once and filled again and again, so that a lookup allocates nothing. */

import { EMPTY_BYTES } from '@kayadb/codec';

import { type EntryKind, PUT_KIND, type SequenceNumber } from '../key/internal-key.ts';

export class MemtableHit {
  sequence: SequenceNumber = 0;
  kind: EntryKind = PUT_KIND;
  /** The memory that holds the value, valid in this turn: the memtable may be retired in another. */
  bytes: Uint8Array = EMPTY_BYTES;
  /** Where the value lies in `bytes`. */
  valueAt = 0;
  valueBytes = 0;
}
