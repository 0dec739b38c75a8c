/** Draws how far each voter has come: the longer the bar, the more voters it is ahead of. */

import type { LogIndex, NodeId } from '@kayadb/raft';

/** @param known - Without those of whom nothing is known. */
export function describeAcknowledgements(voters: readonly NodeId[], known: ReadonlyMap<NodeId, LogIndex>): string {
  const count = voters.length;
  if (count === 0) return '<empty majority quorum>';
  const lines = voters.map((id) => {
    const index = known.get(id) ?? 0;
    const behind = voters.filter((other) => (known.get(other) ?? 0) < index).length;
    const bar = known.has(id) ? `${'x'.repeat(behind)}>${' '.repeat(count - behind)}` : `?${' '.repeat(count)}`;
    return `${bar} ${`${index}`.padStart(5)}    (id=${id})\n`;
  });
  return `${' '.repeat(count)}    idx\n${lines.join('')}`;
}
