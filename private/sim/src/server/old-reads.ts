/** Reads that may be old by so much, as a history without them sees it: each is linearizable if it had begun as much earlier. */

import type { History, SeenRow } from '@kayadb/testkit';

export interface OldRead {
  readonly key: string;
  readonly row: SeenRow | null;
  /** The earliest moment whose state it may show. */
  readonly calledMs: number;
  readonly returnedMs: number;
}

/** Above the numbers of all clients. */
const FIRST_CLIENT = 1_000_000;
const US_PER_MS = 1000;

/** @returns The history with each of `reads` as of a client of its own; calls are in order again, and no two events have the same time. */
export function withOldReads({ operations, notes }: History, reads: readonly OldRead[]): History {
  const taken = new Set(operations.flatMap(({ calledUs, returnedUs }) => [calledUs, returnedUs ?? calledUs]));
  const free = (ms: number, step: 1 | -1): number => {
    let us = Math.floor(ms * US_PER_MS);
    while (taken.has(us)) us += step;
    taken.add(us);
    return us;
  };
  const added = reads.map(({ key, row, calledMs, returnedMs }, at) => ({
    id: 0,
    client: FIRST_CLIENT + at,
    action: { kind: 'read' as const, keys: [key] },
    calledUs: free(calledMs, -1),
    returnedUs: free(returnedMs, 1),
    outcome: { kind: 'rows' as const, rows: [row] },
  }));
  const all = [...operations, ...added].toSorted((a, b) => a.calledUs - b.calledUs);
  return { operations: all.map((operation, at) => ({ ...operation, id: at + 1 })), notes };
}
