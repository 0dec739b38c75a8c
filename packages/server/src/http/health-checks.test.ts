import { describe, expect, test } from 'vitest';

import {
  formingView,
  openingView,
  plainCertificate,
  plainMachine,
  plainRaft,
  plainView,
} from '../../test/support/plain-view.ts';
import type { NodeView } from '../node-view.ts';
import { takeSnapshot } from '../reports/node-snapshot.ts';
import { describeChecks } from './describe-checks.ts';
import { checkHealth, type CheckName, isAlive, isReady } from './health-checks.ts';

const NOW_MS = Date.UTC(2026, 0);
const DAY_MS = 86_400_000;

function check(view: NodeView): ReturnType<typeof checkHealth> {
  return checkHealth(takeSnapshot(view), NOW_MS);
}

function find(view: NodeView, name: CheckName): string {
  const { state, detail } = check(view).find((each) => each.name === name)!;
  return `${state}: ${detail}`;
}

const syncing = (oldestSyncMs: number): NodeView =>
  plainView({ storage: { oldestSyncMs, syncCount: 1, syncTotalMs: 1, syncMaxMs: 1 } });

const lagging = (entries: number): NodeView =>
  plainView({ raft: plainRaft({ commit: 40 + entries, appliedIndex: 40 }) });

const certified = (notAfterMs: number, notBeforeMs = 0): NodeView =>
  plainView({
    tls: { isOnForNodes: true, isOnForClients: true, own: { ...plainCertificate(notAfterMs), notBeforeMs } },
  });

const encrypted = (isOnForNodes: boolean, isOnForClients: boolean): NodeView =>
  plainView({ tls: { isOnForNodes, isOnForClients, own: undefined } });

const follower = (changes: Parameters<typeof plainRaft>[0]): NodeView =>
  plainView({ raft: plainRaft({ role: 'follower', leader: 2, progress: new Map(), ...changes }) });

describe('checkHealth', () => {
  test('passes a healthy leader, and every check', () => {
    const checks = check(plainView());

    expect(isReady(checks)).toBe(true);
    expect(checks.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'lifecycle ok',
      'quorum ok',
      'disk ok',
      'fsync ok',
      'apply ok',
      'certificate ok',
      'tls ok',
      'auth ok',
    ]);
  });

  test.each([
    ['lifecycle', 'a node that waits for others', formingView(), 'failed: forming: waits for node 2, node 3'],
    [
      'lifecycle',
      'one that waits to be added',
      { ...formingView(), missing: [] },
      'failed: forming: waits to be added to a group',
    ],
    ['lifecycle', 'one that stops', plainView({ isStopping: true }), 'failed: stopping'],
    [
      'lifecycle',
      'one that has ended',
      plainView({ phase: 'ended', endError: new Error('the disk failed') }),
      'failed: ended: the disk failed',
    ],
    ['lifecycle', 'one that reads its log', openingView(), 'failed: opening its log and store'],
    ['quorum', 'one that reads its log', openingView(), 'failed: the log is not open'],
    ['quorum', 'one without a group', formingView(), 'failed: not in a group yet'],
    ['quorum', 'a leader', plainView(), 'ok: leads, and a majority answers'],
    ['quorum', 'a follower', follower({}), 'ok: follows node 2'],
    ['quorum', 'a follower of nobody', follower({ leader: 0 }), 'failed: no leader is heard in term 3'],
    [
      'quorum',
      'a learner that hears nothing any more',
      follower({ isLearner: true, electionElapsedTicks: 99 }),
      'failed: no leader is heard in term 3',
    ],
    [
      'disk',
      'a log without room',
      plainView({ raft: plainRaft({ isDiskFull: true }) }),
      'failed: the log found no room: nothing can be written here',
    ],
    [
      'disk',
      'a store without room',
      plainView({ machine: plainMachine({ diskState: 'full' }) }),
      'warning: the store found no room: as a leader it takes deletes and reads, and no puts',
    ],
    [
      'disk',
      'little room',
      plainView({ machine: plainMachine({ diskState: 'low' }) }),
      'warning: below the soft limit: as a leader it takes deletes and reads, and no puts',
    ],
    [
      'disk',
      'a disk that nobody watches',
      plainView({ machine: plainMachine({ diskState: 'unwatched' }) }),
      'ok: not watched',
    ],
    ['disk', 'no store yet', formingView(), 'ok: not in use'],
    ['fsync', 'a quick sync', syncing(499), 'ok: the oldest one takes 499 ms already'],
    ['fsync', 'a slow one', syncing(500), 'warning: the oldest one takes 500 ms already'],
    ['fsync', 'one that does not end', syncing(2_000), 'failed: the oldest one takes 2000 ms already'],
    ['apply', 'some entries', lagging(1_000), 'ok: 1000 entries behind what is committed'],
    ['apply', 'many entries', lagging(1_001), 'warning: 1001 entries behind what is committed'],
    ['apply', 'too many entries', lagging(10_001), 'failed: 10001 entries behind what is committed'],
    ['certificate', 'none', encrypted(false, false), 'ok: there is none'],
    ['certificate', 'a good one', certified(NOW_MS + 14 * DAY_MS), 'ok: valid until 2026-01-15T00:00:00Z'],
    [
      'certificate',
      'one near its end',
      certified(NOW_MS + 14 * DAY_MS - 1_000),
      'warning: valid until 2026-01-14T23:59:59Z',
    ],
    ['certificate', 'an expired one', certified(NOW_MS - 1_000), 'failed: expired at 2025-12-31T23:59:59Z'],
    [
      'certificate',
      'one of the future',
      certified(NOW_MS + 99 * DAY_MS, NOW_MS + DAY_MS),
      'failed: not valid before 2026-01-02T00:00:00Z',
    ],
    ['tls', 'no TLS', encrypted(false, false), 'warning: off'],
    ['tls', 'TLS between nodes alone', encrypted(true, false), 'warning: off for clients'],
    ['tls', 'TLS for clients alone', encrypted(false, true), 'warning: off for nodes'],
    [
      'auth',
      'no tokens',
      plainView({ hasClientToken: false, hasOperatorToken: false }),
      'warning: no tokens: whoever connects reads, writes and changes the group',
    ],
    [
      'auth',
      'no operator token',
      plainView({ hasOperatorToken: false }),
      'warning: no operator token: whoever connects may change the group',
    ],
    [
      'auth',
      'no client token',
      plainView({ hasClientToken: false }),
      'warning: no client token: whoever connects reads and writes',
    ],
  ] as const)('%s: says of %s what it is', (name, _case, view, expected) => {
    expect(find(view, name)).toBe(expected);
  });

  test('makes a node unready by failures alone', () => {
    const bare = plainView({
      hasClientToken: false,
      tls: { isOnForNodes: false, isOnForClients: false, own: undefined },
    });

    expect(isReady(check(bare))).toBe(true);
    expect(isReady(check(syncing(1_000)))).toBe(true);
    expect(isReady(check(syncing(2_000)))).toBe(false);
  });
});

describe('isAlive', () => {
  test('is whether a restart would help nothing', () => {
    const phases = ['forming', 'running', 'ended'] as const;

    expect(phases.map((phase) => isAlive(plainView({ phase })))).toEqual([true, true, false]);
  });
});

describe('describeChecks', () => {
  test('has a line for each check, and how it ended', () => {
    const text = describeChecks([
      { name: 'disk', state: 'ok', detail: 'writable' },
      { name: 'tls', state: 'warning', detail: 'off' },
      { name: 'lifecycle', state: 'failed', detail: 'ended: a\nb' },
    ]);

    expect(text).toBe(
      '[+]disk ok: writable\n[!]tls warning: off\n[-]lifecycle failed: ended: a b\nreadyz check failed',
    );
    expect(describeChecks([])).toBe('readyz check passed');
  });
});
