import type { Configuration, Entry, StatusSummary } from '@kayadb/raft';
import { describe, expect, test } from 'vitest';

import { encodeCommand } from '../node/command.ts';
import { Ledger } from '../node/ledger.ts';
import { applyEntry, EMPTY_STATE } from '../node/machine-state.ts';
import type { WatchedStorage } from '../node/watched-storage.ts';
import { Checks } from './checks.ts';
import type { NodeView } from './node-view.ts';

const GROUP: Configuration = {
  voters: [1, 2, 3],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

function entryOf(index: number, term: number, id = index): Entry {
  return { index, term, kind: 'normal', data: encodeCommand({ id, key: 1, padding: 0 }) };
}

/** A node whose log, from index 1 on, has these terms. */
function viewOf(id: number, terms: readonly number[], status: Partial<StatusSummary>): NodeView {
  const term = (index: number): number | string => (index === 0 ? 0 : (terms[index - 1] ?? 'unavailable'));
  const lastIndex = terms.length;
  const storage = { firstIndex: 1, lastIndex, snapshotIndex: 0, term } as unknown as WatchedStorage;
  const base = { id, term: 1, vote: 0, role: 'follower', commit: 0, applied: 0, applying: 0, lastIndex };
  const whole = { ...base, configuration: GROUP, ...status } as unknown as StatusSummary;
  return { id, life: id, status: whole, storage, appliedIndex: 0, durableIndex: 0, configurationBefore: GROUP };
}

/** Of a node that holds entries of these terms, and has voted for `vote` in `term`. */
function ledgerOf(terms: readonly number[], vote = 1, voteTerm = 1): Ledger {
  const ledger = new Ledger();
  castVote(ledger, vote, voteTerm);
  const batch = { entries: terms.map((term, i) => entryOf(i + 1, term)), hardState: undefined, snapshot: undefined };
  ledger.begins(batch);
  ledger.becomesDurable(batch);
  return ledger;
}

function castVote(ledger: Ledger, vote: number, term: number): void {
  const voted = { entries: [], hardState: { term, vote, commit: 0 }, snapshot: undefined };
  ledger.begins(voted);
  ledger.becomesDurable(voted);
}

/** The log begins behind entry 1, for which a snapshot stands. */
const PURGED = { firstIndex: 2, snapshotIndex: 1, appliedIndex: 1 };

describe('Checks', () => {
  test('find an entry that is another elsewhere', () => {
    const checks = new Checks(() => undefined);
    checks.logs.appended(1, [entryOf(1, 1)], 0);

    checks.logs.appended(2, [entryOf(1, 1, 9)], 0);

    expect(checks.violation?.what).toContain('entry 1 of term 1 is another at node 2');
  });

  test('find an entry that follows another one elsewhere', () => {
    const checks = new Checks(() => undefined);
    checks.logs.appended(1, [entryOf(2, 3)], 1);

    checks.logs.appended(2, [entryOf(2, 3)], 2);

    expect(checks.violation?.what).toContain('entry 2 of term 3 follows term 2 at node 2');
  });

  test('find a second leader of a term', () => {
    const checks = new Checks(() => ledgerOf([]));
    checks.observe(viewOf(1, [], { role: 'leader' }));

    checks.observe(viewOf(2, [], { role: 'leader' }));

    expect(checks.violation).toEqual({ finder: 'leaders', what: 'nodes 1 and 2 lead in term 1' });
  });

  test.each([
    ['one of three', [1, 2, 3], 'node 1 leads in term 1, and no quorum has durably voted for it'],
    ['two of three', [1, 1, 3], undefined],
  ] as const)('know whether a quorum has voted for who leads: %s', (_, votes, expected) => {
    const checks = new Checks((id) => ledgerOf([], votes[id - 1]));

    checks.observe(viewOf(1, [], { role: 'leader' }));

    expect(checks.violation?.what).toBe(expected);
  });

  test.each([
    ['one of three', [[1], [], []], 'leader 1 of term 1 has committed 1, which no quorum holds durably'],
    ['two of three', [[1], [1], []], undefined],
  ] as const)('know whether what is committed is durable at a quorum: %s', (_, logs, expected) => {
    const checks = new Checks((id) => ledgerOf(logs[id - 1]!));

    checks.observe(viewOf(1, [1], { role: 'leader', commit: 1 }));

    expect(checks.violation?.what).toBe(expected);
  });

  test('find a leader that commits an entry of an earlier term by counting', () => {
    const checks = new Checks(() => ledgerOf([1, 2], 1, 2));
    checks.observe(viewOf(1, [1, 2], { role: 'leader', term: 2 }));

    checks.observe(viewOf(1, [1, 2], { role: 'leader', term: 2, commit: 1 }));

    expect(checks.violation?.what).toBe('leader 1 of term 2 has committed 1 of term 1 by counting');
  });

  test('know that a new leader had committed entries of earlier terms before it led', () => {
    const checks = new Checks(() => ledgerOf([1, 2], 1, 2));

    checks.observe(viewOf(1, [1, 2], { role: 'leader', term: 2, commit: 1 }));

    expect(checks.violation).toBeUndefined();
  });

  test('find a leader without what was committed before', () => {
    const ledger = ledgerOf([1]);
    castVote(ledger, 2, 2);
    const checks = new Checks(() => ledger);
    checks.observe(viewOf(1, [1], { role: 'leader', commit: 1 }));

    checks.observe(viewOf(2, [], { role: 'leader', term: 2 }));

    expect(checks.violation?.what).toContain('leader 2 of term 2 has unavailable at 1');
  });

  test('find a node that gives up what is committed, for something else or for nothing', () => {
    const known = [entryOf(1, 1), entryOf(2, 1), entryOf(3, 1)];
    const checksOf = (): Checks => {
      const checks = new Checks(() => ledgerOf([1, 1, 1]));
      checks.observe(viewOf(1, [1, 1, 1], { commit: 2 }));
      return checks;
    };
    const [changed, cut, fine] = [checksOf(), checksOf(), checksOf()];

    changed.commits.replaced(2, known.slice(1), [entryOf(2, 2)]);
    cut.commits.replaced(2, known, [entryOf(1, 1)]);
    fine.commits.replaced(2, known, [entryOf(1, 1), entryOf(2, 1)]);

    const found = 'node 2 gives up 2 of term 1, which is committed';
    expect([changed, cut].map((checks) => checks.violation)).toEqual([
      { finder: 'commits', what: found },
      { finder: 'commits', what: found },
    ]);
    expect(fine.violation).toBeUndefined();
  });

  test('find a committed entry that changes', () => {
    const checks = new Checks(() => ledgerOf([1]));
    checks.observe(viewOf(1, [1], { commit: 1 }));

    checks.observe(viewOf(2, [2], { commit: 1, term: 2 }));

    expect(checks.violation?.what).toContain('entry 1 was committed with term 1; node 2 has committed one of term 2');
  });

  test('find replicas that applied different things, and one command twice', () => {
    const state = applyEntry(EMPTY_STATE, entryOf(1, 1));
    const different = new Checks(() => undefined);
    const twice = new Checks(() => undefined);
    different.applies.applied(1, entryOf(1, 1), state, 1);
    twice.applies.applied(1, entryOf(1, 1), state, 1);

    different.applies.applied(2, entryOf(1, 2), state, 2);
    twice.applies.applied(1, entryOf(2, 1, 1), { ...state, index: 2 }, 1);

    expect(different.violation?.what).toContain('node 2 has applied another entry at 1');
    expect(twice.violation?.what).toContain('command 1 was applied at 1 and at 2');
  });

  test.each([
    ['another entry', 2],
    ['none', undefined],
  ])('find an entry that is applied where its own log durably has %s', (_, durable) => {
    const checks = new Checks(() => undefined);

    checks.applies.applied(1, entryOf(1, 1), applyEntry(EMPTY_STATE, entryOf(1, 1)), durable);

    expect(checks.violation?.finder).toBe('applies');
    expect(checks.violation?.what).toContain('node 1 has applied 1 of term 1, and holds');
  });

  test('find a state that another history has led to', () => {
    const checks = new Checks(() => undefined);
    checks.applies.reached(1, { ...EMPTY_STATE, index: 5, hash: 1 });

    checks.applies.reached(2, { ...EMPTY_STATE, index: 5, hash: 2 });

    expect(checks.violation?.what).toContain('the state of node 2 at 5');
  });

  test('find what goes back: a term, a commit index, a vote', () => {
    const violations = [{ term: 1 }, { commit: 0 }, { vote: 3 }].map((change) => {
      const checks = new Checks(() => ledgerOf([1]));
      checks.observe(viewOf(1, [1], { term: 2, commit: 1, vote: 2 }));
      checks.observe(viewOf(1, [1], { term: 2, commit: 1, vote: 2, ...change }));
      return checks.violation?.what;
    });

    expect(violations).toEqual([
      'term of node 1 went from 2 to 1',
      'commit of node 1 went from 1 to 0',
      'node 1 voted for 2 and 3 in term 2',
    ]);
  });

  test.each([
    ['find a log that begins earlier than it did', 0, 'first of node 1 went from 3 to 2'],
    ['let a full disk take back a snapshot that was seen', 1, undefined],
  ])('%s', (_, refusalCount, expected) => {
    const checks = new Checks(() => undefined);
    const view = viewOf(1, [1, 1], { commit: 2, applied: 2, applying: 2 });
    const storageAt = (firstIndex: number, refusals: number): WatchedStorage =>
      ({
        firstIndex,
        snapshotIndex: firstIndex - 1,
        lastIndex: 2,
        refusalCount: refusals,
        term: () => 1,
      }) as unknown as WatchedStorage;
    const at = { ...view, appliedIndex: 2, durableIndex: 2 };

    checks.observe({ ...at, storage: storageAt(3, 0) });
    checks.observe({ ...at, storage: storageAt(2, refusalCount) });

    expect(checks.violation?.what).toBe(expected);
  });

  test.each([
    [
      'a log that begins behind its snapshot',
      { firstIndex: 3 },
      {},
      'purged, snapshot, committed, last are 2, 0, 0, 2',
    ],
    [
      'a snapshot of what is not committed',
      { snapshotIndex: 1 },
      {},
      'purged, snapshot, committed, last are 0, 1, 0, 2',
    ],
    ['a commit index beyond the log', {}, { commit: 3 }, 'purged, snapshot, committed, last are 0, 0, 3, 2'],
    ['more applied than committed', { appliedIndex: 1 }, {}, 'applied 1 (0), applying 0, committed 0'],
    ['a log that goes before its state is durable', PURGED, { commit: 2 }, 'purged 1, durable 0'],
  ])('find %s', (_, parts, status, expected) => {
    const checks = new Checks(() => undefined);
    const { firstIndex = 1, snapshotIndex = 0, ...rest } = parts as { firstIndex?: number; snapshotIndex?: number };
    const view = viewOf(1, [1, 1], status);
    const storage = { firstIndex, snapshotIndex, lastIndex: 2, term: () => 1 } as unknown as WatchedStorage;

    checks.observe({ ...view, ...rest, storage });

    expect(checks.violation?.finder).toBe('order');
    expect(checks.violation?.what).toContain(expected);
  });

  test('find terms that fall along a log', () => {
    const checks = new Checks(() => undefined);

    checks.logs.appended(1, [entryOf(1, 2), entryOf(2, 1)], 0);

    expect(checks.violation).toEqual({ finder: 'logs', what: 'terms fall at 2 of 1' });
  });

  test('find a command that was refused and happened, an acknowledged one that did not, and a read of the past', () => {
    const violations = ['refused', 'acknowledged', 'read'].map((kind) => {
      const checks = new Checks(() => undefined);
      checks.applies.applied(1, entryOf(1, 1), applyEntry(EMPTY_STATE, entryOf(1, 1)), 1);
      if (kind === 'refused') checks.clients.refused(1);
      if (kind === 'acknowledged') checks.clients.acknowledged(7, { index: 1, term: 1, result: 1 });
      if (kind === 'read') checks.clients.readEnds(1, 1, 0, 0);
      return checks.violation?.what;
    });

    expect(violations).toEqual([
      'command 1 was refused for good, and applied at 1',
      'command 7 was acknowledged at 1 of term 1, and applied at undefined',
      'a read at node 1 saw 0 of 0; 1 was acknowledged before it',
    ]);
  });

  test('say nothing of a node that does as it should', () => {
    const checks = new Checks(() => ledgerOf([1]));
    const state = applyEntry(EMPTY_STATE, entryOf(1, 1));
    checks.logs.appended(1, [entryOf(1, 1)], 0);
    checks.applies.applied(1, entryOf(1, 1), state, 1);
    checks.clients.acknowledged(1, { index: 1, term: 1, result: 1 });

    checks.observe(viewOf(1, [1], { role: 'leader', commit: 1 }));
    checks.clients.readEnds(1, checks.clients.readBegins(), 1, 1);

    expect(checks.violation?.what).toBeUndefined();
  });
});
