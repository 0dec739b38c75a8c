/** What must be true of a batch, whichever storage it is for. */

import { assert, AssertionError } from '@kayadb/codec';

import type { HardState, LogIndex } from '../core/types.ts';
import type { StorageBatch } from './raft-storage.ts';

/**
 * @param last - The last index of the log before the batch.
 * @param hardState - What was to be remembered before it.
 * @throws AssertionError when the batch leaves a gap, is out of order, or goes back in time.
 */
export function assertBatch(batch: StorageBatch, first: LogIndex, last: LogIndex, hardState: HardState): void {
  const { entries, snapshot } = batch;
  const next = batch.hardState;
  if (next !== undefined) {
    assert(next.term >= hardState.term, `the term goes back from ${hardState.term} to ${next.term}`);
    const keepsVote = next.term > hardState.term || hardState.vote === 0 || next.vote === hardState.vote;
    assert(keepsVote, `the vote for ${hardState.vote} in term ${hardState.term} becomes one for ${next.vote}`);
  }
  if (snapshot !== undefined) {
    assert(
      snapshot.meta.index >= first - 1,
      `a snapshot of index ${snapshot.meta.index} for a log that begins at ${first}`,
    );
  }
  const head = entries[0];
  if (head === undefined) return;
  const begin = snapshot === undefined ? first : snapshot.meta.index + 1;
  // A snapshot may leave of the log what comes after it.
  const end = snapshot === undefined ? last : Math.max(last, snapshot.meta.index);
  assert(
    head.index >= begin && head.index <= end + 1,
    `entries from ${head.index} on do not follow ${begin} to ${end}`,
  );
  let before = head;
  for (let i = 1; i < entries.length; i++) {
    const entry = entries[i]!;
    // No call of `assert`: its message would be made for every entry.
    if (entry.index !== before.index + 1 || entry.term < before.term) {
      throw new AssertionError(`entry ${entry.index} of term ${entry.term} is out of order`);
    }
    before = entry;
  }
  const { term } = next ?? hardState;
  assert(before.term <= term, `an entry of term ${before.term} comes before that term, after ${term}`);
}
