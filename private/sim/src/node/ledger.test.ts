import type { Entry, RaftStorage, StorageBatch } from '@kayadb/raft';
import { describe, expect, test } from 'vitest';

import { Ledger } from './ledger.ts';

function batchOf(term: number, firstIndex: number, terms: readonly number[]): StorageBatch {
  const entries = terms.map((of, i): Entry => ({
    term: of,
    index: firstIndex + i,
    kind: 'normal',
    data: new Uint8Array(0),
  }));
  return { entries, hardState: { term, vote: 0, commit: 0 }, snapshot: undefined };
}

/** What is found on a disk. */
function diskOf(term: number, terms: readonly number[]): RaftStorage {
  return {
    initialState: () => ({ hardState: { term, vote: 0, commit: 0 } }),
    firstIndex: 1,
    lastIndex: terms.length,
    term: (index: number) => (index === 0 ? 0 : terms[index - 1]),
  } as unknown as RaftStorage;
}

/** Two entries of term 1 are durable; one of term 2 in the place of the second, and one more, are on their way. */
function ledgerInFlight(): Ledger {
  const ledger = new Ledger();
  const durable = batchOf(1, 1, [1, 1]);
  ledger.begins(durable);
  ledger.becomesDurable(durable);
  ledger.begins(batchOf(2, 2, [2]));
  ledger.begins(batchOf(2, 3, [2]));
  return ledger;
}

describe('Ledger', () => {
  test.each([
    ['what is durable', 1, [1, 1]],
    ['the term of the next batch without its entries', 2, [1, 1]],
    ['one batch of two', 2, [1, 2]],
    ['both', 2, [1, 2, 2]],
  ])('takes what a crash may leave: %s', (_, term, terms) => {
    const ledger = ledgerInFlight();

    const loss = ledger.reopened(diskOf(term, terms));

    expect(loss).toBeUndefined();
    expect(ledger.durableTerm(terms.length)).toBe(terms.at(-1));
  });

  test.each([
    ['a durable entry is missing', 1, [1]],
    ['a batch is there without the one before', 2, [1, 1, 2]],
    ['entries are there and their term is not', 1, [1, 2]],
    ['a term that nobody wrote', 3, [1, 1]],
  ])('finds a broken promise: %s', (_, term, terms) => {
    const ledger = ledgerInFlight();

    const loss = ledger.reopened(diskOf(term, terms));

    expect(loss).toContain('promised was term 1, vote 0');
  });
});
