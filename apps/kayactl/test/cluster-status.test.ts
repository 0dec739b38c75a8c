/** `status`, `members` and `health` against a cluster of protocol 2 in memory. */

import { describe, expect, test } from 'vitest';

import { member, members, membersOfFollower, status } from './cluster-documents.ts';
import { ClusterServer, refusal } from './cluster-server.ts';
import { type RunResult, TestWorld } from './test-world.ts';

const SERVER = ['--server', '10.0.0.1:7001'] as const;

function openCluster(): { readonly world: TestWorld; readonly cluster: ClusterServer } {
  const world = new TestWorld();
  const cluster = new ClusterServer();
  world.connect = cluster.connect;
  cluster.nodes.set(7001, { status: status(1), members: members() });
  cluster.nodes.set(7002, { status: status(2), members: membersOfFollower(2) });
  cluster.nodes.set(7003, { status: status(3), members: membersOfFollower(3) });
  return { world, cluster };
}

/** The cells of a column, by its heading; none of them has two spaces in it. */
function column({ stdout }: RunResult, name: string): readonly string[] {
  const [head = '', ...rows] = stdout.trimEnd().split('\n');
  const cells = (line: string): readonly string[] => line.split(/ {2,}/);
  const at = cells(head).indexOf(name);
  return rows.map((row) => cells(row)[at] ?? '');
}

describe('kayactl status of a cluster', () => {
  test('has a line for each member, however few were named', async () => {
    const { world } = openCluster();

    const result = await world.run(...SERVER, 'status');

    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toBe(
      'NODE  SERVER         ROLE      HEALTH  TERM  COMMIT  APPLIED  LAG  DISK  LEVELS           STALLS  UPTIME  VERSION\n' +
        '1     10.0.0.1:7001  leader    ok      3     42      42       0    ok    L0=1.0M,L2=2.0M  2       1h2m    0.1.0\n' +
        '2     10.0.0.2:7002  follower  ok      3     42      40       2    ok    L0=1.0M,L2=2.0M  2       1h2m    0.1.0\n' +
        '3     10.0.0.3:7003  follower  ok      3     42      40       2    ok    L0=1.0M,L2=2.0M  2       1h2m    0.1.0\n',
    );
  });

  test('has a line for a member that nobody knows how to reach', async () => {
    const { world, cluster } = openCluster();
    const list = [member(1, { is_self: true, is_leader: true }), member(2), member(3, { client_address: null })];
    cluster.nodes.get(7001)!.status = status(1, { members: list });

    const result = await world.run(...SERVER, 'status');

    expect(result.exitCode).toBe(1);
    expect(result.stdout).toMatch(/^3 {5}- {14}its address for clients is not known yet$/m);
  });

  test('says that the leader is elsewhere when others hear it', async () => {
    const { world, cluster } = openCluster();
    cluster.nodes.delete(7001);

    const result = await world.run('--server', '10.0.0.2:7002', 'status');

    expect(result.exitCode).toBe(1);
    expect(result.stderr).toBe('node 1 leads, as node 2 says, and was not reached from here\n');
  });

  test('asks a node once, by whichever of its addresses it was named', async () => {
    const { world, cluster } = openCluster();
    cluster.nodes.set(7999, cluster.nodes.get(7001)!);

    const alias = await world.run('--server', 'n1.example:7999', 'status');
    const asked = [...cluster.log];
    const both = await world.run('--server', 'n1.example:7999', ...SERVER, ...SERVER, 'status');

    expect(column(alias, 'NODE')).toEqual(['1', '2', '3']);
    expect(asked).toEqual(['7999 status', '7002 status', '7003 status']);
    expect(column(both, 'NODE')).toEqual(['1', '2', '3']);
  });

  test('says of a node that does not answer why, and ends with 1', async () => {
    const { world, cluster } = openCluster();
    cluster.nodes.delete(7003);

    const result = await world.run(...SERVER, 'status');
    const json = await world.run(...SERVER, 'status', '--json');

    expect(result.exitCode).toBe(1);
    expect(result.stdout).toMatch(/^3 {5}10\.0\.0\.3:7003 {2}no answer from 10\.0\.0\.3:7003: connection refused$/m);
    expect(result.stderr).toBe('3 voters, 2 must answer, 3 do: tolerates 1 failure; not reached from here: node 3\n');
    expect(JSON.parse(json.stdout)).toMatchObject({
      nodes: [
        { node: 1, ok: true, role: 'leader', health: 'ok', lag: 0, stats: { node_id: 1, term: 3 } },
        { node: 2, ok: true, lag: 2 },
        { node: 3, ok: false, endpoint: '10.0.0.3:7003', code: 'KAYA_UNAVAILABLE' },
      ],
      leader: 1,
      votes: { voters: 3, quorum: 2, answering: 3 },
    });
  });

  test('says what to do when no node answers', async () => {
    const { world, cluster } = openCluster();
    cluster.nodes.get(7001)!.status = refusal('KAYA_ACCESS_DENIED', 'client credential required or invalid') as never;

    const result = await world.run(...SERVER, 'status');

    expect(result.exitCode).toBe(1);
    expect(result.stdout).toMatch(/^NODE .*\n- {5}10\.0\.0\.1:7001 {2}the server refused the credential/);
    expect(result.stderr).toMatch(/^no node has answered\nHINT: Give the token/);
  });

  test('finds the members through one that still answers, and says that nothing can be written', async () => {
    const { world, cluster } = openCluster();
    cluster.nodes.delete(7001);
    cluster.nodes.delete(7003);
    cluster.nodes.get(7002)!.status = status(2, { role: 'candidate', has_leader: false, leader: null });

    const result = await world.run(...SERVER, '--server', '10.0.0.2:7002', 'status');

    expect(result.exitCode).toBe(1);
    expect(column(result, 'NODE')).toEqual(['1', '2', '3']);
    expect(column(result, 'HEALTH')[1]).toBe('no-leader');
    expect(column(result, 'LAG')[1]).toBe('-');
    expect(result.stderr).toBe(
      'no leader is heard: nothing can be written until more than half of the voters reach each other; 1 of 3 nodes answer here\n',
    );
  });

  test.each([
    ['ended', { phase: 'ended', has_leader: false }, {}, 1],
    ['forming', { phase: 'forming', engine: null }, {}, 1],
    ['stopping', { is_stopping: true }, {}, 0],
    ['disk-full', { is_stopping: true }, { disk_state: 'full' }, 0],
    ['disk-low', {}, { disk_state: 'low' }, 0],
    ['damaged', {}, { scrub_damage_count: 1, disk_state: 'low' }, 0],
    ['behind', { commit_index: 42, applied_index: 0 }, {}, 0],
  ])('says the worst of a node: %s', async (health, changes, engine, exitCode) => {
    const { world, cluster } = openCluster();
    cluster.nodes.get(7001)!.status = status(1, { commit_index: 20_000, applied_index: 20_000 });
    cluster.nodes.get(7003)!.status = status(3, { applied_index: 19_990 });
    cluster.nodes.get(7002)!.status = status(2, { applied_index: 19_990, ...changes }, engine);

    const result = await world.run(...SERVER, 'status');

    expect(column(result, 'HEALTH')).toEqual(['ok', health, 'ok']);
    expect(result.exitCode).toBe(exitCode);
  });

  test('goes by the newest leader while an old one has not noticed', async () => {
    const { world, cluster } = openCluster();
    cluster.nodes.get(7002)!.status = status(2, { role: 'leader', term: 4, commit_index: 50, applied_index: 50 });

    const json = JSON.parse((await world.run(...SERVER, 'status', '--json')).stdout) as Record<string, unknown>;

    expect(json).toMatchObject({ leader: 2, nodes: [{ lag: 8 }, { lag: 0 }, { lag: 10 }] });
  });

  test('draws nothing of what a node sends that would move the cursor', async () => {
    const { world, cluster } = openCluster();
    cluster.nodes.get(7001)!.status = status(1, { version: '\u001b[2J' });

    const result = await world.run(...SERVER, 'status');

    expect(result.stdout).not.toContain('\u001b');
  });
});

describe('kayactl members', () => {
  test('prints who votes, who answers, and what the cluster can bear', async () => {
    const { world, cluster } = openCluster();
    const learner = member(4, {
      kind: 'learner',
      is_to_be_promoted: true,
      progress: {
        match_index: 0,
        lag: 42,
        state: 'snapshot',
        in_flight: 0,
        snapshot: { arrived_bytes: 1, total_bytes: 4 },
      },
    });
    const leader = member(1, { is_self: true, is_leader: true, progress: null });
    const list = [leader, member(2), member(3, { is_answering: false }), learner];
    cluster.nodes.get(7001)!.members = members({ is_joint: true }, list);

    const result = await world.run(...SERVER, 'members');

    expect(result.stdout).toBe(
      'NODE  ROLE     ANSWERS  LAG  STATE         RAFT           CLIENT\n' +
        '1     leader   yes      0    -             10.0.0.1:7481  10.0.0.1:7001\n' +
        '2     voter    yes      2    replicate     10.0.0.2:7481  10.0.0.2:7002\n' +
        '3     voter    no       2    replicate     10.0.0.3:7481  10.0.0.3:7003\n' +
        '4     learner  yes      42   snapshot:25%  10.0.0.4:7481  10.0.0.4:7004\n' +
        '3 voters, 2 must answer, 2 do: tolerates 1 failure, none more now\n' +
        'a change of the voters is under way\n',
    );
  });

  test('asks the leader, whoever was named', async () => {
    const { world, cluster } = openCluster();

    const result = await world.run('--server', '10.0.0.3:7003', 'members', '--json');

    expect(cluster.log).toEqual(['7003 members', '7001 members']);
    expect(JSON.parse(result.stdout)).toEqual(members());
  });

  test('makes do with what another node knows when the leader can not be reached', async () => {
    const { world, cluster } = openCluster();
    cluster.nodes.delete(7001);

    const result = await world.run('--server', '10.0.0.3:7003', 'members');

    expect(result.exitCode).toBe(0);
    expect(column(result, 'ANSWERS').slice(0, 3)).toEqual(['-', '-', '-']);
    expect(result.stdout).toContain('3 voters, 2 must answer: tolerates 1 failure\n');
  });

  test('says that there is no quorum', async () => {
    const { world, cluster } = openCluster();
    const silent = { is_answering: false };
    cluster.nodes.get(7001)!.members = members({}, [
      member(1, { is_self: true, is_leader: true }),
      member(2, silent),
      member(3, silent),
    ]);

    const result = await world.run(...SERVER, 'members');

    expect(result.stdout).toContain('3 voters, 2 must answer, 1 does: no quorum\n');
  });

  test('passes on why a node refuses', async () => {
    const { world, cluster } = openCluster();
    cluster.nodes.get(7001)!.members = refusal('KAYA_ACCESS_DENIED', 'client credential required or invalid') as never;

    const result = await world.run(...SERVER, 'members');

    expect(result.exitCode).toBe(4);
    expect(result.stderr).toContain('client credential required or invalid\nHINT: Give the token');
  });

  test.each(['members', 'top', 'promote 4', 'remove-node 4', 'transfer-leader', 'add-node 4 a:1 b:2'])(
    '%s asks for a server when none is named',
    async (line) => {
      const result = await new TestWorld().run(...line.split(' '));

      expect(result).toMatchObject({ exitCode: 4, stdout: '' });
      expect(result.stderr).toMatch(/^ERROR: [a-z-]+ asks a server, and none is named\nHINT: /);
    },
  );
});

describe('kayactl over protocol 2', () => {
  test('tells revision and term of a write in its JSON, and OK otherwise', async () => {
    const { world } = openCluster();

    const text = await world.run(...SERVER, 'put', 'k', 'v');
    const json = await world.run(...SERVER, 'delete', 'k', '--json');

    expect(text.stdout).toBe('OK\n');
    expect(JSON.parse(json.stdout)).toEqual({ ok: true, revision: 1207, term: 3 });
  });

  test.each([
    ['scan', '', '', false, false, false],
    ['scan k', 'k', 'l', false, false, false],
    ['scan --gt a --lte m', 'a', 'm', true, true, false],
    ['scan k --gte a --lt z --reverse', 'k', 'l', false, false, true],
    ['scan k --gt kb --lte kx', 'kb', 'kx', true, true, false],
  ])('has the node do "%s" itself', async (line, from, to, isFromExclusive, isToInclusive, isDescending) => {
    const { world, cluster } = openCluster();

    const result = await world.run(...SERVER, ...line.split(' '), '--limit', '3');

    const scan = cluster.requests.find(({ kind }) => kind === 'scan');
    const range = { from: Buffer.from(from), isFromExclusive, to: Buffer.from(to), isToInclusive };
    expect(result).toMatchObject({ exitCode: 0, stdout: 'k v\n' });
    expect(scan).toMatchObject({ limit: 3, isDescending });
    expect(plain(scan)).toEqual(plain({ range }));
  });

  test('prints the counters of the node, and of its store as latencies', async () => {
    const { world, cluster } = openCluster();
    cluster.nodes.get(7001)!.status = status(1, {}, { cold_get_count: 2, get_total_us: 30, get_max_us: 20 });

    const stats = await world.run(...SERVER, 'stats');
    const latency = await world.run(...SERVER, 'stats', '--latency');

    expect(stats.stdout).toContain('term 3\n');
    expect(stats.stdout).toContain('engine.get_count 100\n');
    expect(latency.stdout).toBe('get         count=2 mean=15us max=20us\n');
  });
});

/** The range of a request, with bytes as text. */
function plain(request: unknown): unknown {
  const { range } = request as { readonly range: Record<string, unknown> };
  const words = Object.entries(range).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? Buffer.from(value).toString() : value,
  ]);
  return Object.fromEntries(words);
}
