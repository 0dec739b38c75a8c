/** Changes of the membership from the command line, against a cluster of protocol 2 in memory. */

import type { JsonDocument } from '@kayadb/client';
import { describe, expect, test } from 'vitest';

import { member, members, status } from './cluster-documents.ts';
import { ClusterServer, refusal } from './cluster-server.ts';
import { TestWorld } from './test-world.ts';

const SERVER = ['--server', '10.0.0.1:7001'] as const;
const ADD = ['add-node', '4', '10.0.0.4:7481', '10.0.0.4:7004'] as const;

const THREE = { voters: [1, 2, 3], quorum: 2, tolerates: 1, answering: [1, 2, 3] };
const TWO = { voters: [1, 2], quorum: 2, tolerates: 0, answering: [1, 2] };

function plan(changes: JsonDocument): JsonDocument {
  return {
    change: 'add',
    node: 4,
    proposed_at: null,
    refusal: null,
    notes: [],
    before: THREE,
    after: THREE,
    ...changes,
  };
}

function openCluster(): { readonly world: TestWorld; readonly cluster: ClusterServer } {
  const world = new TestWorld();
  const cluster = new ClusterServer();
  world.connect = cluster.connect;
  cluster.nodes.set(7001, { status: status(1), members: members() });
  return { world, cluster };
}

describe('kayactl add-node', () => {
  test('returns when the node is a learner, with the arithmetic and how to watch it', async () => {
    const { world, cluster } = openCluster();
    cluster.change = () => plan({ proposed_at: 171, notes: ['node 4 begins as a learner, which has no vote'] });

    const result = await world.run(...SERVER, ...ADD);

    expect(result).toEqual({
      exitCode: 0,
      stdout:
        'add node 4\n' +
        '        VOTERS  QUORUM  TOLERATES  ANSWERING\n' +
        'before  1,2,3   2       1 failure  1,2,3\n' +
        'after   1,2,3   2       1 failure  1,2,3\n' +
        'NOTE: node 4 begins as a learner, which has no vote\n' +
        'OK done at index 171\n',
      stderr: 'Watch it with "kayactl --server 10.0.0.1:7001 members"; --wait would return when it votes.\n',
    });
    expect(cluster.requests).toMatchObject([
      {
        kind: 'add-member',
        node: 4,
        peerAddress: '10.0.0.4:7481',
        clientAddress: '10.0.0.4:7004',
        isDryRun: false,
        staysLearner: false,
      },
    ]);
  });

  test('asks for a learner, and only plans, when told so', async () => {
    const { world, cluster } = openCluster();
    cluster.change = () => plan({});

    const result = await world.run(...SERVER, ...ADD, '--learner', '--dry-run', '--json');

    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(result.stdout)).toEqual(plan({}));
    expect(cluster.requests).toMatchObject([{ kind: 'add-member', isDryRun: true, staysLearner: true }]);
  });

  test('with --wait returns when the node votes, and shows on a terminal how far it is', async () => {
    const { world, cluster } = openCluster();
    const steps: JsonDocument[] = [
      members(),
      members({}, [leader(), learner({ is_answering: false })]),
      members({}, [leader(), learner({ progress: snapshot(1, 4) })]),
      members({}, [leader(), learner({ progress: { lag: 12_345, state: 'replicate' } })]),
      members({}, [leader(), member(4)]),
    ];
    cluster.change = () => plan({ proposed_at: 171 });
    cluster.onRequest = ({ kind }) => {
      const next = kind === 'members' ? steps.shift() : undefined;
      if (next !== undefined) cluster.nodes.get(7001)!.members = next;
    };

    const { result, shown } = await runOnTerminal(world, ...SERVER, ...ADD, '--wait');

    expect(result.exitCode).toBe(0);
    expect(result.stdout).toMatch(/OK done at index 171\nOK node 4 is a voter\n$/);
    expect(shown).toEqual([
      'node 4 is being added',
      'node 4 does not answer yet; is it started with --join-cluster?',
      'node 4 is a learner, snapshot 25%',
      'node 4 is a learner, 12,345 entries behind',
    ]);
  });

  test('with --wait and --learner returns when the node has caught up', async () => {
    const { world, cluster } = openCluster();
    const steps = [snapshot(1, 4), { lag: 5_000, state: 'replicate' }, { lag: 3, state: 'replicate' }];
    cluster.change = () => plan({ proposed_at: 171 });
    cluster.onRequest = ({ kind }) => {
      const progress = kind === 'members' ? steps.shift() : undefined;
      if (progress !== undefined) cluster.nodes.get(7001)!.members = members({}, [leader(), learner({ progress })]);
    };

    const result = await runWithTime(world, ...SERVER, ...ADD, '--learner', '--wait', '--json');

    expect(result.exitCode).toBe(0);
    expect(
      result.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([plan({ proposed_at: 171 }), { ok: true, node: 4, kind: 'learner' }]);
    expect(steps).toEqual([]);
  });

  test('with --wait ends when the node is taken out again', async () => {
    const { world, cluster } = openCluster();
    const steps = [members({}, [leader(), learner()]), members()];
    cluster.change = () => plan({ proposed_at: 171 });
    cluster.onRequest = ({ kind }) => {
      const next = kind === 'members' ? steps.shift() : undefined;
      if (next !== undefined) cluster.nodes.get(7001)!.members = next;
    };

    const result = await runWithTime(world, ...SERVER, ...ADD, '--wait');

    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('ERROR: node 4 is no member any more');
  });

  test('with --wait waits on while only a node answers that does not know of it yet', async () => {
    const { world, cluster } = openCluster();
    const steps = [
      members({}, [leader(), learner()]),
      members({ leader_address: null }, [member(1), member(2, { is_self: true }), member(3)]),
      members({}, [leader(), member(4)]),
    ];
    cluster.change = () => plan({ proposed_at: 171 });
    cluster.onRequest = ({ kind }) => {
      const next = kind === 'members' ? steps.shift() : undefined;
      if (next !== undefined) cluster.nodes.get(7001)!.members = next;
    };

    const result = await runWithTime(world, ...SERVER, ...ADD, '--wait');

    expect(result).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('OK node 4 is a voter') });
  });

  test('with --wait-timeout gives up, and says how it stood and that it goes on', async () => {
    const { world, cluster } = openCluster();
    cluster.change = () => plan({ proposed_at: 171 });
    cluster.onRequest = ({ kind }) => {
      if (kind === 'add-member')
        cluster.nodes.get(7001)!.members = members({}, [leader(), learner({ is_answering: false })]);
    };

    const result = await runWithTime(world, ...SERVER, ...ADD, '--wait-timeout', '60');

    expect(result.exitCode).toBe(1);
    expect(world.clock.now()).toBeGreaterThanOrEqual(60_000);
    expect(world.clock.now()).toBeLessThan(62_000);
    expect(result.stdout).toMatch(/OK done at index 171\n$/);
    expect(result.stderr).toMatch(
      /ERROR: after 60 s node 4 does not answer yet; is it started with --join-cluster\?\nHINT: .*goes on.*kayactl --server 10\.0\.0\.1:7001 members/,
    );
  });

  test('with --wait into a file says now and then what it waits for', async () => {
    const { world, cluster } = openCluster();
    cluster.change = () => plan({ proposed_at: 171 });
    cluster.onRequest = ({ kind }) => {
      const isLate = world.clock.now() > 25_000;
      if (kind !== 'members') return;
      cluster.nodes.get(7001)!.members = members({}, [leader(), isLate ? member(4) : learner({ is_answering: false })]);
    };

    const result = await runWithTime(world, ...SERVER, ...ADD, '--wait');

    const line = 'NOTE: node 4 does not answer yet; is it started with --join-cluster?\n';
    expect(result).toMatchObject({ exitCode: 0, stderr: line + line });
  });

  test('with --wait ends with 130 on Ctrl-C', async () => {
    const { world, cluster } = openCluster();
    cluster.change = () => plan({ proposed_at: 171 });
    cluster.onRequest = ({ kind }) => {
      if (kind === 'members') setImmediate(() => world.interruption.abort('SIGINT'));
    };

    const result = await runWithTime(world, ...SERVER, ...ADD, '--wait');

    expect(result.exitCode).toBe(130);
    expect(result.stderr).toMatch(/HINT: The node was added, and the rest goes on all the same: watch it/);
  });

  test.each([
    [['add-node', 'four', 'a:1', 'b:2'], 'Give a whole number of at least 1.'],
    [['add-node', '0', 'a:1', 'b:2'], 'Give a whole number of at least 1.'],
    [['add-node', '4', 'a', 'b:2'], 'Write it as host:port'],
    [['add-node', '4', 'a:1'], "missing required argument 'client'"],
  ])('refuses %j before anything is asked', async (argv, sentence) => {
    const { world, cluster } = openCluster();

    const result = await world.run(...SERVER, ...argv);

    expect(result.exitCode).toBe(4);
    expect(result.stderr).toContain(sentence);
    expect(cluster.log).toEqual([]);
  });
});

describe('kayactl remove-node and promote', () => {
  const REFUSAL =
    'the group would lose its quorum: of 2 voters 2 must answer, and 1 would; node 2 does not answer: bring it back, or remove it first';

  test('print the arithmetic of what was refused, and end with 1', async () => {
    const { world, cluster } = openCluster();
    cluster.change = (request) =>
      'isDryRun' in request && request.isDryRun
        ? plan({ change: 'remove', node: 3, refusal: REFUSAL, after: { ...TWO, answering: [1] } })
        : refusal('KAYA_MEMBERSHIP_REFUSED', REFUSAL);

    const text = await world.run(...SERVER, 'remove-node', '3');
    const dry = await world.run(...SERVER, 'remove-node', '3', '--dry-run', '--json');

    expect(text.exitCode).toBe(1);
    expect(text.stdout).toBe(
      'remove node 3\n' +
        '        VOTERS  QUORUM  TOLERATES   ANSWERING\n' +
        'before  1,2,3   2       1 failure   1,2,3\n' +
        'after   1,2     2       0 failures  1\n',
    );
    expect(text.stderr).toBe(`ERROR: ${REFUSAL}\nHINT: Nothing was changed; do what the message says first.\n`);
    expect(dry.exitCode).toBe(1);
    expect(JSON.parse(dry.stdout)).toMatchObject({ refusal: REFUSAL });
    expect(JSON.parse(dry.stderr)).toMatchObject({ error: { code: 'KAYA_MEMBERSHIP_REFUSED', message: REFUSAL } });
  });

  test('are done without asking, and with the operator token', async () => {
    const { world, cluster } = openCluster();
    cluster.operatorToken = 'secret';
    cluster.change = () => plan({ change: 'remove', node: 3, after: TWO, proposed_at: 9 });
    await world.writeFile('/token', 'secret\n');

    const without = await world.run(...SERVER, 'remove-node', '3');
    const removed = await world.run(...SERVER, 'remove-node', '3', '--operator-token-file', '/token');
    const promoted = await world.run(...SERVER, 'promote-learner', '3', '--operator-token-file', '/token', '--json');

    expect(without.exitCode).toBe(4);
    expect(without.stderr).toMatch(/operator credential required.*\nHINT: .*--operator-token-file/);
    expect(removed.stdout).toContain('OK done at index 9\n');
    expect(JSON.parse(promoted.stdout)).toMatchObject({ proposed_at: 9 });
    expect(cluster.requests.map(({ kind }) => kind)).toEqual(['remove-member', 'remove-member', 'promote-member']);
  });
});

describe('kayactl transfer-leader', () => {
  test('prints who leads now', async () => {
    const { world, cluster } = openCluster();
    cluster.change = (request) => ({ leader: 'node' in request && request.node !== 0 ? request.node : 3 });

    const any = await world.run(...SERVER, 'transfer-leader');
    const named = await world.run(...SERVER, 'transfer-leader', '2', '--json');

    expect(any.stdout).toBe('OK node 3 leads\n');
    expect(JSON.parse(named.stdout)).toEqual({ ok: true, leader: 2 });
  });
});

function leader(): JsonDocument {
  return member(1, { is_self: true, is_leader: true, progress: null });
}

function learner(changes: JsonDocument = {}): JsonDocument {
  return member(4, { kind: 'learner', is_to_be_promoted: true, ...changes });
}

function snapshot(arrived: number, total: number): JsonDocument {
  return { state: 'snapshot', lag: 42, snapshot: { arrived_bytes: arrived, total_bytes: total } };
}

/** Runs a command that waits, with a clock that always moves on. */
async function runWithTime(world: TestWorld, ...argv: readonly string[]): ReturnType<TestWorld['run']> {
  const run = world.run(...argv);
  const state = { isOver: false };
  const ended = run.finally(() => (state.isOver = true));
  while (!state.isOver) await world.clock.advanceAsync(100);
  return ended;
}

/** The same on a terminal. @returns Also what its moving line said, in order. */
async function runOnTerminal(
  world: TestWorld,
  ...argv: readonly string[]
): Promise<{ readonly result: Awaited<ReturnType<TestWorld['run']>>; readonly shown: readonly string[] }> {
  world.isTerminal = true;
  const result = await runWithTime(world, ...argv);
  const shown = result.stderr.split('\r\u001b[K').filter((text) => text !== '');
  return { result, shown };
}
