import { EMPTY_CONFIGURATION, RaftError } from '@kayadb/raft';
import { describe, expect, test } from 'vitest';

import {
  formingView,
  plainLink,
  plainMachine,
  plainMember,
  plainProgress,
  plainRaft,
  plainView,
} from '../../test/support/plain-view.ts';
import type { NodeView } from '../node-view.ts';
import { NodeReporter } from './node-reporter.ts';

type Json = Record<string, unknown>;

function reporter(view: NodeView): NodeReporter {
  return new NodeReporter({ view: () => view });
}

function statusOf(view: NodeView): Json {
  return JSON.parse(reporter(view).status()) as Json;
}

function membersOf(view: NodeView): readonly Json[] {
  return (JSON.parse(reporter(view).members()) as { members: readonly Json[] }).members;
}

/** Node 1 follows node 2. */
function follower(changes: Parameters<typeof plainRaft>[0] = {}): NodeView {
  return plainView({ raft: plainRaft({ role: 'follower', leader: 2, progress: new Map(), ...changes }) });
}

describe('NodeReporter', () => {
  test.each([
    ['leader', plainView(), 'leader', 'n1:7379'],
    ['follower', follower(), 'follower', 'n2:7379'],
    ['learner', follower({ isLearner: true }), 'learner', 'n2:7379'],
    ['pre-candidate', follower({ role: 'pre-candidate', leader: 0 }), 'candidate', undefined],
    ['candidate', follower({ role: 'candidate', leader: 0 }), 'candidate', undefined],
    ['node without a group', formingView(), 'follower', undefined],
    [
      'leader whose node has ended',
      plainView({ raft: plainRaft({ endError: new RaftError('KAYA_RAFT_STOPPED', 'over') }) }),
      'follower',
      undefined,
    ],
  ] as const)('tells the role of a %s, and where the leader is', (_case, view, role, address) => {
    expect(reporter(view).role()).toBe(role);
    expect(reporter(view).leaderAddress()).toBe(address);
  });

  test('asks who knows better where the leader is', () => {
    const knowing = new NodeReporter({ view: () => follower(), clientAddressOf: (node) => `tunnel-${node}:1` });

    expect(knowing.leaderAddress()).toBe('tunnel-2:1');
    expect(JSON.parse(knowing.status())).toMatchObject({ leader: 2, leader_address: 'tunnel-2:1' });
  });

  test('knows no address of a member without one', () => {
    const view = { ...follower(), machine: plainMachine({ members: [plainMember(2, { clientAddress: '' })] }) };

    expect(reporter(view).leaderAddress()).toBeUndefined();
  });

  test('tells in STATUS who it is and where the group is', () => {
    expect(statusOf(plainView())).toMatchObject({
      node_id: 1,
      version: '1.2.3',
      uptime_ms: 61_000,
      phase: 'running',
      end_error: null,
      role: 'leader',
      term: 3,
      leader: 1,
      has_leader: true,
      transfer_target: null,
      first_index: 7,
      last_index: 45,
      commit_index: 42,
      applied_index: 40,
      apply_lag: 2,
      session_count: 5,
      door: { connections_open: 3, connections_refused: 3, failed_attempts: 5 },
      storage: { oldest_sync_ms: 0, sync_count: 10 },
      engine: { sstable_count: 3, levels: [{ sstable_count: 1 }, { sstable_count: 2 }], durable_index: 40 },
      settings: { keeps_leases: false, election_ms: 500, limits: { max_connections: 1_024 } },
    });
  });

  test('writes each document while there is no group', () => {
    const status = statusOf(formingView());
    const stats = JSON.parse(reporter(formingView()).stats()) as Json;

    expect(status).toMatchObject({
      phase: 'forming',
      cluster: null,
      waiting_for: [2, 3],
      role: 'follower',
      term: 0,
      leader: null,
      has_leader: false,
      level: null,
      engine: null,
      members: [],
    });
    expect(stats).toMatchObject({ role: 'follower', term: 0, peer_count: 0, voter: false, engine: null });
    expect(membersOf(formingView())).toEqual([]);
  });

  test('says why a node has ended', () => {
    const endError = new RaftError('KAYA_RAFT_POISONED', 'the disk failed');

    expect(statusOf(plainView({ phase: 'ended', endError }))).toMatchObject({
      phase: 'ended',
      end_error: { code: 'KAYA_RAFT_POISONED', message: 'the disk failed' },
    });
    expect(statusOf(plainView({ endError: new Error('odd') }))['end_error']).toEqual({ code: null, message: 'odd' });
  });

  test.each([
    ['a follower that hears one', follower({ electionElapsedTicks: 14 }), true],
    ['a learner that has heard nothing for an election timeout', follower({ electionElapsedTicks: 15 }), false],
    ['a candidate', follower({ role: 'candidate', leader: 0 }), false],
    ['a leader, between two looks at its quorum', plainView({ raft: plainRaft({ electionElapsedTicks: 99 }) }), true],
  ])('tells whether there is a leader, for %s', (_case, view, expected) => {
    expect(statusOf(view)['has_leader']).toBe(expected);
  });

  test('has a row for each member, with what the leader knows of it', () => {
    const [self, healthy, silent] = membersOf(plainView());

    expect(self).toEqual({
      node: 1,
      kind: 'voter',
      is_self: true,
      is_leader: true,
      peer_address: 'n1:7481',
      client_address: 'n1:7379',
      incarnation: 101,
      level: 1,
      is_to_be_promoted: false,
      is_answering: true,
      progress: null,
    });
    expect(healthy).toMatchObject({
      is_answering: true,
      progress: { match_index: 42, lag: 3, state: 'replicate', in_flight: 0, snapshot: null },
    });
    expect(silent).toMatchObject({ is_answering: false, progress: { lag: 15, in_flight: 2 } });
  });

  test('does not call a member silent whose link is up, as the leader forgets whom it has heard', () => {
    const progress = new Map([[2, plainProgress({ isRecentlyActive: false })]]);

    const rows = membersOf(plainView({ raft: plainRaft({ progress }), links: new Map([[2, plainLink('up')]]) }));

    expect(rows.map((row) => row['is_answering'])).toEqual([true, true, false]);
  });

  test('has nothing to say of others when it does not lead', () => {
    const rows = membersOf(follower());

    expect(rows.map((row) => [row['is_self'], row['is_leader'], row['is_answering'], row['progress']])).toEqual([
      [true, false, null, null],
      [false, true, null, null],
      [false, false, null, null],
    ]);
  });

  test('shows how much of a snapshot has arrived', () => {
    const progress = new Map([[3, plainProgress({ state: 'snapshot', match: 0 })]]);
    const shipments = new Map([[3, { arrivedBytes: 10, totalBytes: 40 }]]);

    const rows = membersOf(plainView({ raft: plainRaft({ progress }), shipments }));

    expect(rows[2]!['progress']).toMatchObject({
      state: 'snapshot',
      lag: 45,
      snapshot: { arrived_bytes: 10, total_bytes: 40 },
    });
  });

  test('tells what each is during a change, and who has only a row or only a vote', () => {
    const configuration = {
      ...EMPTY_CONFIGURATION,
      voters: [1, 2],
      votersOutgoing: [1, 3, 4],
      learners: [5],
      learnersNext: [4],
    };
    const members = [
      plainMember(5, { isToBePromoted: true }),
      plainMember(2, { isToBePromoted: true }),
      plainMember(9, { incarnation: 0, level: 0, clientAddress: '' }),
    ];

    const view = plainView({ raft: plainRaft({ configuration }), machine: plainMachine({ members }) });
    const rows = membersOf(view);

    expect(rows.map(({ node, kind }) => `${String(node)} ${String(kind)}`)).toEqual([
      '1 voter',
      '2 voter',
      '3 leaving',
      '4 leaving',
      '5 learner',
      '9 none',
    ]);
    expect(rows[0]).toMatchObject({
      peer_address: 'n1:7481',
      client_address: 'n1:7379',
      incarnation: 101,
      level: null,
    });
    expect(rows[2]).toMatchObject({ peer_address: null, incarnation: null });
    expect(rows[5]).toMatchObject({ peer_address: 'n9:7481', client_address: null, incarnation: null, level: null });
    expect(rows.map((row) => row['is_to_be_promoted'])).toEqual([false, false, false, false, true, false]);
    expect(statusOf(view)['is_joint']).toBe(true);
  });

  test('tells where clients reach a member before the group has agreed on it', () => {
    const view = plainView({ machine: plainMachine({ members: [plainMember(2, { clientAddress: '' })] }) });

    const meeting = new NodeReporter({ view: () => view, clientAddressOf: (node) => `met-${node}:1` });
    const { members } = JSON.parse(meeting.members()) as { members: readonly { client_address: string }[] };

    expect(members.map((member) => member.client_address)).toEqual(['n1:7379', 'met-2:1', 'met-3:1']);
  });

  test.each([
    ['a leader of three', plainView(), { role: 'leader', peer_count: 2, voter: true }],
    [
      'a learner',
      {
        ...follower({ isLearner: true, configuration: { ...EMPTY_CONFIGURATION, voters: [2], learners: [1] } }),
        machine: undefined,
      },
      { role: 'follower', peer_count: 1, voter: false, engine: null },
    ],
    [
      'a group of one',
      plainView({
        raft: plainRaft({ configuration: { ...EMPTY_CONFIGURATION, voters: [1] } }),
        machine: plainMachine({ members: [plainMember(1)] }),
      }),
      { role: 'leader', peer_count: 0, voter: true },
    ],
    ['one that stops', plainView({ isStopping: true }), { drain: true }],
  ])('tells in STATS what version 1 asks of %s', (_case, view, expected) => {
    const stats = JSON.parse(reporter(view).stats()) as Json;

    expect(stats).toMatchObject({
      term: 3,
      commit_index: 42,
      applied_index: 40,
      last_log_index: 45,
      raft_groups: 1,
      ...expected,
    });
  });

  test('makes no walk over tables for MEMBERS', () => {
    const machine = plainMachine({
      stats: () => {
        throw new Error('asked');
      },
    });

    expect(membersOf(plainView({ machine }))).toHaveLength(3);
  });
});
