/** What must be true of a batch and of a snapshot, whichever storage they are for. */

import { assert, AssertionError } from '@kayadb/codec';

import type { LogStorage } from '../core/log-storage.ts';
import { type HardState, MAX_SNAPSHOT_DATA_BYTES, type Snapshot, type Term } from '../core/types.ts';
import type { StorageBatch } from './raft-storage.ts';

/**
 * @param log - As it is before the batch.
 * @param hardState - What was to be remembered before it.
 * @throws AssertionError when the batch leaves a gap, is out of order, or goes back in time: what it would make of the log could not be opened.
 */
export function assertBatch(
  batch: StorageBatch,
  log: Pick<LogStorage, 'firstIndex' | 'lastIndex' | 'term'>,
  hardState: HardState,
): void {
  const { entries, snapshot } = batch;
  const { firstIndex } = log;
  const next = batch.hardState;
  const { term } = next ?? hardState;
  if (next !== undefined) {
    assert(next.term >= hardState.term, `the term goes back from ${hardState.term} to ${next.term}`);
    const keepsVote = next.term > hardState.term || hardState.vote === 0 || next.vote === hardState.vote;
    assert(keepsVote, `the vote for ${hardState.vote} in term ${hardState.term} becomes one for ${next.vote}`);
  }
  if (snapshot !== undefined) {
    const { meta } = snapshot;
    assert(meta.index >= firstIndex - 1, `a snapshot of index ${meta.index} for a log that begins at ${firstIndex}`);
    assert(meta.term <= term, `a snapshot of term ${meta.term} comes before that term, after ${term}`);
  }
  const head = entries[0];
  if (head === undefined) return;
  // What comes behind the snapshot's last entry stays where the log has that.
  const leaves = snapshot === undefined || log.term(snapshot.meta.index) === snapshot.meta.term;
  const begin = snapshot === undefined ? firstIndex : snapshot.meta.index + 1;
  const end = leaves ? log.lastIndex : begin - 1;
  assert(
    head.index >= begin && head.index <= end + 1,
    `entries from ${head.index} on do not follow ${begin} to ${end}`,
  );
  const termBefore = head.index - 1 === snapshot?.meta.index ? snapshot.meta.term : log.term(head.index - 1);
  assert(head.term >= (termBefore as Term), `entry ${head.index} of term ${head.term} follows one of ${termBefore}`);
  let before = head;
  for (let i = 1; i < entries.length; i++) {
    const entry = entries[i]!;
    // No call of `assert`: its message would be made for every entry.
    if (entry.index !== before.index + 1 || entry.term < before.term) {
      throw new AssertionError(`entry ${entry.index} of term ${entry.term} is out of order`);
    }
    before = entry;
  }
  assert(before.term <= term, `an entry of term ${before.term} comes before that term, after ${term}`);
}

/** @throws RangeError when its data is over `MAX_SNAPSHOT_DATA_BYTES`. */
export function checkSnapshotData({ data }: Snapshot): void {
  if (data.length > MAX_SNAPSHOT_DATA_BYTES) {
    throw new RangeError(`a snapshot's data takes ${MAX_SNAPSHOT_DATA_BYTES} bytes at most, not ${data.length}`);
  }
}
